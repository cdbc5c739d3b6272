/*
 * gaps.h - the free address space of the process, and the best place in it for a page near code.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held. Allocates.
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
    uint64_t low, high; /* the lowest and highest address of the first byte, inclusive */
    uint64_t near;      /* the place closest to this address is the best */
    /* Set `at` to the lowest possible address from `from` on. NULL: every multiple of 8 is possible. */
    bool (*next)(const void *context, uint64_t from, uint64_t *at);
    const void *context;
};

struct free_gap {
    uintptr_t begin, end;
    bool below_stack;
};

/*
 * Return the end of a process's addresses, less a small margin, for addresses of `address_bits` bits:
 * ARCH_ADDRESS_BITS, or ARCH_ADDRESS_BITS_WIDE with five levels of page tables. With five levels, mmap(2) returns an
 * address above 47 bits only if the caller asks for one, because programs store data in the upper bits.
 */
uint64_t gaps_limit(unsigned address_bits);
/* Return the limit for pages near code at `near`: the lower limit, unless the code itself lies above it. */
uint64_t gaps_limit_near(uint64_t near);

/* The gaps, read once for many wishes. Another thread may map a part of a gap after the reading. */
struct mapping;
struct gaps {
    struct free_gap *all; /* in address order; NULL: not read */
    size_t count, capacity;
    uintptr_t end_before; /* the end of the previous mapping */
    uintptr_t brk;        /* the end of the heap, or the place where it would begin */
    bool no_memory;
};

/* Read the gaps from /proc/self/maps. Return 0, or -errno. */
int gaps_read(struct gaps *gaps);
/* Make the gaps from mappings in address order: gaps_begin() with the end of the heap, gaps_add() for each mapping,
 * then gaps_end(). gaps_add() returns false if no more mappings are needed, or if there is no memory. */
void gaps_begin(struct gaps *gaps, uintptr_t brk);
bool gaps_add(struct gaps *gaps, const struct mapping *mapping);
bool gaps_end(struct gaps *gaps);
/* Record that `begin` to `end` is mapped now. If there is no memory for the record, the gaps are freed and will be read
 * again. */
void gaps_take(struct gaps *gaps, uintptr_t begin, uintptr_t end);
void gaps_free(struct gaps *gaps);

/* Return the place below `limit` that is closest to the wish's `near` and leaves the heap and the stack `spared` bytes
 * to grow. Return 0 if there is none. */
uint64_t gaps_find(const struct gaps *gaps, const struct near_wish *wish, size_t spared,
                   uint64_t limit);

/* Set `at` to the lowest place of the wish from `from` on. Return false if there is none. */
bool near_gap_next(const struct near_wish *wish, uint64_t from, uint64_t *at);

#endif
