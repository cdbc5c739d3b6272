/*
 * at_fork.h - the steps before and after the process is copied, by fork(3), and by clone(2) and its kin as
 * interpose/clone.c makes them.
 */
#ifndef HOTPATCH_AT_FORK_H
#define HOTPATCH_AT_FORK_H

#include <stdbool.h>

/* Constructor: from now on fork(3) calls at_fork.c's functions. Return false if memory is short. */
bool at_fork_start(void);

/* Before a copy that is made without fork(3): wait until no request runs, 1 s at most. The next request begins after
 * at_fork_copy_parent(), and in the child after at_fork_copy_child(). */
void at_fork_copy_prepare(void);
void at_fork_copy_parent(void);
/* Reset the locks alone: no fork handler runs in such a child, and its listener is made at the first ring. */
void at_fork_copy_child(void);
/* Return whether the calling thread is between at_fork_copy_prepare() and at_fork_copy_parent(), or the same calls in
 * fork(3). */
bool at_fork_is_copying(void);

#endif
