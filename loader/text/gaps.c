/* gaps.c - see gaps.h. */
#include "loader/text/gaps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/sys.h"
#include "loader/objects/maps.h"

#define PAGE 4096ul
#define LOWEST 0x100000ul /* wine and emulators expect the range below to be free for them alone */
#define LAST_UNUSED 0x10000ul

uint64_t gaps_limit(unsigned address_bits)
{
    return (UINT64_C(1) << (address_bits - 1)) - LAST_UNUSED;
}

uint64_t gaps_limit_near(uint64_t near)
{
    return gaps_limit(near >> (ARCH_ADDRESS_BITS - 1) == 0 ? ARCH_ADDRESS_BITS
                                                           : ARCH_ADDRESS_BITS_WIDE);
}

bool near_gap_next(const struct near_wish *wish, uint64_t from, uint64_t *at)
{
    if (wish->next)
        return wish->next(wish->context, from, at);
    *at = (from + 7) & ~UINT64_C(7);
    return *at >= from;
}

/* ---- reading ---- */

static bool grow_gaps(struct gaps *gaps)
{
    size_t capacity = gaps->capacity ? gaps->capacity * 2 : 256;
    struct free_gap *all;

    if (gaps->count < gaps->capacity)
        return true;
    all = realloc(gaps->all, capacity * sizeof(*all));
    if (!all)
        return false;
    gaps->all = all;
    gaps->capacity = capacity;
    return true;
}

static bool append_gap(struct gaps *gaps, uintptr_t end, bool below_stack)
{
    struct free_gap gap = {gaps->end_before, end, below_stack};

    if (gap.begin >= gap.end)
        return true;
    gaps->no_memory = !grow_gaps(gaps);
    if (gaps->no_memory)
        return false;
    gaps->all[gaps->count++] = gap;
    return true;
}

void gaps_begin(struct gaps *gaps, uintptr_t brk)
{
    gaps->count = 0;
    gaps->no_memory = false;
    gaps->end_before = LOWEST;
    gaps->brk = (brk + PAGE - 1) & ~(PAGE - 1);
}

bool gaps_add(struct gaps *gaps, const struct mapping *mapping)
{
    uint64_t limit = gaps_limit(ARCH_ADDRESS_BITS_WIDE);

    if (!append_gap(gaps, mapping->begin < limit ? mapping->begin : limit, mapping->stack))
        return false;
    gaps->end_before = mapping->end > LOWEST ? mapping->end : LOWEST;
    return mapping->end < limit;
}

bool gaps_end(struct gaps *gaps)
{
    return append_gap(gaps, gaps_limit(ARCH_ADDRESS_BITS_WIDE), false);
}

static bool look(const struct mapping *mapping, void *context)
{
    return gaps_add(context, mapping);
}

int gaps_read(struct gaps *gaps)
{
    int result;

    gaps_begin(gaps, (uintptr_t)sys_call3(SYS_brk, 0, 0, 0));
    result = maps_each(look, gaps);
    if (gaps->no_memory || (result == 0 && !gaps_end(gaps)))
        result = -ENOMEM;
    if (result != 0)
        gaps_free(gaps);
    return result;
}

/* Return the index of the first gap that ends after `address`. */
static size_t gap_after(const struct gaps *gaps, uintptr_t address)
{
    size_t low = 0, high = gaps->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (gaps->all[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void gaps_take(struct gaps *gaps, uintptr_t begin, uintptr_t end)
{
    size_t i = gap_after(gaps, begin);
    struct free_gap *gap, upper;

    if (i == gaps->count || gaps->all[i].begin > begin || gaps->all[i].end < end ||
        !grow_gaps(gaps)) {
        gaps_free(gaps);
        return;
    }
    gap = &gaps->all[i];
    upper = (struct free_gap){end, gap->end, gap->below_stack};
    gap->end = begin;
    gap->below_stack = false;
    if (upper.begin == upper.end)
        return;
    memmove(gap + 2, gap + 1, (gaps->count - i - 1) * sizeof(*gap));
    gap[1] = upper;
    gaps->count++;
}

void gaps_free(struct gaps *gaps)
{
    free(gaps->all);
    *gaps = (struct gaps){0};
}

/* ---- finding ---- */

struct gap_search {
    const struct near_wish *wish;
    uintptr_t brk;
    size_t spared;
    uint64_t limit;
    uint64_t best; /* 0: none is found yet */
};

static uint64_t distance(const struct gap_search *search, uint64_t at)
{
    uint64_t near = search->wish->near;

    return at > near ? at - near : near - at;
}

static void consider_place(struct gap_search *search, uint64_t at)
{
    if (!search->best || distance(search, at) < distance(search, search->best))
        search->best = at;
}

/* Try the place between `begin` and `end` that is closest to the wish. Below `near`, any place in the last 64 KiB is
 * accepted as the closest. */
static void try_hole(struct gap_search *search, uint64_t begin, uint64_t end)
{
    const struct near_wish *wish = search->wish;
    uint64_t low = wish->low > begin ? wish->low : begin, at, last;

    if (begin >= end || end - begin < PAGE || end - begin < wish->size)
        return;
    last = end - wish->size;
    if (last > wish->high)
        last = wish->high;
    if (low > last)
        return;
    for (uint64_t span = 0x10000; begin < wish->near; span *= 8) {
        uint64_t from = last - low > span ? last - span : low;

        if (near_gap_next(wish, from, &at) && at <= last) {
            consider_place(search, at);
            return;
        }
        if (from == low)
            return;
    }
    if (near_gap_next(wish, low, &at) && at <= last)
        consider_place(search, at);
}

/* Try a hole, without the part that the heap may grow into. The heap begins at or above the end of the program's data
 * and grows up. */
static void try_around_heap(struct gap_search *search, uint64_t begin, uint64_t end)
{
    if (!search->brk || search->brk < begin || search->brk > end) {
        uint64_t kept = search->brk + search->spared;

        try_hole(search, search->brk && search->brk < begin && kept > begin ? kept : begin, end);
        return;
    }
    try_hole(search, begin, search->brk);
    try_hole(search, search->brk + search->spared, end);
}

static void try_gap(struct gap_search *search, const struct free_gap *gap)
{
    uintptr_t end = gap->end;

    if (gap->below_stack)
        end = end > search->spared ? end - search->spared : 0;
    if (end > search->limit)
        end = search->limit;
    try_around_heap(search, gap->begin, end);
}

static bool may_be_closer(const struct gap_search *search, uint64_t edge)
{
    return !search->best || distance(search, edge) < distance(search, search->best);
}

/* Search from `near` on in both directions: in a process with thousands of gaps, most gaps are too far away. */
uint64_t gaps_find(const struct gaps *gaps, const struct near_wish *wish, size_t spared,
                   uint64_t limit)
{
    struct gap_search search = {.wish = wish, .brk = gaps->brk, .spared = spared, .limit = limit};
    size_t up = gap_after(gaps, wish->near), down = up;

    for (; up < gaps->count && gaps->all[up].begin <= wish->high; up++) {
        uintptr_t begin = gaps->all[up].begin;

        if (!may_be_closer(&search, begin > wish->near ? begin : wish->near))
            break;
        try_gap(&search, &gaps->all[up]);
    }
    while (down > 0 && gaps->all[down - 1].end > wish->low &&
           may_be_closer(&search, gaps->all[down - 1].end))
        try_gap(&search, &gaps->all[--down]);
    return search.best;
}
