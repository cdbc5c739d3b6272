/*
 * short_patch.h - put a short jump over a function's first two bytes, or take it out, while threads run through them.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held, inside the commit
 * section.
 */
#ifndef HOTPATCH_SHORT_PATCH_H
#define HOTPATCH_SHORT_PATCH_H

#include "loader/text/text_patch.h"

/* Return whether the two bytes at `address`, whose pages have `protection`, can be changed at once. The test may write
 * the page's own bytes over themselves. */
bool short_patch_possible(uintptr_t address, int protection);

/* Return whether stores into the pages at `address` are possible, so that no page has to be replaced. */
bool short_patch_stores(uintptr_t address, int protection);

/* Write only the pad. text_poke_sync() must be called before the short jump is written; one call serves many sites.
 * Return 0, or -errno. */
int short_patch_ahead(const struct text_patch *patch);
/* Write the short jump. Return "short", or NULL with `why`: only the pad may have changed. `patch->prologue` has a pad,
 * and `patch->jump` is written there. */
const char *short_patch_in(const struct text_patch *patch, struct site_problem *why);
const char *short_patch_out(const struct text_patch *patch, struct site_problem *why);

#endif
