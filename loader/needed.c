/*
 * needed.c - libraries that a patch needs and the process does not have: dlopen(3) would map them, too,
 * and obey their PT_GNU_STACK.
 *
 * Looked for as ld.so(8) does, but for $ORIGIN and /etc/ld.so.cache, in whose place the usual directories
 * are searched. What is not found is ld.so's to judge. Listener.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "object.h"
#include "protection.h"
#include "sys.h"

static const char usual[] = "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/usr/local/lib:"
                            "/usr/local/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib";

bool needed_is_present(const char *needed)
{
    for (struct object *o = objects_first(); o; o = o->next)
        if (!o->module && ((o->soname && strcmp(o->soname, needed) == 0) ||
                           strcmp(o->base, needed) == 0 || strcmp(o->path, needed) == 0))
            return true;
    return false;
}

/* The first of the directories of `list` that has the file: its descriptor, and its name in `path`. */
static int open_in(const char *list, const char *name, char path[PATH_MAX])
{
    while (list && *list) {
        size_t length = strcspn(list, ":");
        int fd = -ENOENT;

        if (list[0] == '/' && !memchr(list, '$', length) &&
            snprintf(path, PATH_MAX, "%.*s/%s", (int)length, list, name) < PATH_MAX)
            fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
        if (fd >= 0)
            return fd;
        list += length + (list[length] == ':');
    }
    return -ENOENT;
}

/* LD_LIBRARY_PATH as ld.so found it: the program may change its environment at any moment. NULL: none. */
static char *library_path(void)
{
    static const char key[] = "LD_LIBRARY_PATH=";
    int fd = sys_openat(AT_FDCWD, "/proc/thread-self/environ", O_RDONLY | O_CLOEXEC, 0);
    size_t room = 128 << 10, size = 0;
    char *bytes = fd >= 0 ? calloc(1, room + 1) : NULL, *found = NULL;
    ssize_t n;

    while (bytes && size < room && (n = sys_read(fd, bytes + size, room - size)) > 0)
        size += (size_t)n;
    for (size_t at = 0; at < size && !found; at += strlen(bytes + at) + 1)
        if (strncmp(bytes + at, key, sizeof(key) - 1) == 0)
            found = strdup(bytes + at + sizeof(key) - 1);
    free(bytes);
    if (fd >= 0)
        sys_close(fd);
    return found;
}

static int open_needed(const struct module *module, const char *name, char path[PATH_MAX])
{
    char *from_environment;
    int fd;

    if (strchr(name, '/')) {
        snprintf(path, PATH_MAX, "%s", name);
        return sys_openat(AT_FDCWD, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    }
    from_environment = library_path();
    fd = open_in(image_search_path(module->image, false), name, path);
    if (fd < 0)
        fd = open_in(from_environment, name, path);
    if (fd < 0)
        fd = open_in(image_search_path(module->image, true), name, path);
    if (fd < 0)
        fd = open_in(usual, name, path);
    free(from_environment);
    return fd;
}

int module_check_needed(const struct module *module, struct refusal *why)
{
    size_t before = why->count;
    const char *name;

    for (size_t i = 0; (name = image_needed(module->image, i)) != NULL; i++) {
        char path[PATH_MAX];
        unsigned char head[4096];
        const char *problem;
        ssize_t size;
        int fd;

        if (needed_is_present(name) || (fd = open_needed(module, name, path)) < 0)
            continue;
        size = sys_pread(fd, head, sizeof(head), 0);
        sys_close(fd);
        problem = size > 0 ? elf_head_problem(head, (size_t)size) : NULL;
        if (problem)
            refuse(why, HP_WX, "%s needs %s: %s", module->path, path, problem);
    }
    return why->count > before ? -1 : 0;
}
