/* own_malloc.c - the shim's malloc(3) and its kin; see heap.h. */
#include "preload/heap.h"

#define OWN_ALLOCATE(size) heap_allocate(size)
#define OWN_ALLOCATE_ALIGNED(alignment, size) heap_allocate_aligned(alignment, size)
#define OWN_RESIZE(memory, size) heap_resize(memory, size)
#define OWN_RELEASE(memory) heap_release(memory)

#include "base/malloc_family.h"
