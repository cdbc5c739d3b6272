/* padding.c - see padding.h. */
#include "resolve/padding.h"

#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "elf/image_bytes.h"

enum {
    GAP_MAX = 4096,
    COPY_MAX = 4096,           /* on the stack */
    FUNCTION_MAX = 1024 * 1024 /* read to its end; of a larger one nothing is proved */
};

struct gap {
    uint64_t begin, end;
};

/* Return whether the function neither runs over its end nor jumps after it: the index of branches counts the
 * bytes after a function as the function's. */
static bool never_runs_over(const struct code_view *view, const struct function *function,
                            const struct gap *gap)
{
    uint8_t small[COPY_MAX], *copy = small;
    bool ends;

    if (function->size > FUNCTION_MAX)
        return false;
    if (function->size > sizeof(small))
        copy = malloc(function->size);
    ends = copy && code_copy(view, function->address, copy, function->size) &&
           arch_ends_itself(copy, function->size, gap->end - gap->begin);
    if (copy != small)
        free(copy);
    return ends;
}

static bool is_gap_padding(const struct code_view *view, struct gap *gap)
{
    size_t size = gap->end - gap->begin;
    uint8_t copy[GAP_MAX];

    if (size > sizeof(copy) || !code_copy(view, gap->begin, copy, size) ||
        arch_padding(copy, size) != size)
        return false;
    gap->end = gap->begin + arch_padding_free(copy, size);
    return true;
}

/* ---- gaps ---- */

/* Find the gap after the function that begins at `start`, up to the next function at `next`. */
static bool gap_behind(const struct code_view *view, uint64_t start, uint64_t next, struct gap *gap)
{
    struct function before, around;
    uint64_t site, target;

    if (!function_begins_at(view->functions, start, &before))
        return false;
    *gap = (struct gap){start + before.size, next};
    return gap->begin + ARCH_LONG_BYTES <= gap->end &&
           !function_around(view->functions, gap->begin, &around) && is_gap_padding(view, gap) &&
           gap->begin + ARCH_LONG_BYTES <= gap->end && never_runs_over(view, &before, gap) &&
           !arch_callers_jump_into(view->callers, gap->begin, gap->end, &site, &target);
}

/* Add the part of a gap that a pad may take: its first byte lies between low and high. */
static void add_padding_gap(struct padding *out, uint64_t entry, struct gap gap, uint64_t low,
                            uint64_t high)
{
    if (gap.begin < low)
        gap.begin = low;
    if (gap.end > high + ARCH_LONG_BYTES)
        gap.end = high + ARCH_LONG_BYTES;
    if (gap.begin + ARCH_LONG_BYTES > gap.end)
        return;
    out->gaps[out->count].begin = (int16_t)(gap.begin - entry);
    out->gaps[out->count].end = (int16_t)(gap.end - entry);
    out->count++;
}

void padding_find(const struct code_view *view, uint64_t entry, uint64_t low, uint64_t high,
                  struct padding *out)
{
    uint64_t start, next;
    struct gap gap;

    out->count = 0;
    if (!view->callers)
        return;
    if (!function_previous_start(view->functions, low + 1, &start))
        start = entry;
    for (; start <= high && out->count < PADDING_GAPS; start = next) {
        next = function_next_start(view->functions, start);
        if (next <= start)
            return;
        if (next > low && gap_behind(view, start, next, &gap))
            add_padding_gap(out, entry, gap, low, high);
    }
}
