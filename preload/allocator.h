/*
 * allocator.h - is a frame of a stack inside the allocator, where the allocator's object has other code too: the
 * program itself (jemalloc linked statically), or libc?
 *
 * A lock of an allocator is held while one of the functions that a program calls is under way. So what
 * counts is the chain of calls: a frame counts that
 *
 *   - is of malloc(3), of another exported function of the allocator, or of a function between the
 *     first and the last of them, which the linker has taken out of the same object file;
 *   - is of a function that one of them goes on to by a jump (a tail call leaves no frame of its own);
 *   - was called, by a call that names its target, as one of these.
 *
 * Signal handlers too: no lock, no allocation, never faults.
 */
#ifndef HOTPATCH_ALLOCATOR_H
#define HOTPATCH_ALLOCATOR_H

#include <stdbool.h>
#include <stdint.h>

enum { ALLOCATOR_FUNCTIONS = 96 };

struct allocator {
    bool known;
    uint64_t low, high; /* from the first exported function on, to the end of the last */
    unsigned count;     /* of those outside of it that are jumped to */
    uint64_t start[ALLOCATOR_FUNCTIONS];
};

/* `symbol`: where the exported function begins; 0: the object has none of that name. */
void allocator_find(struct allocator *allocator, uint64_t (*symbol)(const char *name));
/* `back`: where the function of the frame, which begins at `start`, returns to; 0: unknown. */
bool allocator_has(const struct allocator *allocator, uint64_t start, uint64_t back);

#endif
