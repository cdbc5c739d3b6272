/* mapped.c - see mapped.h.  */
#include "cli/process/mapped.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base_name.h"
#include "base/machine.h"
#include "cli/output/output.h"
#include "cli/process/open_resolved.h"
#include "cli/process/proc_maps.h"

#define SHA256_DIGITS 64

static bool mapped_has(const struct mapped *mapped, const struct mapped_object *object)
{
    for (size_t i = 0; i < mapped->count; i++)
        if (mapped->list[i].device == object->device && mapped->list[i].inode == object->inode &&
            strcmp(mapped->list[i].path, object->path) == 0)
            return true;
    return false;
}

/* Return whether the object is never patched: hotpatch's own libraries, ld.so, and private copies of patches. */
static bool is_own(const char *path)
{
    const char *base = base_name(path);

    return strncmp(base, "libhotpatch_", 12) == 0 ||
           strncmp(base, machine_linker_stem, strlen(machine_linker_stem)) == 0 ||
           strncmp(path, "/memfd:", 7) == 0 ||
           (strspn(base, "0123456789abcdef") == SHA256_DIGITS && base[SHA256_DIGITS] == '-');
}

static void mapped_add(struct mapped *mapped, const struct mapped_object *object)
{
    size_t at = object->is_program ? 0 : mapped->count;

    mapped->list = reallocate(mapped->list, (mapped->count + 1) * sizeof(*mapped->list));
    memmove(mapped->list + at + 1, mapped->list + at, (mapped->count - at) * sizeof(*mapped->list));
    mapped->list[at] = *object;
    mapped->list[at].path = format_text("%s", object->path);
    mapped->count++;
}

static void mapped_take(struct mapped *mapped, const struct process *process,
                        const struct proc_map *map)
{
    const struct mapped_object object = {
        .path = map->path,
        .is_program = process->exe && strcmp(process->exe, map->path) == 0,
        .device = map->device,
        .inode = map->inode,
    };

    if (map->executable && *map->path == '/' && !is_own(map->path) && !mapped_has(mapped, &object))
        mapped_add(mapped, &object);
}

void mapped_read(const struct process *process, struct mapped *mapped)
{
    char *text = process_file(process->view, 0, "maps", NULL), *rest = text;
    struct proc_map map;

    *mapped = (struct mapped){0};
    while (proc_map_next(&rest, &map))
        mapped_take(mapped, process, &map);
    free(text);
}

void mapped_free(struct mapped *mapped)
{
    for (size_t i = 0; i < mapped->count; i++)
        free(mapped->list[i].path);
    free(mapped->list);
    *mapped = (struct mapped){0};
}

int mapped_root(const struct process *process)
{
    return process_file_open(process->view, "root", O_PATH | O_DIRECTORY);
}

/* Open `path` in the process's root. A link in the path does not lead out of it. */
static int open_in_root(const struct process *process, const char *path)
{
    int root = mapped_root(process), file;

    if (root < 0)
        return -1;
    file = open_resolved(root, path, O_NONBLOCK, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
    close(root);
    return file;
}

int mapped_open(const struct process *process, const struct mapped_object *object)
{
    /* /proc/PID/exe is the program's own file, also where its name is another file's by now. */
    int file =
        object->is_program ? process_file_open(process->view, "exe", O_RDONLY | O_NONBLOCK) : -1;
    struct stat st;

    if (file < 0)
        file = open_in_root(process, object->path);
    if (file >= 0 && (fstat(file, &st) != 0 || !S_ISREG(st.st_mode))) {
        close(file);
        file = -1;
    }
    return file;
}
