/*
 * padding.h - bytes between functions that no thread executes, near an entry: where a short jump may
 * find room for a long one. Compiled into engine and command.
 *
 * Reads only; allocates for a copy of a large function. In the engine inside objects_locked().
 */
#ifndef HOTPATCH_PADDING_H
#define HOTPATCH_PADDING_H

#include <stddef.h>
#include <stdint.h>

#include "resolve/code_view.h"

enum { PADDING_GAPS = 8 };

/* Proved padding: `begin` to `end`, exclusive, counted from the function's entry. */
struct padding {
    struct {
        int16_t begin, end;
    } gaps[PADDING_GAPS];
    size_t count;
};

/*
 * The gaps of five bytes or more that lie in part between `low` and `high` (of their first byte,
 * inclusive), in address order. A gap reaches from the end of a function to the beginning of the
 * next. It counts where it is nothing but NOPs and int3, the function before it never runs over its
 * end, no function spans it, and no direct branch of the object leads into it. NOPs that
 * -fpatchable-function-entry lays before an entry are left out.
 */
void padding_find(const struct code_view *view, uint64_t entry, uint64_t low, uint64_t high,
                  struct padding *out);

#endif
