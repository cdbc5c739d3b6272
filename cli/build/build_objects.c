/*
 * build_objects.c - see build_objects.h. A unit with one command has both objects made at once; of several commands that one is
 * taken whose unedited object is the target's. Where the target has one file of the unit's name, it has the unit once: then the
 * command of the target's kind is tried first (libtool compiles each file with -fPIC and without), and the others only
 * where it is not the target's.
 */
#include "cli/build/build_objects.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "base/sha256.h"
#include "cli/build/build_untouched.h"
#include "cli/build/build_words.h"
#include "cli/build/object_dwarf.h"
#include "cli/build/paths.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "elf/binary.h"
#include "resolve/baseline.h"

/* A task, and where its result goes. */
struct object_task {
    struct unit *unit;
    struct candidate *candidate;
    bool edited;
};

struct object_tasks {
    struct compile_task *list;
    struct object_task *places;
    size_t count;
};

/* --------------------------------------------------- which are needed --- */

/* Return what an edited object depends on: the texts of the edit that it may read. */
static char *edited_key(const struct build_run *run, const struct unit *unit)
{
    char *key = format_text("%s", "");

    for (size_t i = 0; i < run->step_count; i++) {
        const struct edit_step *step = &run->steps[i];
        char hex[65] = "-", *longer;

        if (step->same ||
            (step->file->old_text && step->file->new_text && strcmp(step->real, unit->real) != 0 &&
             !word_list_has(&unit->files, step->real) && !unit_edited_reads(unit, step->real)))
            continue;
        if (step->file->new_text)
            sha256_hex(step->file->new_text, step->file->new_size, hex);
        longer = format_text("%s%s %s\n", key, step->real, hex);
        free(key);
        key = longer;
    }
    return key;
}

static void add_task(struct object_tasks *tasks, const struct build_run *run, struct unit *unit,
                     struct candidate *candidate, bool edited)
{
    const struct overlay *old_view = run->has_old_view ? &run->old_view : NULL;
    size_t count = tasks->count + 1;

    tasks->list = reallocate(tasks->list, count * sizeof(*tasks->list));
    tasks->places = reallocate(tasks->places, count * sizeof(*tasks->places));
    tasks->list[tasks->count] = (struct compile_task){.file = unit->file,
                                                      .line = &candidate->line,
                                                      .overlay = edited ? &run->new_view : old_view,
                                                      .plain = candidate->plain};
    tasks->places[tasks->count] = (struct object_task){unit, candidate, edited};
    tasks->count = count;
}

/* Add the task for the edited object unless it is there already. */
static void add_edited(struct object_tasks *tasks, const struct build_run *run, struct unit *unit,
                       struct candidate *candidate)
{
    char *key;

    if (build_removes(run, unit))
        return;
    key = edited_key(run, unit);
    if (candidate->edited && candidate->edited_key && strcmp(candidate->edited_key, key) == 0) {
        free(key);
        return;
    }
    compiled_free(candidate->edited);
    candidate->edited = NULL;
    candidate->untouched = false;
    free(candidate->edited_key);
    candidate->edited_key = key;
    if (*key) /* otherwise the texts are the unedited ones */
        add_task(tasks, run, unit, candidate, true);
}

/* Hand the objects over: the unedited ones, or the edited ones. */
static void take_results(struct object_tasks *tasks, bool edited)
{
    for (size_t i = 0; i < tasks->count; i++) {
        struct compiled **to = tasks->places[i].edited ? &tasks->places[i].candidate->edited
                                                       : &tasks->places[i].candidate->old;

        if (tasks->places[i].edited != edited)
            continue;
        *to = tasks->list[i].result;
        tasks->places[i].candidate->plain |= tasks->list[i].plain;
        tasks->list[i].result = NULL;
    }
}

/* Open the directories that the compilers went through, so that "dir/../file.h" stays in the view. */
static void open_directories(struct overlay *view, const struct object_task *place,
                             const struct compiled *compiled)
{
    for (size_t i = 0; i < compiled->spelled.count; i++) {
        const char *name = compiled->spelled.list[i];

        for (const char *up = strstr(name, "/.."); up; up = strstr(up + 1, "/..")) {
            char *part = format_text("%.*s", (int)(up - name), name);
            char *path = *part == '/'
                             ? format_text("%s", part)
                             : format_text("%s/%s", place->candidate->line.directory, part);

            overlay_open_directory(view, path);
            free(path);
            free(part);
        }
    }
}

/* Return whether the compiler missed a file, which may lie above the project. */
static bool lacks_file(const struct compile_task *task)
{
    return !task->result && task->words &&
           (strstr(task->words, "No such file") || strstr(task->words, "not found"));
}

/* Return whether the task has to be repeated in a view that has more real directories, and more of the file system. */
static bool must_repeat(const struct compile_task *task, const struct object_task *place,
                        const struct overlay *view)
{
    const struct compiled *old = place->candidate->old;

    if (task->overlay != view)
        return false;
    return task->leaks ||
           (!view->full &&
            (lacks_file(task) || (task->result && task->result->escapes) || (old && old->escapes)));
}

/* Put the new result of a task in its place. */
static void repeat_task(struct compile_task *task, const struct compile_task *again)
{
    compile_tasks_free(task, 1);
    *task = *again;
}

/* Run the tasks again that the view was too small for. */
static int repeat_tasks(struct object_tasks *tasks, struct build_run *run, struct overlay *view,
                        struct refusal *why)
{
    struct compile_task *again = allocate(tasks->count * sizeof(*again));
    size_t *places = allocate(tasks->count * sizeof(*places)), count = 0;
    int result = 0;

    for (size_t i = 0; i < tasks->count; i++) {
        const struct compile_task *task = &tasks->list[i];

        if (!must_repeat(task, &tasks->places[i], view))
            continue;
        if (task->result)
            open_directories(view, &tasks->places[i], task->result);
        again[count] = (struct compile_task){
            .file = task->file, .line = task->line, .overlay = view, .plain = task->plain};
        places[count++] = i;
    }
    if (count) {
        view->full = true;
        overlay_clear(view);
        result = overlay_make(view, why);
    }
    if (result == 0)
        compile_tasks(&run->build->place, again, count);
    for (size_t i = 0; i < count; i++) {
        repeat_task(&tasks->list[places[i]], &again[i]);
        if (again[i].leaks)
            result = refuse(why, HP_SOURCE,
                            "%s reads an edited file by a path that the build directory and the "
                            "source directory do not contain; give --source DIR",
                            again[i].file);
    }
    free(places);
    free(again);
    return result;
}

/* Report the failures. Of several commands for one file some may be for programs that were never built. */
static int report_failures(const struct object_tasks *tasks, struct refusal *why)
{
    int result = 0;

    for (size_t i = 0; i < tasks->count; i++) {
        const struct object_task *place = &tasks->places[i];
        const struct refusal *failure = &tasks->list[i].why;

        if (!place->edited && place->unit->candidate_count > 1)
            continue;
        for (size_t j = 0; j < failure->count; j++)
            result = refuse(why, failure->items[j].code, "%s", refusal_text(failure, j));
    }
    return result;
}

static int run_tasks(struct object_tasks *tasks, struct build_run *run, struct refusal *why)
{
    double begin = precise_ms();
    int result = -1;

    compile_tasks(&run->build->place, tasks->list, tasks->count);
    if (!run->has_old_view || repeat_tasks(tasks, run, &run->old_view, why) == 0) {
        take_results(tasks, false);
        result = repeat_tasks(tasks, run, &run->new_view, why);
    }
    build_say_true_lines(run, tasks->list, tasks->count);
    build_take_words(run, tasks->list, tasks->count);
    if (result == 0)
        result = report_failures(tasks, why);
    take_results(tasks, true);
    run->result->times.compile += precise_ms() - begin;
    compile_tasks_free(tasks->list, tasks->count);
    free(tasks->list);
    free(tasks->places);
    memset(tasks, 0, sizeof(*tasks));
    return result;
}

/* ------------------------------------------------------ the baseline --- */

static bool all_absent(const struct baseline *baseline)
{
    return !baseline->equal && !baseline->content && !baseline->differs && baseline->absent;
}

static int compare_unit(struct build_run *run, struct unit *unit, struct refusal *why)
{
    for (size_t i = 0; i < unit->candidate_count; i++) {
        struct candidate *candidate = &unit->candidates[i];

        if (candidate->old && !candidate->baseline &&
            baseline_compare(&candidate->baseline, run->build->target.binary,
                             candidate->old->object, NULL, why) != 0)
            return -1;
    }
    return 0;
}

/* Return whether a function of the candidate lies where one of an earlier chosen candidate does: then it is the same object. */
static bool is_again(const struct unit *unit, const struct candidate *candidate)
{
    const struct baseline *baseline = candidate->baseline;

    for (const struct candidate *other = unit->candidates; other < candidate; other++) {
        if (other->chosen && !baseline->function_count)
            return true; /* data alone */
        for (size_t i = 0; other->chosen && i < other->baseline->function_count; i++)
            for (size_t j = 0; j < baseline->function_count; j++)
                if (other->baseline->functions[i].address &&
                    other->baseline->functions[i].address == baseline->functions[j].address)
                    return true;
    }
    return false;
}

static void choose_candidates(struct unit *unit)
{
    for (size_t i = 0; i < unit->candidate_count; i++) {
        struct candidate *candidate = &unit->candidates[i];
        const struct baseline *baseline = candidate->baseline;

        candidate->chosen =
            baseline && !baseline->differs && !all_absent(baseline) && !is_again(unit, candidate);
    }
}

static const struct candidate *first_chosen(const struct unit *unit)
{
    for (size_t i = 0; i < unit->candidate_count; i++)
        if (unit->candidates[i].chosen)
            return &unit->candidates[i];
    return NULL;
}

static bool any_compiled(const struct unit *unit)
{
    for (size_t i = 0; i < unit->candidate_count; i++)
        if (unit->candidates[i].old)
            return true;
    return false;
}

/* Refuse with the words of the candidate that differs least. */
static int refuse_baseline(struct build_run *run, struct unit *unit, struct refusal *why)
{
    struct candidate *best = NULL;
    struct baseline *baseline;

    for (size_t i = 0; i < unit->candidate_count; i++) {
        struct candidate *candidate = &unit->candidates[i];

        if (candidate->baseline && candidate->baseline->differs &&
            (!best || candidate->baseline->differs < best->baseline->differs))
            best = candidate;
    }
    if (!best ||
        baseline_make(&baseline, run->build->target.binary, best->old->object, NULL, why) == 0) {
        if (best)
            baseline_free(baseline);
        return refuse(why, HP_BASELINE, "%s does not give the code of %s", unit->file,
                      run->build->target.name);
    }
    return -1;
}

/* Return whether the command is tried only where the likelier one of the unit is not the target's. */
static bool comes_later(const struct build_run *run, const struct unit *unit,
                        const struct candidate *candidate)
{
    const struct binary *binary = run->build->target.binary;
    bool pic = !binary_is_program(binary);
    const struct candidate *likely = unit->candidates;

    if (unit->candidate_count == 1 || binary_file_count(binary, base_name(unit->file)) != 1)
        return false;
    for (size_t i = unit->candidate_count; i-- > 0;)
        if (command_line_is_pic(&unit->candidates[i].line) == pic)
            likely = &unit->candidates[i];
    return candidate != likely;
}

static bool is_done(const struct unit *unit)
{
    return unit->stranger || first_chosen(unit);
}

static int judge_unit(struct build_run *run, struct unit *unit, bool all_tried, struct refusal *why)
{
    bool differs = false;

    choose_candidates(unit);
    if (first_chosen(unit) || !all_tried)
        return 0;
    if (!any_compiled(unit))
        return refuse(why, HP_COMPILE, "%s: none of its %zu commands compiles it as it is",
                      unit->file, unit->candidate_count);
    for (size_t i = 0; i < unit->candidate_count; i++)
        differs |= unit->candidates[i].baseline && unit->candidates[i].baseline->differs;
    if (differs)
        return refuse_baseline(run, unit, why);
    unit->stranger = true;
    build_note(run, "%s: no function of it is in %s", unit->file, run->build->target.name);
    return 0;
}

/* Choose the command of a new source: the one whose like is chosen of the unit that it was taken from. */
static void choose_for_added(const struct build_run *run, struct unit *unit)
{
    const struct unit *like = unit->like ? units_find(&run->build->units, unit->like) : NULL;
    const struct candidate *chosen = like ? first_chosen(like) : NULL;
    size_t index = chosen ? (size_t)(chosen - like->candidates) : 0;

    if (!first_chosen(unit))
        unit->candidates[index < unit->candidate_count ? index : 0].chosen = true;
}

static int compare_all(struct build_run *run, bool all_tried, struct refusal *why)
{
    double begin = precise_ms();
    int result = 0;

    for (size_t i = 0; i < run->affected_count && result == 0; i++) {
        struct unit *unit = run->affected[i];

        if (unit->added || first_chosen(unit) || untouched_is(unit))
            continue;
        result = compare_unit(run, unit, why);
        if (result == 0 && judge_unit(run, unit, all_tried, why) != 0)
            result = -1;
    }
    for (size_t i = 0; i < run->affected_count && all_tried; i++)
        if (run->affected[i]->added)
            choose_for_added(run, run->affected[i]);
    run->result->times.compare += precise_ms() - begin;
    return result;
}

/* ------------------------------------------------------------ all units --- */

static int check_command(const struct unit *unit, const struct candidate *candidate,
                         struct refusal *why)
{
    const char *whole = candidate->line.whole;

    if (!whole && candidate->old)
        whole = object_dwarf_whole_program(candidate->old->dwarf);
    if (whole)
        return refuse(why, HP_LTO, "%s is compiled with %s", unit->file, whole);
    if (command_line_is_assembler(&candidate->line))
        return refuse(why, HP_SOURCE, "%s is a source of the assembler: only C is patched",
                      unit->file);
    return 0;
}

static void add_unedited(struct object_tasks *tasks, const struct build_run *run, struct unit *unit)
{
    for (size_t i = 0; i < unit->candidate_count && !unit->added; i++)
        if (!unit->candidates[i].old && !first_chosen(unit) &&
            !comes_later(run, unit, &unit->candidates[i]))
            add_task(tasks, run, unit, &unit->candidates[i], false);
}

/* Both objects of a unit with one command are made at once, unless the unedited one may not be needed. */
static void add_first_tasks(struct object_tasks *tasks, const struct build_run *run,
                            struct unit *unit)
{
    if (!untouched_may_be(run, unit))
        add_unedited(tasks, run, unit);
    if (unit->candidate_count == 1)
        add_edited(tasks, run, unit, &unit->candidates[0]);
}

static void add_later_tasks(struct object_tasks *tasks, const struct build_run *run,
                            struct unit *unit)
{
    for (size_t i = 0; i < unit->candidate_count && !unit->added && !is_done(unit); i++)
        if (!unit->candidates[i].old && comes_later(run, unit, &unit->candidates[i]))
            add_task(tasks, run, unit, &unit->candidates[i], false);
}

/* Make the unedited objects of the units that the edit touches. */
static int make_unedited(struct build_run *run, struct object_tasks *tasks, struct refusal *why)
{
    double begin = precise_ms();

    if (untouched_find(run, why) != 0)
        return -1;
    run->result->times.compare += precise_ms() - begin;
    for (size_t i = 0; i < run->affected_count; i++)
        if (untouched_may_be(run, run->affected[i]) && !untouched_is(run->affected[i]))
            add_unedited(tasks, run, run->affected[i]);
    return tasks->count ? run_tasks(tasks, run, why) : 0;
}

static void learn_files(struct unit *unit)
{
    for (size_t i = 0; i < unit->candidate_count; i++) {
        const struct compiled *old = unit->candidates[i].old;

        for (size_t j = 0; old && j < old->files.count; j++)
            if (!word_list_has(&unit->files, old->files.list[j]))
                words_add(&unit->files, old->files.list[j]);
        unit->knows_files |= old != NULL;
    }
}

static int make_objects(struct build_run *run, struct refusal *why)
{
    struct object_tasks tasks = {0};
    size_t before = why->count;

    for (size_t i = 0; i < run->affected_count; i++)
        for (size_t j = 0; j < run->affected[i]->candidate_count; j++)
            check_command(run->affected[i], &run->affected[i]->candidates[j], why);
    if (why->count != before)
        return -1;
    for (size_t i = 0; i < run->affected_count; i++)
        add_first_tasks(&tasks, run, run->affected[i]);
    if (run_tasks(&tasks, run, why) != 0 || make_unedited(run, &tasks, why) != 0 ||
        compare_all(run, false, why) != 0)
        return -1;
    for (size_t i = 0; i < run->affected_count; i++)
        add_later_tasks(&tasks, run, run->affected[i]);
    if (run_tasks(&tasks, run, why) != 0 || compare_all(run, true, why) != 0)
        return -1;
    for (size_t i = 0; i < run->affected_count; i++) {
        struct unit *unit = run->affected[i];

        learn_files(unit);
        for (size_t j = 0; j < unit->candidate_count && !unit->stranger; j++)
            if (unit->candidates[j].chosen) {
                check_command(unit, &unit->candidates[j], why);
                add_edited(&tasks, run, unit, &unit->candidates[j]);
            }
    }
    return run_tasks(&tasks, run, why) != 0 || why->count != before ? -1 : 0;
}

/* Return whether the edited object was compiled from a file that is neither the unedited one's nor the edit's. An object of the cache
 * does not know that a file came later which its compiler would find earlier. */
static bool reads_more(const struct build_run *run, const struct candidate *candidate)
{
    const struct compiled *edited = candidate->edited;

    for (size_t i = 0;
         edited && candidate->old && candidate->old->cached && i < edited->files.count; i++) {
        if (!word_list_has(&candidate->old->files, edited->files.list[i]) &&
            !build_step_of(run, edited->files.list[i]))
            return true;
    }
    return false;
}

static void forget_objects(struct candidate *candidate)
{
    compiled_free(candidate->old);
    compiled_free(candidate->edited);
    baseline_free(candidate->baseline);
    candidate->old = candidate->edited = NULL;
    candidate->baseline = NULL;
    candidate->chosen = false;
}

/* Forget unedited objects of the cache that may be out of date. Return whether there are any. */
static bool forget_doubtful(struct build_run *run)
{
    bool doubtful = false;

    for (size_t i = 0; i < run->affected_count; i++)
        for (size_t j = 0; j < run->affected[i]->candidate_count; j++)
            if (reads_more(run, &run->affected[i]->candidates[j])) {
                forget_objects(&run->affected[i]->candidates[j]);
                doubtful = true;
            }
    return doubtful;
}

/* ---- other programs ---- */

static bool defines_main(const struct compiled *compiled)
{
    for (size_t i = 1; compiled && i < compiled->object->symbol_count; i++) {
        const struct rel_symbol *symbol = &compiled->object->symbols[i];

        if (rel_symbol_placed(symbol) && symbol->binding == STB_GLOBAL &&
            strcmp(symbol->name, "main") == 0)
            return true;
    }
    return false;
}

/* Return whether main() leaves a source that the edit changes or removes: a new source may be its new place. */
static bool main_moves(const struct build_run *run)
{
    for (size_t i = 0; i < run->step_count; i++)
        if (run->steps[i].file->old_text && !run->steps[i].file->new_text)
            return true;
    for (size_t i = 0; i < run->affected_count; i++)
        for (size_t j = 0; j < run->affected[i]->candidate_count; j++) {
            const struct candidate *candidate = &run->affected[i]->candidates[j];

            if (candidate->edited && defines_main(candidate->old) &&
                !defines_main(candidate->edited))
                return true;
        }
    return false;
}

/* A new source with a main() of its own is of another program, such as a test of a fix. */
static void leave_other_programs(struct build_run *run)
{
    bool moves = main_moves(run);

    for (size_t i = 0; i < run->affected_count && !moves; i++) {
        struct unit *unit = run->affected[i];
        const struct candidate *chosen = unit->added ? first_chosen(unit) : NULL;

        if (!chosen || !defines_main(chosen->edited))
            continue;
        unit->stranger = true;
        build_note(run, "%s is ignored: it is a program of its own", unit->file);
    }
}

int build_objects(struct build_run *run, struct refusal *why)
{
    int result = make_objects(run, why);

    if (result == 0 && forget_doubtful(run)) {
        run->build->place.no_cache = true;
        result = make_objects(run, why);
    }
    if (result == 0)
        leave_other_programs(run);
    return result;
}
