/* handover.c - see handover.h. */
#include "cli/session/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base_name.h"
#include "cli/output/output.h"
#include "cli/process/open_resolved.h"
#include "cli/process/runtime_dirs.h"

#define PATCH_MAX (256L << 20) /* as the engine: HP-TOO-LARGE */

/* Give the file to `owner`. Only a file that the command has just made changes its owner. */
static int give(int fd, mode_t type, uid_t owner)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return -1;
    if ((st.st_mode & S_IFMT) != type || st.st_uid != geteuid() || st.st_nlink > 1) {
        errno = EEXIST;
        return -1;
    }
    if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) != 0) /* the user's umask */
        return -1;
    return geteuid() == 0 && owner != 0 ? fchown(fd, owner, (gid_t)-1) : 0;
}

int reply_fifo_make(const struct channel *channel, const char *name, struct refusal *why)
{
    const int flags = O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC;
    int fd;

    if (mkfifoat(channel->dir, name, 0600) != 0)
        return refuse(why, errno == EACCES ? HP_PERMISSION : HP_DIRECTORY,
                      "make a reply FIFO in %s: %s", channel->path, strerror(errno));
    fd = openat(channel->dir, name, flags);
    /* The user's umask; not as root, whom it does not stop, in a directory of another user's. */
    if (fd < 0 && errno == EACCES && geteuid() != 0 && fchmodat(channel->dir, name, 0600, 0) == 0)
        fd = openat(channel->dir, name, flags);
    if (fd >= 0 && give(fd, S_IFIFO, channel->owner) == 0)
        return fd;
    refuse(why, HP_DIRECTORY, "open the reply FIFO in %s: %s", channel->path, strerror(errno));
    if (fd >= 0)
        close(fd);
    unlinkat(channel->dir, name, 0);
    return -1;
}

/* Open objects/ of the runtime directory. Return -1 where there is none that can be trusted: then the directory
 * itself is used. */
static int objects_open(const struct channel *channel)
{
    struct stat st;
    int fd = open_resolved(channel->dir, "objects", O_DIRECTORY | O_NOFOLLOW,
                           RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);

    if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_uid != channel->owner ||
                    (st.st_mode & (S_IWGRP | S_IWOTH)))) {
        close(fd);
        return -1;
    }
    return fd;
}

int copy_bytes(int from, int to)
{
    char *buffer = allocate(1 << 16);
    ssize_t n = 0;

    while ((n = read(from, buffer, 1 << 16)) > 0)
        for (ssize_t done = 0, m; done < n; done += m)
            if ((m = write(to, buffer + done, (size_t)(n - done))) < 0) {
                free(buffer);
                return -1;
            }
    free(buffer);
    return n < 0 ? -1 : 0;
}

int patch_source_open(const char *source, struct refusal *why)
{
    int fd = open(source, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        refuse(why, HP_OPEN, "open %s: %s", source, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        refuse(why, HP_NOT_REGULAR, "%s is not a regular file", source);
    else if (st.st_size > PATCH_MAX)
        refuse(why, HP_TOO_LARGE, "%s has %lld bytes", source, (long long)st.st_size);
    else
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

char *patch_copy(const struct channel *channel, const char *source, const char *id, size_t number,
                 struct refusal *why)
{
    int from = patch_source_open(source, why), objects, dir, to;
    char *name, *path = NULL;

    if (from < 0)
        return NULL;
    objects = objects_open(channel);
    dir = objects >= 0 ? objects : channel->dir;
    name = format_text("%s%s-%zu.so", COPY_PREFIX, id, number);
    to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0 || copy_bytes(from, to) != 0 || give(to, S_IFREG, channel->owner) != 0) {
        refuse(why, HP_SNAPSHOT, "copy %s to %s: %s", source, channel->path, strerror(errno));
        if (to >= 0)
            unlinkat(dir, name, 0);
    } else {
        path = format_text("%s/%s%s", channel->path, objects >= 0 ? "objects/" : "", name);
    }
    if (to >= 0)
        close(to);
    if (objects >= 0)
        close(objects);
    close(from);
    free(name);
    return path;
}

void patch_copy_remove(const struct channel *channel, const char *path)
{
    const char *name = base_name(path);
    int objects = objects_open(channel);

    if (objects < 0 || unlinkat(objects, name, 0) != 0)
        unlinkat(channel->dir, name, 0);
    if (objects >= 0)
        close(objects);
}
