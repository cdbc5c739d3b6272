/*
 * heap.h - memory of the shim and of the engine, apart from the host's allocator.
 *
 * Why: the listener would get an arena of libc's (64 MiB of address space) with its first malloc(3), and
 * the host's allocator may be one that counts, injects faults or is torn in a forked child. libhotpatch_engine.so
 * gets these functions in struct shim_services; in both libraries malloc and its kin are hidden
 * functions of their own that lead here (preload/own_malloc.c, loader/own_malloc.c).
 *
 * Any thread; not in a signal handler. NULL and errno ENOMEM where memory is short or HEAP_LIMIT is reached.
 */
#ifndef HOTPATCH_HEAP_H
#define HOTPATCH_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_LIMIT ((size_t)1 << 30)

void *heap_allocate(size_t size); /* at an address that 16 divides */
void *heap_allocate_aligned(size_t alignment, size_t size);
void *heap_resize(void *memory, size_t size);
/* NULL is nothing. What is not of this heap goes to the process's free(3). */
void heap_release(void *memory);
bool heap_owns(const void *memory);

/* Anonymous pages, also where mlockall(2) has used up the limit of locked memory: NULL: there are none. */
void *heap_map(size_t size);

/* fork(): a child that is made between the two finds the heap whole. */
void heap_fork_prepare(uint64_t until);
void heap_fork_parent(void);
void heap_fork_child(void);

#endif
