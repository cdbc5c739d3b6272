/*
 * build_copies.c - see build_copies.h. A generated source names the files that it has copies of, and is much larger than one of them:
 * a source that somebody has made from another one by hand is not.
 */
#include "cli/build/build_copies.h"

#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/build/copied_text.h"
#include "cli/build/file_bytes.h"
#include "cli/build/source_place.h"
#include "cli/output/output.h"

/* Edit the copy that the unit's text may have. `file`: of an earlier copy in the same text, or NULL. */
static int edit_copy(struct build_run *run, struct edit_list *list, struct edit_step *step,
                     const struct unit *unit, struct refusal *why)
{
    struct edit_file *file = edit_list_find(list, unit->real);
    const struct copied_part old_text = {step->file->old_text, step->file->old_size};
    const struct copied_part new_text = {step->file->new_text, step->file->new_size};
    struct copied_part whole = {NULL, 0};
    const char *name = base_name(step->real);
    char *text = NULL, *out = NULL;
    size_t size = 0, row;
    enum copied copied = COPIED_NOT;
    int result = 0;

    if (file)
        whole = (struct copied_part){file->new_text, file->new_size};
    else if (file_bytes_read(unit->real, &text, &size, NULL) == 0)
        whole = (struct copied_part){text, size};
    if (whole.size / 3 * 2 > old_text.size && memmem(whole.text, whole.size, name, strlen(name)))
        copied = copied_text_edit(&whole, &old_text, &new_text, &out, &size, &row);
    if (copied == COPIED_PART)
        result =
            refuse(why, HP_SOURCE,
                   "%s has a copy of %s, where line %zu is another: make both builds, and give "
                   "them with --from and --to",
                   unit->file, step->file->path, row);
    if (copied == COPIED_EDITED) {
        if (!file) {
            file = edit_list_add(list, format_text("%s", unit->real), text, whole.size);
            text = NULL;
        }
        edit_list_change(file, out, size);
        build_note(run, "%s has a copy of %s", unit->file, step->file->path);
        step->used = true;
    }
    free(text);
    return result;
}

/* Return whether a copy of the file may be what the compiler reads: a source that is compiled itself has none. */
static bool may_be_copied(const struct build_run *run, const struct edit_step *step)
{
    const struct unit *own = units_find(&run->build->units, step->real);

    return !step->same && step->file->old_text && step->file->new_text &&
           source_is_code(step->real) && (!own || own->stranger);
}

/* A generated source has copies of all that it names, so that a part of the edit would be left out. */
static int check_all_copied(const struct build_run *run, const struct edit_list *list,
                            struct refusal *why)
{
    int result = 0;

    for (size_t i = 0; i < run->step_count; i++)
        for (size_t j = 0; j < list->count; j++) {
            const struct edit_file *file = &list->files[j];
            const char *name = base_name(run->steps[i].real);

            if (may_be_copied(run, &run->steps[i]) && !run->steps[i].used &&
                memmem(file->old_text, file->old_size, name, strlen(name)))
                result = refuse(why, HP_SOURCE,
                                "%s names %s, and has no copy of it that is the same: make both "
                                "builds, and give them with --from and --to",
                                file->path, run->steps[i].file->path);
        }
    return result;
}

int build_edit_copies(struct build_run *run, struct edit_list *list, struct refusal *why)
{
    const struct units *units = &run->build->units;
    int result = 0;

    for (size_t i = 0; i < run->step_count; i++) {
        struct edit_step *step = &run->steps[i];

        for (size_t j = 0; may_be_copied(run, step) && j < units->count; j++)
            if (!units->list[j].stranger && !units->list[j].added &&
                !word_list_has(&units->list[j].files, step->real) &&
                !build_step_of(run, units->list[j].real) &&
                edit_copy(run, list, step, &units->list[j], why) != 0)
                result = -1;
    }
    if (check_all_copied(run, list, why) != 0)
        result = -1;
    return result;
}
