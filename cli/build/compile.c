/* compile.c - see compile.h. */
#include "cli/build/compile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/build/compiler.h"
#include "cli/build/dependencies.h"
#include "cli/build/file_bytes.h"
#include "cli/build/hunk_names.h"
#include "cli/build/object_cache.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"

/* The files of one run in the scratch directory. */
struct run_files {
    char *object, *dependencies, *directory;
    char *cache; /* the entry of the object cache; NULL: none */
    struct hunk_names hunks;
};

static void free_files(struct run_files *files)
{
    unlink(files->object);
    unlink(files->dependencies);
    free(files->object);
    free(files->dependencies);
    free(files->directory);
    free(files->cache);
    hunk_names_end(&files->hunks);
}

/* Return the path of the cache's entry for an unedited source that is compiled in place. */
static char *cache_entry(const struct workplace *place, const struct compile_task *task)
{
    const struct command_places places = {.tree = "", .object = "object", .dependencies = "rule"};
    struct word_list words = {0};
    char *path;

    if (task->overlay || place->no_cache)
        return NULL;
    if (task->depends_only)
        command_line_compose_depends(task->line, &places, &words);
    else
        command_line_compose(task->line, &places, &words);
    path = object_cache_path(&place->owner, &words, task->line->directory);
    words_free(&words);
    return path;
}

/* Take the result from the cache. */
static bool take_cached(struct compile_task *task, const char *entry)
{
    struct cached_object object;
    struct refusal ignored = {0};

    if (!entry || !object_cache_take(entry, &object))
        return false;
    if (task->depends_only) {
        task->result = allocate(sizeof(*task->result));
    } else {
        task->result = compiled_take(object.bytes, object.size, task->file, &ignored);
        object.bytes = NULL;
    }
    if (task->result) {
        task->result->spelled = object.spelled;
        task->result->files = object.files;
        memset(&object.spelled, 0, sizeof(object.spelled));
        memset(&object.files, 0, sizeof(object.files));
        task->result->cached = true;
    }
    cached_object_free(&object);
    refusal_clear(&ignored);
    return task->result != NULL;
}

static void store_result(struct workplace *place, const struct compile_task *task,
                         const char *entry, struct timespec begun)
{
    const struct cached_object object = {.bytes = task->result->bytes,
                                         .size = task->result->size,
                                         .spelled = task->result->spelled,
                                         .files = task->result->files};

    object_cache_store(entry, &object, &place->roots, begun);
    place->stored = true;
}

static void prepare_job(struct workplace *place, const struct compile_task *task,
                        struct compile_job *job, struct run_files *files)
{
    const char *tree = task->overlay ? task->overlay->root : "";
    unsigned run = ++place->runs;
    struct command_places places = {
        .tree = tree,
        .roots = (const char *const *)place->roots.list,
        .root_count = place->roots.count,
    };

    files->object = format_text("%s/%u.o", place->scratch, run);
    files->dependencies = format_text("%s/%u.d", place->scratch, run);
    files->directory = format_text("%s%s", tree, task->line->directory);
    places.object = files->object;
    places.dependencies = files->dependencies;
    if (task->depends_only)
        command_line_compose_depends(task->line, &places, &job->words);
    else
        command_line_compose(task->line, &places, &job->words);
    hunk_names_begin(&files->hunks, task->line, task->overlay, task->plain, &job->words);
    job->directory = files->directory;
    job->output = format_text("%s/%u.txt", place->scratch, run);
}

/* Return whether only a file below the project can be one that is replaced. */
static bool may_be_replaced(const struct workplace *place, const struct compile_task *task,
                            const char *spelled)
{
    if (*spelled != '/' || (task->overlay && path_is_below(spelled, task->overlay->root)))
        return true;
    for (size_t i = 0; i < place->roots.count; i++)
        if (path_is_below(spelled, place->roots.list[i]))
            return true;
    return false;
}

/* Note the file, as it is named outside of the tree. */
static void take_file(const struct workplace *place, struct compile_task *task,
                      const struct run_files *run, const char *spelled)
{
    char *path, *real;

    words_add(&task->result->spelled,
              task->overlay ? overlay_outside(task->overlay, spelled) : spelled);
    if (!may_be_replaced(place, task, spelled)) {
        words_add(&task->result->files, spelled);
        return;
    }
    path = *spelled == '/' ? format_text("%s", spelled)
                           : format_text("%s/%s", run->directory, spelled);
    real = path_real(path);
    if (task->overlay && overlay_find(task->overlay, real))
        task->leaks = true;
    if (*spelled != '/' && !path_is_below(real, place->scratch) &&
        !may_be_replaced(place, task, real))
        task->result->escapes = true;
    words_add(&task->result->files, task->overlay ? overlay_outside(task->overlay, real) : real);
    free(path);
    free(real);
}

static void take_files(const struct workplace *place, struct compile_task *task,
                       const struct run_files *run)
{
    struct word_list spelled = {0};
    char *text;
    size_t size;

    if (file_bytes_read(run->dependencies, &text, &size, NULL) != 0)
        return;
    dependencies_read(&spelled, text);
    for (size_t i = 0; i < spelled.count; i++)
        take_file(place, task, run, spelled.list[i]);
    words_free(&spelled);
    free(text);
}

/* The tree's name is nothing that the user knows: take it out of the compiler's words. */
static char *without_tree(char *words, const char *tree)
{
    size_t length = strlen(tree);
    char *to = words;

    for (const char *from = words; length && *from;) {
        if (strncmp(from, tree, length) == 0 && from[length] == '/')
            from += length;
        *to++ = *from++;
    }
    if (length)
        *to = '\0';
    return words;
}

static void task_failed(struct compile_task *task, const struct compile_job *job)
{
    char *first;

    task->words = without_tree(compiler_words(job), task->overlay ? task->overlay->root : "");
    first = compiler_first_error(task->words);
    refuse(&task->why, HP_COMPILE, "%s%s: %s", task->file, task->overlay ? "" : " as it is",
           *first ? first : "the compiler failed without a word");
    free(first);
}

/* Open the object. Return NULL with the refusal, or with `plain` set: it has to be compiled without names of hunks. */
static struct compiled *open_result(struct compile_task *task, const struct run_files *run)
{
    struct compiled *compiled;
    char *bytes;
    size_t size;

    if (file_bytes_read(run->object, &bytes, &size, NULL) != 0) {
        refuse(&task->why, HP_COMPILE, "read the object of %s: %s", task->file, strerror(errno));
        return NULL;
    }
    if (!hunk_names_change(&run->hunks, &bytes, &size)) {
        free(bytes);
        task->plain = true;
        return NULL;
    }
    compiled = compiled_take(bytes, size, task->file, &task->why);
    if (!compiled || !hunk_names_leak(&run->hunks, compiled->object))
        return compiled;
    compiled_free(compiled);
    task->plain = true;
    return NULL;
}

static void end_task(struct workplace *place, struct compile_task *task,
                     const struct compile_job *job, const struct run_files *run,
                     struct timespec begun)
{
    if (!compiler_done(job))
        task_failed(task, job);
    else if (task->depends_only)
        task->result = allocate(sizeof(*task->result));
    else
        task->result = open_result(task, run);
    if (!task->result)
        return;
    take_files(place, task, run);
    if (run->cache)
        store_result(place, task, run->cache, begun);
}

/* Compile those again whose hunks cannot have names. */
static void compile_plain(struct workplace *place, struct compile_task **run, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (run[i]->plain && !run[i]->result && !run[i]->words && !run[i]->why.count)
            compile_tasks(place, run[i], 1);
}

void compile_tasks(struct workplace *place, struct compile_task *tasks, size_t count)
{
    struct compile_job *jobs = allocate(count * sizeof(*jobs));
    struct run_files *files = allocate(count * sizeof(*files));
    struct compile_task **run = allocate(count * sizeof(struct compile_task *));
    struct timespec begun;
    size_t runs = 0;

    clock_gettime(CLOCK_REALTIME, &begun);
    for (size_t i = 0; i < count; i++) {
        char *entry = cache_entry(place, &tasks[i]);

        if (take_cached(&tasks[i], entry)) {
            free(entry);
            continue;
        }
        prepare_job(place, &tasks[i], &jobs[runs], &files[runs]);
        files[runs].cache = entry;
        run[runs++] = &tasks[i];
    }
    compiler_run(jobs, runs, &place->owner, place->scratch, place->group);
    for (size_t i = 0; i < runs; i++) {
        end_task(place, run[i], &jobs[i], &files[i], begun);
        unlink(jobs[i].output);
        compiler_job_free(&jobs[i]);
        free_files(&files[i]);
    }
    compile_plain(place, run, runs);
    free(run);
    free(files);
    free(jobs);
}

void compile_tasks_free(struct compile_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        compiled_free(tasks[i].result);
        free(tasks[i].words);
        refusal_clear(&tasks[i].why);
    }
}
