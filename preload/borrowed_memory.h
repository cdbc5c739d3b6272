/*
 * borrowed_memory.h - check whether the calling thread runs in a child that shares its parent's memory: of vfork(2),
 * or of clone(2) with CLONE_VM. The parent has each change of memory made there, and a thread made there is the
 * child's alone.
 *
 * Also called in signal handlers. One system call, four in such a child.
 */
#ifndef HOTPATCH_BORROWED_MEMORY_H
#define HOTPATCH_BORROWED_MEMORY_H

#include <stdbool.h>

/* Return whether the memory is shared. Also true of a thread that was made without libc (CLONE_THREAD) and has
 * another thread's thread-local data. */
bool memory_is_borrowed(void);

#endif
