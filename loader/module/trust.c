/*
 * trust.c - see trust.h.
 *
 * A file's mode is not enough. A user that can rename files in its directory, or in a directory above it, can put
 * another file in its place. In a directory with the sticky bit (chmod(1)) only the owners rename, so a user's own file
 * in /tmp is accepted.
 */
#include "loader/module/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

enum { FILE_MAX = 256 << 20 };

static int owner_is_trusted(uid_t owner)
{
    return owner == 0 || owner == sys_geteuid();
}

static int check_owner_and_mode(const char *what, const struct stat *st, struct refusal *why)
{
    if (!owner_is_trusted(st->st_uid))
        return refuse(why, HP_WRITABLE, "%s belongs to uid %u, and the program runs as uid %u",
                      what, st->st_uid, sys_geteuid());
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !(S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
        return refuse(why, HP_WRITABLE, "%s can be written by others (mode %04o)", what,
                      st->st_mode & 07777);
    return 0;
}

/* Check every directory above `path`, which is absolute. */
static int check_directories(const char *path, struct refusal *why)
{
    char directory[PATH_MAX];
    struct stat st;
    int result;

    if (snprintf(directory, sizeof(directory), "%s", path) >= (int)sizeof(directory))
        return refuse(why, HP_OPEN, "open %.64s...: the path is too long", path);
    for (char *slash = strrchr(directory, '/'); slash; slash = strrchr(directory, '/')) {
        slash[slash == directory ? 1 : 0] = '\0';
        result = sys_fstatat(AT_FDCWD, directory, &st, 0);
        if (result != 0)
            return refuse(why, HP_OPEN, "stat %s: %s", directory, sys_error(-result));
        if (check_owner_and_mode(directory, &st, why) != 0)
            return -1;
        if (slash == directory)
            break;
    }
    return 0;
}

int trust_file(int fd, const char *path, const struct stat *file, struct refusal *why)
{
    char link[64], real[PATH_MAX];
    ssize_t length;

    if (check_owner_and_mode(path, file, why) != 0 || check_directories(path, why) != 0)
        return -1;
    snprintf(link, sizeof(link), "/proc/thread-self/fd/%d", fd);
    length = sys_readlinkat(AT_FDCWD, link, real, sizeof(real) - 1);
    if (length <= 0 || real[0] != '/')
        return 0; /* there is no /proc: the path as given was checked */
    real[length] = '\0';
    return strcmp(real, path) == 0 ? 0 : check_directories(real, why);
}

static int same_stand(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void *read_all(int fd, const char *path, const struct stat *before, struct refusal *why)
{
    size_t size = (size_t)before->st_size, done = 0;
    char *bytes = malloc(size + 1);
    struct stat after;

    if (!bytes) {
        refuse(why, HP_MEMORY, "read %s: no memory for %zu bytes", path, size);
        return NULL;
    }
    /* read one byte more than the size, to see whether the file grows */
    while (done < size + 1) {
        ssize_t n = sys_read(fd, bytes + done, size + 1 - done);

        if (n == -EINTR)
            continue;
        if (n < 0) {
            refuse(why, HP_OPEN, "read %s: %s", path, sys_error((int)-n));
            free(bytes);
            return NULL;
        }
        if (n == 0)
            break;
        done += (size_t)n;
    }
    if (done != size || sys_fstat(fd, &after) != 0 || !same_stand(before, &after)) {
        refuse(why, HP_CHANGED, "read %s: it was written to meanwhile", path);
        free(bytes);
        return NULL;
    }
    return bytes;
}

void *trust_read_copy(int fd, const char *path, size_t *size, struct stat *file,
                      struct refusal *why)
{
    void *bytes = NULL;

    if (sys_fstat(fd, file) != 0 || !S_ISREG(file->st_mode) || file->st_size > FILE_MAX)
        refuse(why, HP_OPEN, "stat %s: the copy is none", path);
    else if (check_owner_and_mode(path, file, why) == 0)
        bytes = read_all(fd, path, file, why);
    *size = (size_t)file->st_size;
    sys_close(fd);
    return bytes;
}

void *trust_read(const char *path, size_t *size, struct stat *file, struct refusal *why)
{
    /* O_NONBLOCK: opening a FIFO must not block the listener. */
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    void *bytes = NULL;

    if (fd < 0) {
        refuse(why, fd == -ENXIO ? HP_NOT_REGULAR : HP_OPEN, "open %s: %s", path, sys_error(-fd));
        return NULL;
    }
    if (sys_fstat(fd, file) != 0)
        refuse(why, HP_OPEN, "stat %s: it cannot be examined", path);
    else if (!S_ISREG(file->st_mode))
        refuse(why, HP_NOT_REGULAR, "%s is %s", path,
               S_ISDIR(file->st_mode)    ? "a directory"
               : S_ISFIFO(file->st_mode) ? "a FIFO"
                                         : "a device or socket");
    else if (file->st_size > FILE_MAX)
        refuse(why, HP_TOO_LARGE, "%s has %lld bytes", path, (long long)file->st_size);
    else if (trust_file(fd, path, file, why) == 0)
        bytes = read_all(fd, path, file, why);
    *size = (size_t)file->st_size;
    sys_close(fd);
    return bytes;
}
