/*
 * library_heap.h - libelf and libz take their memory from the shim's heap.
 *
 * Their slots of malloc(3) and its kin are made to point to the shim's functions, where the libraries have come with
 * the engine: one that the host has, too, keeps the host's allocator. Memory that was allocated before is told
 * by its head (preload/heap.h) and goes back to where it came from.
 */
#ifndef HOTPATCH_LIBRARY_HEAP_H
#define HOTPATCH_LIBRARY_HEAP_H

/* At the engine's start, on the thread that loads it. Where a page cannot be made writable, nothing changes. */
void library_heap_take(void);

#endif
