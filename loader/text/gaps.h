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

enum near_kind { NEAR_CODE, NEAR_WORDS };

struct near_wish {
    enum near_kind kind;
    size_t size;
    uint64_t low, high; /* of its first byte, inclusive */
    uint64_t near;      /* the closer to this the better */
    /* The lowest address possible from `from` on; NULL: every multiple of 8. */
    bool (*next)(const void *context, uint64_t from, uint64_t *at);
    const void *context;
};

struct free_gap {
    uintptr_t begin, end;
    bool below_stack;
};

/*
 * Where a process's addresses end, less a little, by how many bits an address has: ARCH_ADDRESS_BITS, or with five
 * levels of page tables ARCH_ADDRESS_BITS_WIDE. There too mmap(2) gives none above 47 bits unless
 * it is asked for one, since programs keep other things in the upper bits.
 */
uint64_t gaps_limit(unsigned address_bits);
/* The limit for what is to lie near code at `near`: the lower one, unless the code itself lies above it. */
uint64_t gaps_limit_near(uint64_t near);

/* Read once for many wishes; another thread may map some of it meanwhile. */
struct mapping;
struct gaps {
    struct free_gap *all; /* in address order; NULL: not read */
    size_t count, capacity;
    uintptr_t end_before; /* of the mapping before */
    uintptr_t brk;        /* where the heap ends, or would begin */
    bool no_memory;
};

/* Read /proc/self/maps. 0, or -errno. */
int gaps_read(struct gaps *gaps);
/* The same of mappings in address order: first where the heap ends, then each, then that there are no more. False:
 * no more are wanted, or there is no memory. */
void gaps_begin(struct gaps *gaps, uintptr_t brk);
bool gaps_add(struct gaps *gaps, const struct mapping *mapping);
bool gaps_end(struct gaps *gaps);
/* `begin` to `end` is mapped now. Where it cannot be noted the gaps are forgotten, to be read again. */
void gaps_take(struct gaps *gaps, uintptr_t begin, uintptr_t end);
void gaps_free(struct gaps *gaps);

/* The place below `limit` closest to the wish's `near` that leaves the heap and the stack `spared` bytes to
 * grow. 0: there is none. */
uint64_t gaps_find(const struct gaps *gaps, const struct near_wish *wish, size_t spared,
                   uint64_t limit);

/* The lowest place of the wish from `from` on. */
bool near_gap_next(const struct near_wish *wish, uint64_t from, uint64_t *at);

#endif
