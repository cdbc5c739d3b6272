/*
 * watch_images.c - see watch_images.h.
 *
 * A file is known by device and inode: a program that was linked again has a new inode, while old processes still run the old
 * file, which /proc/PID/exe opens.
 */
#include "cli/verbs/watch_images.h"

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
static void find_owner(const struct watch_options *watch_options, struct build_owner *owner)
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

int watch_images_begin(struct watch_images *images, const struct watch_options *watch_options,
                       struct refusal *why)
{
    struct build_owner owner, caller;

    *images = (struct watch_images){.options = watch_options};
    find_owner(watch_options, &owner);
    images->sources = sources_new(&owner);
    owner_is_caller(&caller);
    if (scratch_make(&images->scratch, &caller, why) != 0)
        return -1;
    /* Processes of other users read the patches, and nothing else lies there. */
    if (chmod(images->scratch.path, 0755) == 0)
        return 0;
    return refuse(why, HP_OPEN, "chmod %s: %s", images->scratch.path, strerror(errno));
}

static void image_free(struct watch_image *image)
{
    build_close(image->build);
    snapshot_free(image->snapshot);
    if (image->output)
        unlink(image->output);
    if (image->file >= 0)
        close(image->file);
    free(image->name);
    free(image->path);
    free(image->module);
    free(image->output);
    free(image);
}

void watch_images_end(struct watch_images *images)
{
    struct build_owner caller;

    for (size_t i = 0; i < images->count; i++)
        image_free(images->list[i]);
    free(images->list);
    sources_free(images->sources);
    owner_is_caller(&caller);
    if (images->scratch.path)
        scratch_remove(&images->scratch, &caller);
    *images = (struct watch_images){0};
}

/* ---- one image ---- */

struct source_sink {
    struct watch_images *images;
    struct watch_image *image;
};

static void keep_source(const char *path, void *context)
{
    const struct source_sink *sink = context;

    snapshot_add(sink->image->snapshot, sink->images->sources,
                 sources_add(sink->images->sources, path));
}

int watch_image_extend(struct watch_images *images, struct watch_image *image, struct refusal *why)
{
    struct source_sink sink = {images, image};

    return build_sources(image->build, true, keep_source, &sink, why);
}

static struct build *image_build(const struct watch_images *images, const char *file,
                                 struct refusal *why)
{
    const struct watch_options *watch_options = images->options;
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
static struct build *image_build_of_sources(const struct watch_images *images, const char *file,
                                            const char *name, struct refusal *why)
{
    struct build *build = image_build(images, file, why);
    size_t count = 0;

    if (build && build_sources(build, false, count_source, &count, why) == 0 && count > 0)
        return build;
    if (why->count == 0)
        refuse(why, HP_SOURCE, "%s was not built from the sources of %s", name,
               images->options->build_dir ? images->options->build_dir : "--cc");
    build_close(build);
    return NULL;
}

/* Return a name that two images do not share. */
static char *module_name(const struct watch_images *images, const struct watch_image *image)
{
    char *name = image->is_program ? format_text("watch") : format_text("watch-%s", image->name);

    for (char *p = name; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == '/')
            *p = '_';
    (void)images;
    return name;
}

static void image_begin(struct watch_images *images, struct watch_image *image, struct refusal *why)
{
    image->module = module_name(images, image);
    image->output =
        format_text("%s/%zu-%s.hpo", images->scratch.path, images->count, image->module);
    image->snapshot = snapshot_new();
    if (watch_image_extend(images, image, why) == 0)
        return;
    build_close(image->build);
    image->build = NULL;
}

/* Return the path by which the command opens the image's file, malloc'd. */
static char *image_file(const struct watch_image *image)
{
    return format_text("/proc/self/fd/%d", image->file);
}

int watch_image_reopen(struct watch_images *images, struct watch_image *image, struct refusal *why)
{
    char *file = image_file(image);
    struct build *build = image_build_of_sources(images, file, image->name, why);

    free(file);
    if (!build)
        return -1;
    build_close(image->build);
    image->build = build;
    image->stale = true;
    return watch_image_extend(images, image, why);
}

void watch_images_stale(struct watch_images *images)
{
    for (size_t i = 0; i < images->count; i++)
        images->list[i]->stale = true;
}

/* ---- a file that was built again ---- */

/* Compare one side of the edit with the binary, by an edit of equal texts. Return how many functions have other constants;
 * SIZE_MAX where the code is another. */
static size_t distance_from(const struct watch_images *images, const struct watch_image *image,
                            const struct edit_file *files, size_t count, bool old,
                            struct refusal *why)
{
    struct edit_file *same = allocate((count + 1) * sizeof(*same));
    char *path = format_text("%s/compared", images->scratch.path);
    const struct edit edit = {.files = same, .file_count = count};
    const struct build_output output = {.path = path, .name = image->module};
    struct build_result result = {0};
    bool built;

    for (size_t i = 0; i < count; i++) {
        const struct edit_file *file = &files[i];

        same[i] = *file;
        same[i].old_text = same[i].new_text = old ? file->old_text : file->new_text;
        same[i].old_size = same[i].new_size = old ? file->old_size : file->new_size;
    }
    refusal_clear(why);
    built = build_patch(image->build, &edit, &output, &result, why) == 0 ||
            why->items[0].code == HP_UNCHANGED;
    unlink(path);
    count = built ? result.other_constants : SIZE_MAX;
    build_result_free(&result);
    free(path);
    free(same);
    return count;
}

int watch_image_date(struct watch_images *images, struct watch_image *image, struct refusal *why)
{
    size_t count, present = 0, older = SIZE_MAX;
    struct edit_file *files =
        snapshot_compare(image->before->snapshot, image->snapshot, images->sources, &count);

    if (count)
        present = distance_from(images, image, files, count, false, why);
    if (present)
        older = distance_from(images, image, files, count, true, why);
    free(files);
    if (present == SIZE_MAX && older == SIZE_MAX)
        return -1;
    if (older < present) {
        snapshot_free(image->snapshot);
        image->snapshot = snapshot_copy(image->before->snapshot);
    }
    refusal_clear(why);
    image->before = NULL;
    return 0;
}

/* ---- objects of processes ---- */

/* Return the newest image of the path, if it was built from the sources. */
static struct watch_image *image_of_path(const struct watch_images *images, const char *path)
{
    for (size_t i = images->count; i-- > 0;)
        if (images->list[i]->build && strcmp(images->list[i]->path, path) == 0)
            return images->list[i];
    return NULL;
}

static struct watch_image *image_known(const struct watch_images *images, const struct stat *st)
{
    for (size_t i = 0; i < images->count; i++)
        if (images->list[i]->device == st->st_dev && images->list[i]->inode == st->st_ino)
            return images->list[i];
    return NULL;
}

static struct watch_image *image_new(struct watch_images *images,
                                     const struct mapped_object *object, int fd,
                                     const struct stat *st, struct refusal *why)
{
    struct watch_image *image = allocate(sizeof(*image));
    char *file;

    image->file = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    file = image_file(image);
    image->name = format_text("%s", base_name(object->path));
    image->path = format_text("%s", object->path);
    image->stale = true;
    image->before = image_of_path(images, object->path);
    image->is_program = object->is_program;
    image->device = st->st_dev;
    image->inode = st->st_ino;
    image->build = image_build_of_sources(images, file, image->name, why);
    if (image->build)
        image_begin(images, image, why);
    free(file);
    images->list = reallocate(images->list, (images->count + 1) * sizeof(*images->list));
    return images->list[images->count++] = image;
}

struct watch_image *watch_images_find(struct watch_images *images, const struct process *process,
                                      const struct mapped_object *object, bool *opened,
                                      struct refusal *why)
{
    int fd = mapped_open(process, object);
    struct watch_image *image = NULL;
    struct stat st;

    *opened = false;
    if (fd >= 0 && fstat(fd, &st) == 0) {
        /* A library that was built again is another file than the mapped one. */
        if (object->is_program || object->inode == st.st_ino) {
            image = image_known(images, &st);
            *opened = !image;
            if (!image)
                image = image_new(images, object, fd, &st, why);
        }
    } else if (object->is_program) {
        refuse(why, HP_OPEN, "open %s: %s", object->path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    return image && image->build ? image : NULL;
}
