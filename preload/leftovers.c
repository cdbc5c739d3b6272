/*
 * leftovers.c - see leftovers.h.
 *
 * This is in the shim, and not in the engine that makes the copies: the process that ends last may never have loaded
 * a patch, like a daemon's worker that inherited one.
 */
#include "preload/leftovers.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/sys.h"

#define OBJECTS "objects"

struct directory_entry { /* linux_dirent64, getdents(2) */
    uint64_t ino;
    int64_t offset;
    uint16_t length;
    unsigned char type;
    char name[];
};

static int open_to_clean(int dir, const char *name)
{
    return sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* Call `visit` for each entry until it returns true. Return whether it did. */
static bool each_leftover(int dir, bool (*visit)(int dir, const char *name))
{
    _Alignas(struct directory_entry) char bytes[2048];
    ssize_t size;

    while ((size = sys_getdents64(dir, bytes, sizeof(bytes))) > 0)
        for (ssize_t at = 0; at < size;) {
            const struct directory_entry *entry =
                (const struct directory_entry *)(const void *)(bytes + at);

            if (visit(dir, entry->name))
                return true;
            at += entry->length;
        }
    return false;
}

/* Return whether the FIFO has a reader. A FIFO without a reader was left by a process that was killed, or that
 * changed its user. */
static bool is_listened_to(int dir, const char *name)
{
    const char *dot = strrchr(name, '.');
    int fd;

    if (!dot || strcmp(dot, ".fifo") != 0)
        return false;
    fd = sys_openat(dir, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC, 0);
    if (fd >= 0)
        sys_close(fd);
    return fd != -ENXIO && fd != -ENOENT;
}

static bool remove_leftover(int dir, const char *name)
{
    if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        sys_unlinkat(dir, name, 0);
    return false;
}

void leftovers_remove(const char *directory)
{
    int dir = open_to_clean(AT_FDCWD, directory);
    int objects = dir >= 0 ? open_to_clean(dir, OBJECTS) : -1;

    if (objects >= 0 && !each_leftover(dir, is_listened_to)) {
        each_leftover(objects, remove_leftover);
        sys_unlinkat(dir, OBJECTS, AT_REMOVEDIR);
    }
    if (objects >= 0)
        sys_close(objects);
    if (dir >= 0)
        sys_close(dir);
}
