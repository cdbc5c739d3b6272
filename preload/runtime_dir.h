/*
 * runtime_dir.h - the runtime directory: which one it is, whether it is to be trusted, and the
 * files in it.
 *
 * Listener (its descriptors are the listener's) and unit tests. By system calls alone; no
 * allocation. A function that fails returns -errno and says why in one sentence.
 */
#ifndef HOTPATCH_RUNTIME_DIR_H
#define HOTPATCH_RUNTIME_DIR_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/maker.h"

#define RUNTIME_WHY_SIZE 512

struct runtime_user {
    uid_t uid;
    bool privileged; /* has capabilities that its uid alone would not give it */
    /* After the process entered a user namespace owners mean nothing any more, as all users that
     * it does not map look like one: the directory it had before, and no other. */
    bool only_known;
    dev_t known_dev;
    ino_t known_ino;
};

struct runtime_dir {
    int fd; /* -1: none */
    uid_t owner;
    dev_t dev;
    ino_t ino;
    const char *path; /* as given to runtime_dir_open(), whose caller keeps it */
};

/* design.md, section 7: `configured` (HOTPATCH_DIR) or "", `xdg` or "". */
void runtime_dir_choose(char path[PATH_MAX], const struct runtime_user *user,
                        const char *configured, const char *xdg);

/* Makes the directory where it is missing, opens and checks it. */
int runtime_dir_open(struct runtime_dir *dir, const char *path, const struct runtime_user *user,
                     char why[RUNTIME_WHY_SIZE]);
void runtime_dir_close(struct runtime_dir *dir);

/* Makes a FIFO `name`, in place of a stale one, with the mark of `self` on it. 0 and its inode number; -EBUSY:
 * a process of another pid namespace may have it; -errno. */
int runtime_dir_make_fifo(const struct runtime_dir *dir, const char *name, const struct maker *self,
                          ino_t *ino, char why[RUNTIME_WHY_SIZE]);

/* Opens the FIFO `name` if it has the inode number `ino`, for reading and writing, so that it never comes to
 * an end of file. Descriptor or -errno. */
int runtime_dir_open_fifo(const struct runtime_dir *dir, const char *name, ino_t ino);

/* A client's reply FIFO, opened for writing without waiting. Descriptor or -errno. */
int runtime_dir_open_reply(const struct runtime_dir *dir, const char *name);

/* Replaces `name` atomically; the temporary file beside it is `name`.tmp. */
int runtime_dir_replace(const struct runtime_dir *dir, const char *name, const char *text,
                        size_t length);

#endif
