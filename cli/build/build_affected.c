/* build_affected.c - see build_affected.h. */
#include "cli/build/build_affected.h"

#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/build/file_bytes.h"
#include "cli/build/paths.h"
#include "cli/build/source_place.h"
#include "cli/output/output.h"

static void add_affected(struct build_run *run, struct unit *unit)
{
    for (size_t i = 0; i < run->affected_count; i++)
        if (run->affected[i] == unit)
            return;
    run->affected = reallocate(run->affected, (run->affected_count + 1) * sizeof(*run->affected));
    run->affected[run->affected_count++] = unit;
}

/* -------------------------------------------------- learning from -M --- */

static void add_new_words(struct word_list *to, const struct word_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        if (!word_list_has(to, from->list[i]))
            words_add(to, from->list[i]);
}

int build_learn_files(struct build *build, const struct overlay *overlay, struct unit **units,
                      size_t count, struct refusal *why)
{
    struct compile_task *tasks;
    size_t task_count = 0, next = 0;
    int result = 0;

    for (size_t i = 0; i < count; i++)
        task_count += units[i]->knows_files ? 0 : units[i]->candidate_count;
    tasks = allocate(task_count * sizeof(*tasks));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; !units[i]->knows_files && j < units[i]->candidate_count; j++)
            tasks[next++] = (struct compile_task){.file = units[i]->file,
                                                  .line = &units[i]->candidates[j].line,
                                                  .overlay = overlay,
                                                  .depends_only = true};
    compile_tasks(&build->place, tasks, task_count);
    next = 0;
    for (size_t i = 0; i < count; i++) {
        bool any = units[i]->knows_files;

        for (size_t j = 0; !units[i]->knows_files && j < units[i]->candidate_count; j++, next++) {
            if (tasks[next].result)
                add_new_words(&units[i]->files, &tasks[next].result->files);
            any |= tasks[next].result != NULL;
        }
        if (!any)
            result = refuse(why, HP_COMPILE, "%s", refusal_text(&tasks[next - 1].why, 0));
        units[i]->knows_files |= any;
    }
    compile_tasks_free(tasks, task_count);
    free(tasks);
    return result;
}

/* ------------------------------------------------- which units concern --- */

/* Return whether the source's text names the file, as an #include of a source must. */
static bool text_names(const struct build_run *run, const char *real, const char *name)
{
    const struct edit_step *step = build_step_of(run, real);
    char *bytes = NULL;
    size_t size = 0;
    bool names;

    if (step && step->file->old_text)
        return memmem(step->file->old_text, step->file->old_size, name, strlen(name)) != NULL;
    if (file_bytes_read(real, &bytes, &size, NULL) != 0)
        return false;
    names = memmem(bytes, size, name, strlen(name)) != NULL;
    free(bytes);
    return names;
}

/* Return whether the unit may read files of the edit besides its own: then its files have to be known. A source that is a unit
 * itself is seldom included by another; the other's text then names it. */
static bool may_include(const struct build_run *run, const struct unit *unit)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct edit_step *step = &run->steps[i];

        if (strcmp(step->real, unit->real) == 0)
            continue;
        if (!source_is_compiled(step->real) || !units_find(&run->build->units, step->real)) {
            if (!step->is_text)
                return true;
        } else if (text_names(run, unit->real, base_name(step->real))) {
            return true;
        }
    }
    return false;
}

/* Return whether the compiler would take the new file in place of one that the unit reads. */
static bool may_shadow(const struct unit *unit, const char *real)
{
    for (size_t i = 0; i < unit->files.count; i++)
        if (strcmp(base_name(unit->files.list[i]), base_name(real)) == 0)
            return true;
    return false;
}

static void note_use(struct build_run *run, struct unit *unit)
{
    for (size_t i = 0; i < run->step_count; i++) {
        struct edit_step *step = &run->steps[i];

        if (strcmp(step->real, unit->real) != 0 && !word_list_has(&unit->files, step->real) &&
            !unit_edited_reads(unit, step->real) &&
            !(!step->file->old_text && may_shadow(unit, step->real)))
            continue;
        step->used = true;
        add_affected(run, unit);
    }
}

/* Return the unit of the target beside which the new source lies, or NULL: rather one that the edit changes, too. */
static struct unit *find_sibling(const struct build_run *run, const char *real)
{
    char *directory = path_directory(real);
    struct units *units = &run->build->units;
    struct unit *found = NULL;
    bool in_edit = false;

    for (size_t i = 0; i < units->count && !in_edit; i++) {
        struct unit *unit = &units->list[i];
        char *other = path_directory(unit->real);

        if (strcmp(other, directory) == 0 && !unit->added && !unit->stranger) {
            in_edit = build_step_of(run, unit->real) != NULL;
            found = in_edit || !found ? unit : found;
        }
        free(other);
    }
    free(directory);
    return found;
}

/* Make a unit of each new source. Returns before `affected` holds pointers, since the list of units may move. */
static void add_new_sources(struct build_run *run)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct edit_step *step = &run->steps[i];
        struct unit *unit = units_find(&run->build->units, step->real), *sibling;

        if (step->file->old_text || !step->file->new_text || !source_is_compiled(step->real))
            continue;
        if (!unit && (sibling = find_sibling(run, step->real)))
            unit = units_add_like(&run->build->units, step->file->path, sibling);
        if (unit) {
            unit->added = true;
            unit->stranger = false;
        }
    }
}

int build_find_affected(struct build_run *run, struct refusal *why)
{
    struct units *units = &run->build->units;
    struct unit **unknown;
    size_t count = 0;
    int result;

    add_new_sources(run);
    unknown = allocate(units->count * sizeof(struct unit *));
    for (size_t i = 0; i < units->count; i++) {
        struct unit *unit = &units->list[i];

        if (!unit->knows_files && !unit->added && !unit->stranger && may_include(run, unit))
            unknown[count++] = unit;
    }
    result = build_learn_files(run->build, run->has_old_view ? &run->old_view : NULL, unknown,
                               count, why);
    free(unknown);
    for (size_t i = 0; i < units->count; i++)
        if (!units->list[i].stranger)
            note_use(run, &units->list[i]);
    return result;
}

/* ---------------------------------------------------- lacking commands --- */

/* Return whether the target has a source of this name, and no command of one was read. */
static bool lacks_command(const struct build *build, const char *real)
{
    if (!source_is_compiled(real) || units_find(&build->units, real) ||
        !binary_file_count(build->target.binary, base_name(real)))
        return false;
    for (size_t i = 0; i < build->units.count; i++)
        if (!build->units.list[i].stranger &&
            strcmp(base_name(build->units.list[i].real), base_name(real)) == 0)
            return false;
    return true;
}

/* Return why the source has no command, or NULL. */
static const char *unread_reason(const struct units *units, const char *real)
{
    for (size_t i = 0; i + 1 < units->unread.count; i += 2)
        if (strcmp(units->unread.list[i], real) == 0)
            return units->unread.list[i + 1];
    return NULL;
}

/* Refuse a header of the edit that a source without a command names: the source would keep the old one. */
static int check_unread(const struct build_run *run, const char *real, const char *reason,
                        struct refusal *why)
{
    for (size_t i = 0; i < run->step_count; i++) {
        const struct edit_step *step = &run->steps[i];

        if (!step->same && !step->is_text && !source_is_compiled(step->real) &&
            text_names(run, real, base_name(step->real)))
            return refuse(why, HP_COMMANDS, "%s may include %s: %s", real, step->file->path,
                          reason);
    }
    return 0;
}

int build_check_commands(const struct build_run *run, struct refusal *why)
{
    const struct build *build = run->build;
    int result = 0;

    for (size_t i = 0; i < run->step_count; i++) {
        const struct edit_step *step = &run->steps[i];
        const char *reason = unread_reason(&build->units, step->real);

        if (!step->same && !step->used && step->file->old_text && lacks_command(build, step->real))
            result = refuse(why, HP_COMMANDS, "%s has a source %s: %s", build->target.name,
                            step->file->path,
                            reason ? reason : "the compile commands do not compile it");
    }
    for (size_t i = 0; i + 1 < build->units.unread.count; i += 2)
        if (lacks_command(build, build->units.unread.list[i]) &&
            check_unread(run, build->units.unread.list[i], build->units.unread.list[i + 1], why))
            result = -1;
    return result;
}
