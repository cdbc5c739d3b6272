/*
 * clone.h - clone(2), clone3(2) and fork(2) by their numbers, as the host calls them by syscall(2). Any thread,
 * signal handlers too.
 */
#ifndef HOTPATCH_CLONE_H
#define HOTPATCH_CLONE_H

#include <stdbool.h>

/* Return whether clone_by_number() is to make the child. False for a child that shares the memory. For a child with a
 * stack of its own the shim only waits: a request may begin before the child is made. */
bool clone_takes(long number, unsigned long a, unsigned long b);
/* Make the child. Parent and child both return, as from the kernel: the child has a copy of the stack. */
long clone_by_number(long number, long a, long b, long c, long d, long e, long f);

#endif
