/*
 * clone.h - clone(2), clone3(2) and fork(2) by their numbers, as the host calls them by syscall(2). Any thread,
 * signal handlers too.
 */
#ifndef HOTPATCH_CLONE_H
#define HOTPATCH_CLONE_H

#include <stdbool.h>

/* Is the child to be made by clone_by_number()? Not one that shares the memory. One with a stack of its own is
 * only waited for: a request may then begin before it is made. */
bool clone_takes(long number, unsigned long a, unsigned long b);
/* Parent and child return from here, as the kernel does: the child has a copy of the stack. */
long clone_by_number(long number, long a, long b, long c, long d, long e, long f);

#endif
