/* diff_edit.c - see diff_edit.h. */
#include "cli/build/diff_edit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/diff_apply.h"
#include "cli/build/file_bytes.h"
#include "cli/build/paths.h"
#include "cli/build/source_place.h"
#include "cli/output/output.h"

struct diff_editor {
    struct edit_list *list;
    struct build *build;
    const char *name;
    unsigned strip;
    struct word_list bases;
    char *base;   /* of the first file that was found */
    size_t found; /* files of the diff that are there, or are made */
};

/* Return the text of the file as the edit has it so far, or as the disk has it. */
static const char *text_of(const struct diff_editor *editor, const char *path, size_t *size,
                           char **read)
{
    const struct edit_file *file = edit_list_find(editor->list, path);

    *read = NULL;
    if (file) {
        *size = file->new_size;
        return file->new_text;
    }
    if (file_bytes_read(path, read, size, NULL) != 0)
        return NULL;
    return *read;
}

static bool applies(const struct diff_editor *editor, const struct diff_file *file,
                    const char *path, bool reverse)
{
    char *read, *out;
    size_t size, out_size, failed;
    const char *text = text_of(editor, path, &size, &read);
    bool ambiguous, done = text && diff_apply(file, text, size, reverse, &out, &out_size, &failed,
                                              &ambiguous, NULL) == 0;

    if (done)
        free(out);
    free(read);
    return done;
}

/* ------------------------------------------------- which file is meant --- */

/* Of several places keep those that the target may come from, and then those that the diff applies to. */
static void keep_likeliest(const struct diff_editor *editor, const struct diff_file *file,
                           struct word_list *places)
{
    struct word_list kept = {0};

    for (size_t i = 0; places->count > 1 && i < places->count; i++) {
        const struct unit *unit = units_find(&editor->build->units, places->list[i]);

        if ((!unit || !unit->stranger) && applies(editor, file, places->list[i], false))
            words_add(&kept, places->list[i]);
    }
    if (kept.count) {
        words_free(places);
        *places = kept;
    }
}

static int refuse_places(const struct diff_editor *editor, const char *path,
                         const struct word_list *places, struct refusal *why)
{
    char *list = format_text("%s", places->list[0]);
    int result;

    for (size_t i = 1; i < places->count; i++) {
        char *longer = format_text("%s, %s", list, places->list[i]);

        free(list);
        list = longer;
    }
    result = refuse(why, HP_SOURCE, "%s: %s may be %s", editor->name, path, list);
    free(list);
    return result;
}

/* Note in which directory the diff's path begins, which new files need. */
static void note_base(struct diff_editor *editor, const char *place, const char *path)
{
    if (!editor->base && path_has_tail(place, path) && strlen(place) > strlen(path))
        editor->base = format_text("%.*s", (int)(strlen(place) - strlen(path) - 1), place);
}

/* Find the file. Return 0 with it, or with NULL where it is not there; -1: it may be several. */
static int find_source(struct diff_editor *editor, const struct diff_file *file, const char *path,
                       char **place, struct refusal *why)
{
    struct word_list places = {0};
    int result = 0;

    *place = NULL;
    for (size_t i = 0; i < editor->list->count; i++) /* made by an earlier diff */
        if (!editor->list->files[i].old_text && path_has_tail(editor->list->files[i].path, path))
            words_add(&places, editor->list->files[i].path);
    if (!places.count)
        source_places(editor->build, &editor->bases, path, &places);
    keep_likeliest(editor, file, &places);
    if (places.count == 1) {
        *place = format_text("%s", places.list[0]);
        note_base(editor, *place, path);
    } else if (places.count > 1 && source_is_code(path)) {
        result = refuse_places(editor, path, &places, why);
    }
    words_free(&places);
    return result;
}

static char *place_of_new(const struct diff_editor *editor, const char *path)
{
    return path_absolute(editor->base ? editor->base : editor->build->source_dir, path);
}

/* ------------------------------------------------------ one file's hunks --- */

static void note_ignored(struct diff_editor *editor, const char *path, const char *reason)
{
    words_take(&editor->list->notes, format_text("%s is ignored: %s", path, reason));
}

static struct edit_file *take_file_text(struct diff_editor *editor, const char *place)
{
    struct edit_file *file = edit_list_find(editor->list, place);
    char *text;
    size_t size;

    if (file)
        return file;
    if (file_bytes_read(place, &text, &size, NULL) != 0)
        return NULL;
    return edit_list_add(editor->list, format_text("%s", place), text, size);
}

static int refuse_hunk(const struct diff_editor *editor, const struct diff_file *file,
                       const char *place, size_t failed, bool ambiguous, struct refusal *why)
{
    const struct diff_hunk *hunk = &file->hunks[failed];

    if (applies(editor, file, place, true))
        return refuse(why, HP_DIFF, "%s: it is applied to %s already", editor->name, place);
    return refuse(why, HP_DIFF, "%s:%zu: hunk %zu (line %zu) %s %s", editor->name, hunk->row,
                  failed + 1, hunk->old_start,
                  ambiguous ? "fits, with less context, in several places of" : "does not fit into",
                  place);
}

/* Return whether the target cannot come from the file, as far as that is known without a compiler. */
static bool is_no_source(const struct diff_editor *editor, const char *place)
{
    const struct unit *unit = units_find(&editor->build->units, place);

    return unit ? unit->stranger : !source_is_code(place);
}

/* Apply the hunks to the file at `place`; what comes out is the text of `to`. */
static int change_file(struct diff_editor *editor, const struct diff_file *file, const char *place,
                       const char *to, struct refusal *why)
{
    char *read, *out = NULL;
    size_t size, out_size, failed;
    const char *text = text_of(editor, place, &size, &read);
    struct edit_file *changed;
    bool ambiguous;

    if (!text || file->binary ||
        diff_apply(file, text, size, false, &out, &out_size, &failed, &ambiguous, NULL) != 0) {
        int result = 0;

        if (is_no_source(editor, place))
            note_ignored(editor, place,
                         "the diff does not apply to it, and the target does not need it");
        else if (!text)
            result = refuse(why, HP_DIFF, "%s: read %s: %s", editor->name, place, strerror(errno));
        else if (file->binary)
            result = refuse(why, HP_DIFF, "%s: its change of %s is binary", editor->name, place);
        else
            result = refuse_hunk(editor, file, place, failed, ambiguous, why);
        free(read);
        return result;
    }
    free(read);
    changed = take_file_text(editor, to);
    if (!changed)
        changed = edit_list_add(editor->list, format_text("%s", to), NULL, 0);
    edit_list_change(changed, out, out_size);
    return 0;
}

static void remove_file_of(struct diff_editor *editor, const char *place)
{
    struct edit_file *file = take_file_text(editor, place);

    if (file)
        edit_list_change(file, NULL, 0);
}

static bool is_text(const char *text, size_t size, const char *other, size_t other_size)
{
    return text && other && size == other_size && memcmp(text, other, size) == 0;
}

/* Return whether a source that the diff makes is there, but not in the target: an edit that was taken back left it. */
static bool is_left_over(const struct diff_editor *editor, const char *place, const char *out,
                         size_t out_size)
{
    const struct unit *unit = units_find(&editor->build->units, place);
    char *read = NULL;
    size_t size = 0;
    bool left;

    if (!source_is_compiled(place) || (unit && !unit->stranger) ||
        edit_list_find(editor->list, place) || file_bytes_read(place, &read, &size, NULL) != 0)
        return false;
    left = is_text(read, size, out, out_size);
    free(read);
    return left;
}

/* Make a file. One that is there already with the same text is no obstacle. */
static int create_file(struct diff_editor *editor, const struct diff_file *file, const char *path,
                       struct refusal *why)
{
    char *place = place_of_new(editor, path), *out = NULL;
    size_t out_size = 0, failed;
    bool ambiguous;
    bool fits = diff_apply(file, "", 0, false, &out, &out_size, &failed, &ambiguous, NULL) == 0;
    struct edit_file *made =
        fits && is_left_over(editor, place, out, out_size) ? NULL : take_file_text(editor, place);
    int result = 0;

    if (made && made->new_text && made->new_size && source_is_code(place) &&
        !(fits && is_text(made->new_text, made->new_size, out, out_size))) {
        result =
            refuse(why, HP_DIFF, "%s: it makes %s, which is there already", editor->name, place);
    } else if (fits) {
        if (!made)
            made = edit_list_add(editor->list, format_text("%s", place), NULL, 0);
        edit_list_change(made, out, out_size);
        out = NULL;
    } else if (is_no_source(editor, place)) {
        note_ignored(editor, place, "the diff does not apply to an empty file");
    } else {
        result = refuse_hunk(editor, file, place, failed, ambiguous, why);
    }
    free(out);
    free(place);
    return result;
}

static int move_file(struct diff_editor *editor, const struct diff_file *file, const char *place,
                     const char *new_path, struct refusal *why)
{
    char *to = place_of_new(editor, new_path);
    int result = change_file(editor, file, place, to, why);

    if (result == 0 && !file->copies)
        remove_file_of(editor, place);
    free(to);
    return result;
}

static int edit_file_of(struct diff_editor *editor, const struct diff_file *file,
                        struct refusal *why)
{
    const char *old_path = diff_strip(file->old_path, editor->strip);
    const char *new_path = diff_strip(file->new_path, editor->strip);
    const char *path = old_path && !file->creates ? old_path : new_path ? new_path : old_path;
    char *place = NULL;
    int result = 0;

    if (!path || (!file->hunk_count && !file->moves && !file->binary && !file->deletes))
        return 0;
    if ((old_path && source_leads_out(old_path)) || (new_path && source_leads_out(new_path)))
        return refuse(why, HP_DIFF, "%s: the path %s leads out of the source tree", editor->name,
                      path);
    if (file->creates) {
        editor->found++;
        return file->binary ? 0 : create_file(editor, file, path, why);
    }
    if (find_source(editor, file, path, &place, why) != 0)
        return -1;
    if (!place && new_path && find_source(editor, file, new_path, &place, why) != 0)
        return -1;
    if (!place) {
        note_ignored(editor, path, "there is no such source");
        return 0;
    }
    editor->found++;
    if (file->deletes)
        remove_file_of(editor, place);
    else if (file->moves && new_path)
        result = move_file(editor, file, place, new_path, why);
    else
        result = change_file(editor, file, place, place, why);
    free(place);
    return result;
}

/* Files that are there come first: they show where new ones belong. */
static int edit_files(struct diff_editor *editor, const struct diff *diff, struct refusal *why)
{
    int result = 0;

    for (int creates = 0; creates <= 1; creates++)
        for (size_t i = 0; i < diff->file_count; i++)
            if (diff->files[i].creates == (creates == 1) &&
                edit_file_of(editor, &diff->files[i], why) != 0)
                result = -1;
    if (result == 0 && !editor->found) {
        const struct diff_file *first = &diff->files[0];
        const char *path = first->old_path ? first->old_path : first->new_path;
        const char *stripped = path ? diff_strip(path, editor->strip) : NULL;

        result =
            refuse(why, HP_SOURCE, "%s: none of its %zu files is a source here; the first is %s",
                   editor->name, diff->file_count, stripped ? stripped : "without a name");
    }
    return result;
}

int diff_edit(struct edit_list *list, struct build *build, const char *text, size_t size,
              const char *name, unsigned strip, struct refusal *why)
{
    struct diff_editor editor = {.list = list, .build = build, .name = name, .strip = strip};
    struct diff diff;
    int result;

    if (diff_read(&diff, text, size, name, why) != 0)
        return -1;
    owner_enter(&build->place.owner);
    source_bases(build, &editor.bases);
    result = edit_files(&editor, &diff, why);
    owner_leave(&build->place.owner);
    words_free(&editor.bases);
    free(editor.base);
    diff_free(&diff);
    return result;
}
