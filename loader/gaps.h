/*
 * gaps.h - the free address space of the process, and the best place in it for a page near code.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock. Allocates.
 */
#ifndef HOTPATCH_GAPS_H
#define HOTPATCH_GAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "near_memory.h"

struct gap {
    uintptr_t begin, end;
    bool below_stack;
};

/* Read once for many wishes; another thread may map some of it meanwhile. */
struct gaps {
    struct gap *all; /* in address order; NULL: not read */
    size_t count, room;
    uintptr_t end_before; /* of the mapping before */
    uintptr_t brk;        /* where the heap ends, or would begin */
    bool no_memory;
};

/* Read /proc/self/maps. 0, or -errno. */
int gaps_read(struct gaps *gaps);
/* `begin` to `end` is mapped now. Where it cannot be noted the gaps are forgotten, to be read again. */
void gaps_take(struct gaps *gaps, uintptr_t begin, uintptr_t end);
void gaps_free(struct gaps *gaps);

/* The place closest to the wish's `near` that leaves the heap and the stack `spared` bytes to grow.
 * 0: there is none. */
uint64_t gaps_find(const struct gaps *gaps, const struct room_wish *wish, size_t spared);

/* The lowest place of the wish from `from` on. */
bool room_next(const struct room_wish *wish, uint64_t from, uint64_t *at);

#endif
