/*
 * allocator.h - check whether a frame of a stack is inside the allocator, where the allocator's object has other code
 * too: the program itself (jemalloc linked statically), or libc.
 *
 * A lock of an allocator is held only while an exported function of the allocator runs. The chain of calls therefore
 * decides. A frame is inside the allocator if it
 *
 *   - is of malloc(3), of another exported function of the allocator, or of a function between the first and the
 *     last of them, which the linker has taken from the same object file;
 *   - is of a function that one of these jumps to (a tail call leaves no frame of its own);
 *   - was called, by a call that names its target, as one of these.
 *
 * Also called in signal handlers: no lock, no allocation, never faults.
 */
#ifndef HOTPATCH_ALLOCATOR_H
#define HOTPATCH_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

enum { ALLOCATOR_FUNCTIONS = 96 };

struct allocator {
    bool known;
    uint64_t low, high; /* from the first exported function to the end of the last */
    unsigned count;     /* number of functions outside this range that are jumped to */
    uint64_t start[ALLOCATOR_FUNCTIONS];
};

/* Find the allocator. `symbol` returns the address of an exported function of the object; 0: there is none of that
 * name. */
void allocator_find(struct allocator *allocator, uint64_t (*symbol)(const char *name));
/* Return whether the frame is inside the allocator. `start`: first address of the frame's function; `back`: its
 * return address; 0: unknown. */
bool allocator_has(const struct allocator *allocator, uint64_t start, uint64_t back);

#endif
