/* lookup_objects.c - see lookup_objects.h. */
#include "cli/debug/lookup_objects.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/process/mapped.h"

struct lookup *lookup_open(const char *const *debug_paths, size_t count, struct refusal *why)
{
    struct lookup *lookup = allocate(sizeof(*lookup));

    *lookup = (struct lookup){0};
    if (debug_files_open(&lookup->given, debug_paths, count, why) == 0)
        return lookup;
    lookup_close(lookup);
    return NULL;
}

void lookup_close(struct lookup *lookup)
{
    if (!lookup)
        return;
    for (size_t i = 0; i < lookup->object_count; i++) {
        debug_info_close(lookup->objects[i]->info);
        self_calls_close(lookup->objects[i]->self_calls);
        free(lookup->objects[i]->path);
        free(lookup->objects[i]);
    }
    free(lookup->objects);
    free(lookup->mapped);
    debug_files_free(&lookup->given);
    free(lookup);
}

/* ---------------------------------------------------------------- objects --- */

static void note_given(struct lookup *lookup, const struct lookup_object *object)
{
    for (size_t i = 0; object->info && i < lookup->given.count; i++)
        if (strcmp(lookup->given.list[i].build_id, debug_info_build_id(object->info)) == 0)
            lookup->given.list[i].wanted = true;
}

static struct lookup_object *object_known(const struct lookup *lookup, const char *path,
                                          uint64_t device, uint64_t inode)
{
    for (size_t i = 0; i < lookup->object_count; i++)
        if (lookup->objects[i]->device == device && lookup->objects[i]->inode == inode &&
            strcmp(lookup->objects[i]->path, path) == 0)
            return lookup->objects[i];
    return NULL;
}

/* Takes over `file`. */
static struct lookup_object *lookup_object_new(struct lookup *lookup, const char *path, int file,
                                               int root)
{
    struct lookup_object *object = allocate(sizeof(*object));

    *object = (struct lookup_object){.path = format_text("%s", path)};
    if (file >= 0) {
        object->info = debug_info_open(path, file, root, &lookup->given);
        close(file);
    }
    lookup->objects =
        reallocate(lookup->objects, (lookup->object_count + 1) * sizeof(struct lookup_object *));
    lookup->objects[lookup->object_count++] = object;
    note_given(lookup, object);
    return object;
}

static void map(struct lookup *lookup, struct lookup_object *object)
{
    lookup->mapped =
        reallocate(lookup->mapped, (lookup->mapped_count + 1) * sizeof(struct lookup_object *));
    lookup->mapped[lookup->mapped_count++] = object;
}

static bool is_mapped_now(const struct lookup *lookup, const struct mapped *mapped)
{
    if (mapped->count == 0 || mapped->count != lookup->mapped_count ||
        mapped->list[0].is_program != lookup->has_program)
        return false;
    for (size_t i = 0; i < mapped->count; i++) {
        const struct mapped_object *at = &mapped->list[i];

        if (object_known(lookup, at->path, at->device, at->inode) != lookup->mapped[i])
            return false;
    }
    return true;
}

static void map_all(struct lookup *lookup, const struct process *process,
                    const struct mapped *mapped)
{
    int root = mapped_root(process);

    lookup->mapped_count = 0;
    lookup->has_program = mapped->count && mapped->list[0].is_program;
    for (size_t i = 0; i < mapped->count; i++) {
        const struct mapped_object *at = &mapped->list[i];
        struct lookup_object *object = object_known(lookup, at->path, at->device, at->inode);

        if (!object) {
            object = lookup_object_new(lookup, at->path, mapped_open(process, at), root);
            object->device = at->device;
            object->inode = at->inode;
        }
        map(lookup, object);
    }
    if (root >= 0)
        close(root);
}

bool lookup_process(struct lookup *lookup, const struct process *process)
{
    struct mapped mapped;
    bool same;

    mapped_read(process, &mapped);
    same = is_mapped_now(lookup, &mapped);
    if (!same)
        map_all(lookup, process, &mapped);
    mapped_free(&mapped);
    return same;
}

void lookup_file(struct lookup *lookup, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;

    if (file >= 0 && (fstat(file, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(file);
        file = -1;
    }
    lookup->mapped_count = 0;
    lookup->has_program = true;
    map(lookup, lookup_object_new(lookup, path, file, -1));
}

int lookup_debug_files_fit(struct lookup *lookup, struct refusal *why)
{
    size_t before = why->count;

    for (size_t i = 0; i < lookup->given.count; i++)
        if (!lookup->given.list[i].wanted)
            refuse(why, HP_BUILD_ID, "%s is of build %s, and no object of the target is",
                   lookup->given.list[i].path, lookup->given.list[i].build_id);
    return why->count == before ? 0 : -1;
}
