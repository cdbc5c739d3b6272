/*
 * heap.h - memory of the shim and of the engine, separate from the host's allocator.
 *
 * Why: the listener's first malloc(3) would give it an arena of libc's (64 MiB of address space). The host's
 * allocator may count, inject failures, or be inconsistent in a forked child. libhotpatch_engine.so gets these
 * functions in struct shim_services. In both libraries malloc and its kin are hidden functions that call these
 * (preload/own_malloc.c, loader/own_malloc.c).
 *
 * Any thread; not in a signal handler. Functions return NULL with errno ENOMEM if memory is short or HEAP_LIMIT is
 * reached.
 */
#ifndef HOTPATCH_HEAP_H
#define HOTPATCH_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_LIMIT ((size_t)1 << 30)

void *heap_allocate(size_t size); /* aligned to 16 bytes */
void *heap_allocate_aligned(size_t alignment, size_t size);
void *heap_resize(void *memory, size_t size);
/* Free memory. NULL is ignored. Memory that is not of this heap is passed to the process's free(3). */
void heap_release(void *memory);
bool heap_owns(const void *memory);

/* Return anonymous pages, also where mlockall(2) has used up the limit of locked memory; NULL: none are left. */
void *heap_map(size_t size);

/* Call before and after fork(): a child that is made in between has a consistent heap. */
void heap_fork_prepare(uint64_t until);
void heap_fork_parent(void);
void heap_fork_child(void);

#endif
