/* own_malloc.c - the engine's malloc(3) and its kin: the shim's heap, so that either frees what the other made. */
#include "base/services.h"

#define OWN_ALLOCATE(size) shim()->allocate(size)
#define OWN_ALLOCATE_ALIGNED(alignment, size) shim()->allocate_aligned(alignment, size)
#define OWN_RESIZE(memory, size) shim()->resize(memory, size)
#define OWN_RELEASE(memory) shim()->release(memory)

#include "base/malloc_family.h"
