/*
 * changes.h - which functions and constants of an edited unit are equal to the unedited ones.
 *
 * Two pieces of code are equal when their bytes are, and when what they refer to is the same: the same function by
 * name, the same variable, constants of equal content. A clone that gcc made for its callers, and a function whose
 * callers must change with it, is the same only if its code is equal, too. Pairs begin as equal; what differs is
 * taken out until nothing changes, so cycles of equal constants stay equal.
 *
 * Compiled into the command; one thread.
 */
#ifndef HOTPATCH_CHANGES_H
#define HOTPATCH_CHANGES_H

#include "cli/build/unit_compare.h"

/* Compare all pairs that are still equal, until no more differ. Afterwards clones and constants are matched with an
 * equal one. May be called again after functions were marked `together`. */
void changes_find(struct unit_compare *compare);

/* Return whether the two have the same bytes, and refer to something at the same places: all but what they refer to. */
bool changes_same_shape(const struct unit_compare *compare, uint32_t before, uint32_t after);

/* Return whether the first contents of the two differ, of which one has bytes, or what they refer to. */
bool changes_differ(const struct unit_compare *compare, uint32_t before, uint32_t after);

#define CODE_CHANGED "its code changed"

/* Write to `text` why the two differ: CODE_CHANGED, "calls f.isra.0(), which changed", ... */
void changes_explain(const struct unit_compare *compare, uint32_t before, uint32_t after,
                     char *text, size_t size);

/* Return whether two sections have the same bytes and refer to the same. 0: there is none. */
bool changes_same_section(const struct unit_compare *compare, uint32_t before, uint32_t after);

#endif
