/*
 * library_heap.h - libelf and libz take their memory from the shim's heap.
 *
 * The slots of malloc(3) and of related functions in these libraries are made to point to the shim's functions. This is
 * done only if the library was loaded together with the engine; a library that the host has loaded keeps the host's
 * allocator. Memory that the library allocated before is recognised by its head (preload/heap.h) and is released to the
 * allocator that it came from.
 */
#ifndef HOTPATCH_LIBRARY_HEAP_H
#define HOTPATCH_LIBRARY_HEAP_H

/* Store the slots. Called at the engine's start, on the thread that loads the engine. If a page cannot be made
 * writable, nothing changes. */
void library_heap_take(void);

#endif
