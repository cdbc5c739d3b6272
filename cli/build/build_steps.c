/* build_steps.c - see build_steps.h. */
#include "cli/build/build_steps.h"

#include <stdlib.h>
#include <string.h>

#include "cli/build/file_bytes.h"
#include "cli/build/grammar.h"
#include "cli/build/hunk_lines.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"

/* Files that no compiler reads: they are ignored without a question to it. */
static bool is_text_name(const char *path)
{
    static const char *const suffixes[] = {
        ".md",   ".txt", ".rst", ".html", ".am",   ".ac",    ".po",   ".pot",   ".yml",
        ".yaml", ".py",  ".sh",  ".pl",   ".t",    ".xml",   ".json", ".1",     ".3",
        ".5",    ".7",   ".8",   ".tcl",  ".conf", ".cmake", ".texi", ".build", ".test"};
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    const char *dot = strrchr(name, '.');

    if (!dot) /* ChangeLog, NEWS, Makefile; but also <string> */
        return strncmp(name, "ChangeLog", 9) == 0 || strcmp(name, "NEWS") == 0 ||
               strcmp(name, "README") == 0 || strcmp(name, "Makefile") == 0;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(dot, suffixes[i]) == 0)
            return true;
    return false;
}

static bool same_text(const char *a, size_t a_size, const char *b, size_t b_size)
{
    if (!a || !b)
        return a == b;
    return a_size == b_size && memcmp(a, b, a_size) == 0;
}

void build_take_step(struct build_run *run, const struct edit_file *file)
{
    struct edit_step *step = &run->steps[run->step_count++];
    char *bytes = NULL;
    size_t size = 0;

    *step = (struct edit_step){.file = file, .real = path_real(file->path)};
    step->same = same_text(file->old_text, file->old_size, file->new_text, file->new_size);
    step->is_text = is_text_name(step->real) || grammar_is_input(step->real);
    if (file_bytes_read(step->real, &bytes, &size, NULL) != 0)
        bytes = NULL;
    step->on_disk = same_text(file->old_text, file->old_size, bytes, size);
    /* A text that is asked about may be replaced on disk at any moment (hotpatch watch). */
    run->has_old_view |= !step->on_disk || step->same;
    free(bytes);
}

/* Add one file of the edit to a view. The new text keeps the old line numbers. */
static void view_step(struct overlay *view, const struct edit_step *step, bool edited)
{
    const struct edit_file *file = step->file;
    const char *text = edited ? file->new_text : file->old_text;
    size_t size = edited ? file->new_size : file->old_size;
    struct hunk_lines lines = {0};
    char *copy = NULL;

    if (text && edited && file->old_text && !step->same) {
        copy = hunk_lines_mark(&lines, (unsigned)view->file_count, file->old_text, file->old_size,
                               text, size, &size);
    } else if (text) {
        copy = allocate(size + 1);
        memcpy(copy, text, size);
    }
    overlay_replace(view, step->real, copy, size);
    overlay_take_lines(view, &lines);
}

/* Make real what a unit's compiler enters, and where names with ".." begin. */
static void open_unit_directories(struct overlay *view, const struct unit *unit)
{
    char *directory = path_directory(unit->file);

    overlay_open_directory(view, directory);
    free(directory);
    for (size_t i = 0; i < unit->candidate_count; i++)
        overlay_open_directory(view, unit->candidates[i].line.directory);
}

int build_make_view(struct build_run *run, struct overlay *view, bool edited, struct refusal *why)
{
    for (size_t i = 0; i < run->step_count; i++)
        view_step(view, &run->steps[i], edited);
    for (size_t i = 0; i < run->affected_count; i++)
        open_unit_directories(view, run->affected[i]);
    return overlay_make(view, why);
}

/* A view of the unedited texts, for units that are not known to be affected yet. */
int build_make_old_view(struct build_run *run, struct refusal *why)
{
    struct units *units = &run->build->units;

    for (size_t i = 0; i < units->count; i++)
        if (!units->list[i].stranger)
            open_unit_directories(&run->old_view, &units->list[i]);
    return build_make_view(run, &run->old_view, false, why);
}

void build_begin_edit(struct build_run *run, const struct edit *edit)
{
    char *old_root = format_text("%s/old", run->build->place.scratch);
    char *new_root = format_text("%s/new", run->build->place.scratch);

    overlay_begin(&run->old_view, old_root, &run->build->place.roots);
    overlay_begin(&run->new_view, new_root, &run->build->place.roots);
    run->steps = allocate(edit->file_count * sizeof(*run->steps));
    for (size_t i = 0; i < edit->file_count; i++)
        build_take_step(run, &edit->files[i]);
    free(old_root);
    free(new_root);
}

void build_end_edit(struct build_run *run)
{
    overlay_clear(&run->old_view);
    overlay_clear(&run->new_view);
    overlay_free(&run->old_view);
    overlay_free(&run->new_view);
    for (size_t i = 0; i < run->step_count; i++)
        free(run->steps[i].real);
    free(run->steps);
    free(run->affected);
    edit_list_free(&run->generated);
    edit_list_free(&run->copies);
}
