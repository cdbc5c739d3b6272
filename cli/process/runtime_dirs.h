/*
 * runtime_dirs.h - the directories in which a process may have its FIFO and its status file.
 *
 * Such a directory may lie in another root, belong to another user and hold anything: the walk follows no link
 * (openat2(2)), owner and mode are checked on the descriptor, and all in it is opened by openat() with O_NOFOLLOW.
 */
#ifndef HOTPATCH_RUNTIME_DIRS_H
#define HOTPATCH_RUNTIME_DIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/process/proc_facts.h"

#define COPY_PREFIX "client-" /* of the names of copies of patches that the command makes */

struct dir_candidate {
    char *path;         /* absolute, as the process sees it */
    const char *origin; /* the rule that names it: "HOTPATCH_DIR of this command" ... */
    bool own_root;      /* opened from the command's root, not the process's */
    int fd;             /* the open directory, -1 where `why` says what is wrong */
    int error;          /* errno; 0 with fd -1: it is there and not to be trusted */
    char why[320];
    uid_t owner;
    mode_t mode;
};

/* Return all candidates in the order in which the shim tries them (libhotpatch_preload(7)), opened and checked. Free
 * them with candidates_free(); put -1 in place of a descriptor that is to stay open. */
struct dir_candidate *candidates_find(const struct process *process, size_t *count);
void candidates_free(struct dir_candidate *candidates, size_t count);

/* Open `path` from `root`, of any owner; refuse it where others can write in it. */
void candidate_open_any(struct dir_candidate *candidate, int root);

#endif
