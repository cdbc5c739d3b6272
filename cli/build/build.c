/* build.c - see build.h. */
#include "cli/build/build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base_name.h"
#include "cli/build/build_affected.h"
#include "cli/build/build_copies.h"
#include "cli/build/build_explain.h"
#include "cli/build/build_grammars.h"
#include "cli/build/build_objects.h"
#include "cli/build/build_steps.h"
#include "cli/build/build_untouched.h"
#include "cli/build/file_bytes.h"
#include "cli/build/object_cache.h"
#include "cli/build/paths.h"
#include "cli/build/selection.h"
#include "cli/build/thin_write.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "resolve/baseline.h"

/* ------------------------------------------------------------- opening --- */

static void add_root(struct workplace *place, const char *path)
{
    char *real = path_real(path);

    if (!word_list_has(&place->roots, path))
        words_add(&place->roots, path);
    if (!word_list_has(&place->roots, real))
        words_add(&place->roots, real);
    free(real);
}

/* Return whether a directory is so near the root that it is nobody's project: "/", "/home". */
static bool is_near_root(const char *path)
{
    const char *slash = strchr(path + 1, '/');

    return !slash || !slash[1];
}

static bool is_in_project(const struct build *build, const char *path)
{
    for (size_t i = 0; i < build->place.roots.count; i++)
        if (path_is_below(path, build->place.roots.list[i]))
            return true;
    return false;
}

/* The project: source and build directory, and what is above all sources. */
static void find_roots(struct build *build, const char *build_dir)
{
    char *common = format_text("%s", build->source_dir);

    add_root(&build->place, build->source_dir);
    if (build_dir)
        add_root(&build->place, build_dir);
    for (size_t i = 0; i < build->units.count; i++) {
        char *next = path_common(common, build->units.list[i].file);

        free(common);
        common = next;
    }
    if (!is_near_root(common))
        add_root(&build->place, common);
    free(common);
    /* Sources that lie apart from the working directory. */
    for (size_t i = 0; i < build->units.count; i++) {
        char *directory = path_directory(build->units.list[i].file);

        if (!is_near_root(directory) && !is_in_project(build, directory))
            add_root(&build->place, directory);
        free(directory);
    }
}

static int read_commands(struct build *build, const char *build_dir,
                         struct compile_commands *commands, struct refusal *why)
{
    char *checked, *text;
    size_t size;
    int result;

    build->commands_path = format_text("%s/compile_commands.json", build_dir);
    if (access(build->commands_path, F_OK) != 0 && errno == ENOENT)
        return refuse(why, HP_COMMANDS,
                      "%s has no compile_commands.json: name the directory that has it with "
                      "--build-dir, or the compiler with --cc 'gcc FLAGS' and the files",
                      build_dir);
    checked = owner_check_file(&build->place.owner, build->commands_path, why);
    if (!checked)
        return -1;
    result = file_bytes_read(checked, &text, &size, &build->commands_facts);
    free(checked);
    if (result != 0)
        return refuse(why, HP_COMMANDS, "open %s: %s", build->commands_path, strerror(errno));
    result = compile_commands_read(commands, text, build->commands_path, build_dir, why);
    free(text);
    return result;
}

/* Return the directory that names on the command line begin in. */
static char *working_directory(void)
{
    char *here = getcwd(NULL, 0);

    return here ? here : format_text("/");
}

static int open_units(struct build *build, const char *here, struct refusal *why)
{
    const struct build_options *options = &build->options;
    char *build_dir = options->build_dir ? path_absolute(here, options->build_dir) : NULL;
    char *first = build_dir || !options->file_count ? NULL : path_absolute(here, options->files[0]);
    char *owned = first ? path_directory(first) : NULL;
    struct compile_commands commands = {0};
    int result = owner_of_build(build_dir ? build_dir
                                : owned   ? owned
                                          : here,
                                &build->place.owner, why);

    build->source_dir = options->source_dir ? path_absolute(here, options->source_dir)
                                            : format_text("%s", build_dir ? build_dir : here);
    if (result == 0) {
        owner_enter(&build->place.owner);
        result = build_dir ? read_commands(build, build_dir, &commands, why)
                           : compile_commands_add(&commands, options->compiler, options->files,
                                                  options->file_count, here, why);
        if (result == 0)
            result = units_make(&build->units, &commands, why);
        if (result == 0)
            find_roots(build, build_dir);
        owner_leave(&build->place.owner);
    }
    compile_commands_free(&commands);
    free(build_dir);
    free(first);
    free(owned);
    return result;
}

int build_open(struct build **out, const struct build_options *options, struct refusal *why)
{
    struct build *build = allocate(sizeof(*build));
    char *here = working_directory();
    int result;

    build->options = *options;
    result = target_open(&build->target, options->target, options->debug, why);
    if (result == 0)
        result = open_units(build, here, why);
    if (result == 0) {
        target_mark_strangers(&build->target, &build->units);
        result = scratch_make(&build->scratch, &build->place.owner, why);
    }
    build->place.scratch = build->scratch.path;
    build->place.group = build->scratch.sweeper;
    free(here);
    if (result != 0) {
        build_close(build);
        build = NULL;
    }
    *out = build;
    return result;
}

void build_close(struct build *build)
{
    if (!build)
        return;
    if (build->place.stored) {
        owner_enter(&build->place.owner);
        object_cache_trim(&build->place.owner);
        owner_leave(&build->place.owner);
    }
    scratch_remove(&build->scratch, &build->place.owner);
    units_free(&build->units);
    words_free(&build->place.roots);
    target_close(&build->target);
    free(build->source_dir);
    free(build->commands_path);
    free(build);
}

bool build_stale(const struct build *build)
{
    struct stat facts;

    if (target_changed(&build->target))
        return true;
    if (!build->commands_path)
        return false;
    return stat(build->commands_path, &facts) != 0 ||
           facts.st_ino != build->commands_facts.st_ino ||
           facts.st_size != build->commands_facts.st_size ||
           facts.st_mtim.tv_sec != build->commands_facts.st_mtim.tv_sec ||
           facts.st_mtim.tv_nsec != build->commands_facts.st_mtim.tv_nsec;
}

/* ------------------------------------------------------------- sources --- */

/* Note what the edited units read now, too. */
static void list_files(const struct build *build, const struct unit *unit, struct word_list *list)
{
    for (size_t i = 0; i < unit->files.count; i++)
        if (is_in_project(build, unit->files.list[i]) && !word_list_has(list, unit->files.list[i]))
            words_add(list, unit->files.list[i]);
    for (size_t i = 0; i < unit->candidate_count; i++) {
        const struct compiled *edited = unit->candidates[i].edited;

        for (size_t j = 0; edited && j < edited->files.count; j++)
            if (is_in_project(build, edited->files.list[j]) &&
                !word_list_has(list, edited->files.list[j]))
                words_add(list, edited->files.list[j]);
    }
}

int build_sources(struct build *build, bool headers, void (*each)(const char *path, void *context),
                  void *context, struct refusal *why)
{
    struct unit **units = allocate(build->units.count * sizeof(struct unit *));
    struct word_list list = {0};
    size_t count = 0;
    int result = 0;

    for (size_t i = 0; i < build->units.count; i++)
        if (!build->units.list[i].stranger)
            units[count++] = &build->units.list[i];
    for (size_t i = 0; i < count; i++)
        if (!word_list_has(&list, units[i]->real))
            words_add(&list, units[i]->real);
    if (headers) {
        owner_enter(&build->place.owner);
        result = build_learn_files(build, NULL, units, count, why);
        owner_leave(&build->place.owner);
        for (size_t i = 0; i < count; i++)
            list_files(build, units[i], &list);
    }
    for (size_t i = 0; i < list.count && result == 0; i++)
        each(list.list[i], context);
    if (result == 0)
        build_each_grammar(build, each, context);
    words_free(&list);
    free(units);
    return result;
}

void build_other_sources(const struct build *build, void (*each)(const char *path, void *context),
                         void *context)
{
    for (size_t i = 0; i < build->units.count; i++)
        if (build->units.list[i].stranger)
            each(build->units.list[i].real, context);
}

/* ------------------------------------------------------------- results --- */

void build_result_free(struct build_result *result)
{
    for (size_t i = 0; i < result->function_count; i++) {
        free(result->functions[i].name);
        free(result->functions[i].source);
        free(result->functions[i].why);
    }
    for (size_t i = 0; i < result->note_count; i++)
        free(result->notes[i]);
    free(result->functions);
    free(result->notes);
    free(result->compiler_words);
    memset(result, 0, sizeof(*result));
}

static void take_selection(struct build_run *run, const struct selection *selection)
{
    struct build_result *result = run->result;

    result->functions = allocate(selection->function_count * sizeof(*result->functions));
    for (size_t i = 0; i < selection->function_count; i++) {
        const struct selected_function *from = &selection->functions[i];

        result->functions[i] = (struct build_function){
            .name = format_text("%s", from->name),
            .source = format_text("%s", from->source ? from->source : ""),
            .line = from->line,
            .why = format_text("%s", from->why ? from->why : ""),
            .replaces = from->replaces,
        };
    }
    result->function_count = selection->function_count;
    for (size_t i = 0; i < selection->note_count; i++)
        build_note(run, "%s", selection->notes[i]);
}

/* ------------------------------------------------------------ one edit --- */

/* Return whether an edited source reads the file, which its unedited one does not. */
static bool reads_now(const struct build_run *run, const char *real)
{
    for (size_t i = 0; i < run->affected_count; i++)
        if (unit_edited_reads(run->affected[i], real))
            return true;
    return false;
}

/* Note in one line which files no unit of the target reads. */
static void note_unused(struct build_run *run)
{
    char *list = format_text("%s", "");
    size_t count = 0;

    for (size_t i = 0; i < run->step_count; i++) {
        const char *path = run->steps[i].file->path;
        char *longer;

        if (run->steps[i].used || run->steps[i].same || reads_now(run, run->steps[i].real))
            continue;
        if (path_is_below(path, run->build->source_dir) && strcmp(path, run->build->source_dir))
            path += strlen(run->build->source_dir) + 1;
        longer = format_text("%s%s%s", list, count ? ", " : "", path);
        free(list);
        list = longer;
        count++;
    }
    if (count)
        build_note(run, "%s is not compiled from %s: ignored", base_name(run->build->target.name),
                   list);
    free(list);
}

/* Note the sources that the edit removes. Return whether there are any of the target. */
static bool note_removed(struct build_run *run)
{
    bool any = false;

    for (size_t i = 0; i < run->affected_count; i++) {
        const struct unit *unit = run->affected[i];

        if (unit->stranger || !build_removes(run, unit))
            continue;
        build_note(run, "%s is removed: what it defines stays in the program", unit->file);
        any = true;
    }
    return any;
}

/* Make the pairs of the chosen candidates. A source that the edit removes has none. */
static struct unit_pair *make_pairs(struct build_run *run, size_t *count)
{
    struct unit_pair *pairs = NULL;

    *count = 0;
    for (size_t i = 0; i < run->affected_count; i++) {
        const struct unit *unit = run->affected[i];

        for (size_t j = 0;
             j < unit->candidate_count && !unit->stranger && !build_removes(run, unit); j++) {
            const struct candidate *candidate = &unit->candidates[j];
            const struct compiled *old = candidate->old, *edited = candidate->edited;

            if (!candidate->chosen || (!edited && *candidate->edited_key))
                continue;
            edited = edited ? edited : old;
            pairs = reallocate(pairs, (*count + 1) * sizeof(*pairs));
            pairs[(*count)++] = (struct unit_pair){
                .source = candidate->line.source,
                .old_object = old ? old->object : NULL,
                .new_object = edited->object,
                .baseline = candidate->baseline,
                .old_dwarf = old ? old->dwarf : NULL,
                .new_dwarf = edited->dwarf,
            };
        }
    }
    return pairs;
}

static int write_output(struct build_run *run, const struct selection *selection,
                        const struct build_output *output, struct refusal *why)
{
    const struct thin_meta meta = {
        .name = output->name,
        .version = output->version ? output->version : "1",
        .target_path = run->build->target.name,
        .build_id = binary_build_id(run->build->target.binary),
    };
    double begin = precise_ms();
    int result = thin_write(output->path, selection, &meta, why);

    run->result->times.write = precise_ms() - begin;
    return result;
}

static size_t count_other_constants(const struct baseline *baseline)
{
    size_t count = 0;

    for (size_t i = 0; baseline && i < baseline->function_count; i++)
        count += baseline->functions[i].verdict == BASELINE_CONTENT;
    return count;
}

static int select_pairs(struct build_run *run, struct selection **selection, struct refusal *why)
{
    const struct selection_options options = {.force_types = run->build->options.force_types,
                                              .target = run->build->target.name};
    double begin = precise_ms();
    size_t count;
    struct unit_pair *pairs = make_pairs(run, &count);
    int result;

    run->result->unit_count = count + untouched_count(run);
    run->result->other_constants = 0;
    for (size_t i = 0; i < count; i++)
        run->result->other_constants += count_other_constants(pairs[i].baseline);
    if (!count && run->removes)
        result =
            refuse(why, HP_UNCHANGED, "the edit changes no machine code: it only removes sources");
    else if (!count)
        result = refuse(why, HP_SOURCE, "no file of the edit is a source of %s",
                        run->build->target.name);
    else
        result = selection_make(selection, pairs, count, run->build->target.binary, &options, why);
    if (result == 0 && run->build->options.explain)
        build_explain(run, pairs, *selection);
    run->result->times.select += precise_ms() - begin;
    free(pairs);
    return result;
}

/* Select without the units that are untouched. Return 1 if that is not the whole answer, with `*selection` NULL. */
static int select_touched(struct build_run *run, struct selection **selection)
{
    struct refusal why = {0};
    int result = select_pairs(run, selection, &why);

    refusal_clear(&why);
    if (result == 0 && !untouched_doubtful(run, *selection))
        return 0;
    if (result == 0)
        selection_free(*selection);
    *selection = NULL;
    return 1;
}

static int compile_untouched(struct build_run *run, struct refusal *why)
{
    int result;

    untouched_forget(run);
    owner_enter(&run->build->place.owner);
    result = build_objects(run, why);
    owner_leave(&run->build->place.owner);
    return result;
}

static int select_edit(struct build_run *run, struct selection **selection, struct refusal *why)
{
    if (untouched_count(run)) {
        if (select_touched(run, selection) == 0)
            return 0;
        if (compile_untouched(run, why) != 0)
            return -1;
    }
    return select_pairs(run, selection, why);
}

static int select_and_write(struct build_run *run, const struct build_output *output,
                            struct refusal *why)
{
    struct selection *selection = NULL;
    int result;

    run->removes = note_removed(run);
    result = select_edit(run, &selection, why);
    if (result == 0) {
        take_selection(run, selection);
        result = write_output(run, selection, output, why);
    }
    selection_free(selection);
    return result;
}

static void add_steps(struct build_run *run, const struct edit_list *list)
{
    run->steps = reallocate(run->steps, (run->step_count + list->count) * sizeof(*run->steps));
    for (size_t i = 0; i < list->count; i++)
        build_take_step(run, &list->files[i]);
}

/* Make steps of the sources that change with grammars. */
static int take_grammars(struct build_run *run, struct refusal *why)
{
    if (build_edit_grammars(run, &run->generated, why) != 0)
        return -1;
    add_steps(run, &run->generated);
    return 0;
}

/* Find the units that the edit changes, and those that have copies of edited files. */
static int find_affected(struct build_run *run, struct refusal *why)
{
    if (build_find_affected(run, why) != 0 || build_edit_copies(run, &run->copies, why) != 0)
        return -1;
    if (!run->copies.count)
        return 0;
    add_steps(run, &run->copies);
    return build_find_affected(run, why);
}

static int compile_edit(struct build_run *run, struct refusal *why)
{
    if (take_grammars(run, why) != 0)
        return -1;
    if (run->has_old_view && build_make_old_view(run, why) != 0)
        return -1;
    if (find_affected(run, why) != 0 || build_check_commands(run, why) != 0)
        return -1;
    if (build_make_view(run, &run->new_view, true, why) != 0 || build_objects(run, why) != 0)
        return -1;
    note_unused(run);
    return 0;
}

int build_patch(struct build *build, const struct edit *edit, const struct build_output *output,
                struct build_result *result, struct refusal *why)
{
    struct build_run run = {.build = build, .result = result};
    int outcome;

    memset(result, 0, sizeof(*result));
    owner_enter(&build->place.owner);
    build_begin_edit(&run, edit);
    outcome = compile_edit(&run, why);
    owner_leave(&build->place.owner);
    if (outcome == 0)
        outcome = select_and_write(&run, output, why);
    owner_enter(&build->place.owner);
    build_end_edit(&run);
    owner_leave(&build->place.owner);
    return outcome;
}
