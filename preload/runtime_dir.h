/*
 * runtime_dir.h - the runtime directory: the choice of its path, the checks of its owner and mode, and the files in
 * it.
 *
 * Listener (the descriptors are the listener's) and unit tests. By system calls alone; no allocation. A function that
 * fails returns -errno and writes the reason as one sentence.
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
    bool privileged; /* has capabilities that its uid alone would not have */
    /* Use only the directory that the process had before. After the process entered a user namespace, owners cannot
     * be compared: all users that are not mapped have the same uid. */
    bool only_known;
    dev_t known_dev;
    ino_t known_ino;
};

struct runtime_dir {
    int fd; /* -1: none */
    uid_t owner;
    dev_t dev;
    ino_t ino;
    const char *path; /* as given to runtime_dir_open(); owned by the caller */
};

/* Choose the directory, in the order of libhotpatch_preload(7). `configured` (HOTPATCH_DIR) and `xdg`
 * (XDG_RUNTIME_DIR) are "" where they are not set. */
void runtime_dir_choose(char path[PATH_MAX], const struct runtime_user *user,
                        const char *configured, const char *xdg);

/* Make the directory if it is missing, open it and check it. */
int runtime_dir_open(struct runtime_dir *dir, const char *path, const struct runtime_user *user,
                     char why[RUNTIME_WHY_SIZE]);
void runtime_dir_close(struct runtime_dir *dir);

/* Make a FIFO `name`, with the mark of `self`; a stale FIFO of this name is replaced. Return 0 and the inode number;
 * -EBUSY: a process of another pid namespace may own the FIFO; -errno. */
int runtime_dir_make_fifo(const struct runtime_dir *dir, const char *name, const struct maker *self,
                          ino_t *ino, char why[RUNTIME_WHY_SIZE]);

/* Open the FIFO `name` if it has the inode number `ino`, for reading and writing, so that a read never returns an end
 * of file. Return a descriptor or -errno. */
int runtime_dir_open_fifo(const struct runtime_dir *dir, const char *name, ino_t ino);

/* Open a client's reply FIFO for writing without waiting. Return a descriptor or -errno. */
int runtime_dir_open_reply(const struct runtime_dir *dir, const char *name);

/* Replace `name` atomically. The temporary file in the same directory is `name`.tmp. */
int runtime_dir_replace(const struct runtime_dir *dir, const char *name, const char *text,
                        size_t length);

#endif
