/*
 * borrowed_memory.h - does the calling thread run in a child that shares its parent's memory: of vfork(2), of
 * clone(2) with CLONE_VM? What it writes the parent has, and a thread that is made there is the child's alone.
 *
 * Signal handlers too. One system call, four in such a child.
 */
#ifndef HOTPATCH_BORROWED_MEMORY_H
#define HOTPATCH_BORROWED_MEMORY_H

#include <stdbool.h>

/* Also true of a thread that was made past libc (CLONE_THREAD) and has another thread's thread-local data. */
bool memory_is_borrowed(void);

#endif
