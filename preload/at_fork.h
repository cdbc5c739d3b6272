/*
 * at_fork.h - what is done before and after the process is copied: by fork(3), and by clone(2) and its kin as
 * interpose/clone.c makes them.
 */
#ifndef HOTPATCH_AT_FORK_H
#define HOTPATCH_AT_FORK_H

#include <stdbool.h>

/* Constructor: from now on fork(3) calls at_fork.c's functions. Return false where there is no memory for it. */
bool at_fork_start(void);

/* Before a copy that is made past fork(3): wait until no request is under way, 1 s at most, and keep the next one from
 * beginning until at_fork_copy_parent(), and in the child at_fork_copy_child(). */
void at_fork_copy_prepare(void);
void at_fork_copy_parent(void);
/* The locks alone: no fork handler runs in such a child, and its listener is made at the first ring. */
void at_fork_copy_child(void);
/* Return whether the calling thread is between at_fork_copy_prepare(), or its like in fork(3), and what follows. */
bool at_fork_is_copying(void);

#endif
