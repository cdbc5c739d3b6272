/*
 * watch_binaries.c - see watch_binaries.h.
 *
 * A file is known by device and inode: a program that was linked again has a new inode, while old processes still run
 * the old file, which /proc/PID/exe opens.
 */
#include "cli/verbs/watch_binaries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base_name.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"

/* Find out with whose rights sources are read. What is wrong there, build_open() refuses. */
static void find_sources_owner(const struct watch_options *watch_options, struct build_owner *owner)
{
    struct refusal ignored = {0};
    char *file = realpath(
        watch_options->build_dir ? watch_options->build_dir : watch_options->files[0], NULL);
    char *directory = file && !watch_options->build_dir ? path_directory(file) : NULL;

    owner_is_caller(owner);
    if (file && owner_of_build(directory ? directory : file, owner, &ignored) != 0)
        owner_is_caller(owner);
    refusal_clear(&ignored);
    free(directory);
    free(file);
}

int watch_binaries_begin(struct watch_binaries *binaries, const struct watch_options *watch_options,
                         struct refusal *why)
{
    struct build_owner owner, caller;

    *binaries = (struct watch_binaries){.options = watch_options};
    find_sources_owner(watch_options, &owner);
    binaries->sources = sources_new(&owner);
    owner_is_caller(&caller);
    if (scratch_make(&binaries->scratch, &caller, why) != 0)
        return -1;
    /* Processes of other users read the patches, and nothing else lies there. */
    if (chmod(binaries->scratch.path, 0755) == 0)
        return 0;
    return refuse(why, HP_OPEN, "chmod %s: %s", binaries->scratch.path, strerror(errno));
}

static void watched_binary_free(struct watch_binary *binary)
{
    build_close(binary->build);
    unedited_free(binary->unedited);
    if (binary->output)
        unlink(binary->output);
    if (binary->file >= 0)
        close(binary->file);
    free(binary->name);
    free(binary->path);
    free(binary->module);
    free(binary->output);
    free(binary);
}

void watch_binaries_end(struct watch_binaries *binaries)
{
    struct build_owner caller;

    for (size_t i = 0; i < binaries->count; i++)
        watched_binary_free(binaries->list[i]);
    free(binaries->list);
    sources_free(binaries->sources);
    owner_is_caller(&caller);
    if (binaries->scratch.path)
        scratch_remove(&binaries->scratch, &caller);
    *binaries = (struct watch_binaries){0};
}

/* ---- one binary ---- */

struct source_sink {
    struct watch_binaries *binaries;
    struct watch_binary *binary;
};

static void keep_source(const char *path, void *context)
{
    const struct source_sink *sink = context;

    unedited_add(sink->binary->unedited, sink->binaries->sources,
                 sources_add(sink->binaries->sources, path));
}

int watch_binary_extend(struct watch_binaries *binaries, struct watch_binary *binary,
                        struct refusal *why)
{
    struct source_sink sink = {binaries, binary};

    return build_sources(binary->build, true, keep_source, &sink, why);
}

static struct build *watched_build(const struct watch_binaries *binaries, const char *file,
                                   struct refusal *why)
{
    const struct watch_options *watch_options = binaries->options;
    const struct build_options build_options = {
        .target = file,
        .debug = watch_options->debug,
        .build_dir = watch_options->build_dir,
        .source_dir = watch_options->source_dir,
        .compiler = watch_options->compiler,
        .files = watch_options->files,
        .file_count = watch_options->file_count,
        .force_types = watch_options->force_types,
    };
    struct build *build = NULL;

    return build_open(&build, &build_options, why) == 0 ? build : NULL;
}

static void count_source(const char *path, void *context)
{
    (void)path;
    ++*(size_t *)context;
}

/* Return the build of the file, if it was built from the sources. */
static struct build *watched_build_of_sources(const struct watch_binaries *binaries,
                                              const char *file, const char *name,
                                              struct refusal *why)
{
    struct build *build = watched_build(binaries, file, why);
    size_t count = 0;

    if (build && build_sources(build, false, count_source, &count, why) == 0 && count > 0)
        return build;
    if (why->count == 0)
        refuse(why, HP_SOURCE, "%s was not built from the sources of %s", name,
               binaries->options->build_dir ? binaries->options->build_dir : "--cc");
    build_close(build);
    return NULL;
}

/* Return a name that two binaries do not share. */
static char *module_name(const struct watch_binaries *binaries, const struct watch_binary *binary)
{
    char *name = binary->is_program ? format_text("watch") : format_text("watch-%s", binary->name);

    for (char *p = name; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == '/')
            *p = '_';
    (void)binaries;
    return name;
}

static void watched_begin(struct watch_binaries *binaries, struct watch_binary *binary,
                          struct refusal *why)
{
    binary->module = module_name(binaries, binary);
    binary->output =
        format_text("%s/%zu-%s.hpo", binaries->scratch.path, binaries->count, binary->module);
    binary->unedited = unedited_new();
    if (watch_binary_extend(binaries, binary, why) == 0)
        return;
    build_close(binary->build);
    binary->build = NULL;
}

/* Return the path by which the command opens the binary's file, malloc'd. */
static char *watched_file(const struct watch_binary *binary)
{
    return format_text("/proc/self/fd/%d", binary->file);
}

struct path_search {
    const char *path;
    bool found;
};

static void compare_path(const char *path, void *context)
{
    struct path_search *search = context;

    search->found |= strcmp(path, search->path) == 0;
}

struct new_sources {
    struct watch_binaries *binaries;
    struct watch_binary *binary;
};

/* A source that the old compile commands did not have is new. One that they had is of another program. */
static void add_if_new(const char *path, void *context)
{
    const struct new_sources *new = context;
    struct path_search search = {path, false};
    struct refusal ignored = {0};

    build_other_sources(new->binary->build, compare_path, &search);
    build_sources(new->binary->build, false, compare_path, &search, &ignored);
    refusal_clear(&ignored);
    if (!search.found)
        unedited_add_new(new->binary->unedited, new->binaries->sources,
                         sources_add(new->binaries->sources, path));
}

static void add_new_sources_of(struct watch_binaries *binaries, struct watch_binary *binary,
                               const struct build *build)
{
    struct new_sources new = {binaries, binary};

    build_other_sources(build, add_if_new, &new);
}

int watch_binary_reopen(struct watch_binaries *binaries, struct watch_binary *binary,
                        struct refusal *why)
{
    char *file = watched_file(binary);
    struct build *build = watched_build_of_sources(binaries, file, binary->name, why);

    free(file);
    if (!build)
        return -1;
    add_new_sources_of(binaries, binary, build);
    build_close(binary->build);
    binary->build = build;
    binary->stale = true;
    return watch_binary_extend(binaries, binary, why);
}

void watch_binaries_stale(struct watch_binaries *binaries)
{
    for (size_t i = 0; i < binaries->count; i++)
        binaries->list[i]->stale = true;
}

bool watch_binaries_lack(const struct watch_binaries *binaries)
{
    size_t count = 0;

    for (size_t i = 0; i < binaries->count && !count; i++)
        if (binaries->list[i]->build)
            build_other_sources(binaries->list[i]->build, count_source, &count);
    return count > 0;
}

/* ---- a file that was built again ---- */

/* Compare one side of the edit with the binary, by an edit of equal texts. Return how many functions have other
 * constants; SIZE_MAX where the code is another. */
static size_t distance_from(const struct watch_binaries *binaries,
                            const struct watch_binary *binary, const struct edit_file *files,
                            size_t count, bool old, struct refusal *why)
{
    struct edit_file *same = allocate((count + 1) * sizeof(*same));
    char *path = format_text("%s/compared", binaries->scratch.path);
    const struct edit edit = {.files = same, .file_count = count};
    const struct build_output output = {.path = path, .name = binary->module};
    struct build_result result = {0};
    bool built;

    for (size_t i = 0; i < count; i++) {
        const struct edit_file *file = &files[i];

        same[i] = *file;
        same[i].old_text = same[i].new_text = old ? file->old_text : file->new_text;
        same[i].old_size = same[i].new_size = old ? file->old_size : file->new_size;
    }
    refusal_clear(why);
    built = build_patch(binary->build, &edit, &output, &result, why) == 0 ||
            why->items[0].code == HP_UNCHANGED;
    unlink(path);
    count = built ? result.other_constants : SIZE_MAX;
    build_result_free(&result);
    free(path);
    free(same);
    return count;
}

int watch_binary_date(struct watch_binaries *binaries, struct watch_binary *binary,
                      struct refusal *why)
{
    size_t count, present = 0, older = SIZE_MAX;
    struct edit_file *files =
        unedited_compare(binary->before->unedited, binary->unedited, binaries->sources, &count);

    if (count)
        present = distance_from(binaries, binary, files, count, false, why);
    if (present)
        older = distance_from(binaries, binary, files, count, true, why);
    free(files);
    if (present == SIZE_MAX && older == SIZE_MAX)
        return -1;
    if (older < present) {
        unedited_free(binary->unedited);
        binary->unedited = unedited_copy(binary->before->unedited);
    }
    refusal_clear(why);
    binary->before = NULL;
    return 0;
}

/* ---- objects of processes ---- */

/* Return the newest binary of the path, if it was built from the sources. */
static struct watch_binary *watched_of_path(const struct watch_binaries *binaries, const char *path)
{
    for (size_t i = binaries->count; i-- > 0;)
        if (binaries->list[i]->build && strcmp(binaries->list[i]->path, path) == 0)
            return binaries->list[i];
    return NULL;
}

static struct watch_binary *watched_known(const struct watch_binaries *binaries,
                                          const struct stat *st)
{
    for (size_t i = 0; i < binaries->count; i++)
        if (binaries->list[i]->device == st->st_dev && binaries->list[i]->inode == st->st_ino)
            return binaries->list[i];
    return NULL;
}

static struct watch_binary *watched_new(struct watch_binaries *binaries,
                                        const struct mapped_object *object, int fd,
                                        const struct stat *st, struct refusal *why)
{
    struct watch_binary *binary = allocate(sizeof(*binary));
    char *file;

    binary->file = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    file = watched_file(binary);
    binary->name = format_text("%s", base_name(object->path));
    binary->path = format_text("%s", object->path);
    binary->stale = true;
    binary->before = watched_of_path(binaries, object->path);
    binary->is_program = object->is_program;
    binary->device = st->st_dev;
    binary->inode = st->st_ino;
    binary->build = watched_build_of_sources(binaries, file, binary->name, why);
    if (binary->build)
        watched_begin(binaries, binary, why);
    free(file);
    binaries->list = reallocate(binaries->list, (binaries->count + 1) * sizeof(*binaries->list));
    return binaries->list[binaries->count++] = binary;
}

struct watch_binary *watch_binaries_find(struct watch_binaries *binaries,
                                         const struct process *process,
                                         const struct mapped_object *object, bool *opened,
                                         struct refusal *why)
{
    int fd = mapped_open(process, object);
    struct watch_binary *binary = NULL;
    struct stat st;

    *opened = false;
    if (fd >= 0 && fstat(fd, &st) == 0) {
        /* A library that was built again is another file than the mapped one. */
        if (object->is_program || object->inode == st.st_ino) {
            binary = watched_known(binaries, &st);
            *opened = !binary;
            if (!binary)
                binary = watched_new(binaries, object, fd, &st, why);
        }
    } else if (object->is_program) {
        refuse(why, HP_OPEN, "open %s: %s", object->path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    return binary && binary->build ? binary : NULL;
}
