/*
 * short_patch.h - put a short jump over a function's first two bytes, or take it out, while threads run
 * through them.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock, inside the commit
 * section.
 */
#ifndef HOTPATCH_SHORT_PATCH_H
#define HOTPATCH_SHORT_PATCH_H

#include "loader/text/text_patch.h"

/* Can two bytes at `address`, whose pages have `protection`, be changed at once here? May write the
 * page's own bytes over themselves. */
bool short_patch_possible(uintptr_t address, int protection);

/* Are stores into its pages possible, so that no page has to be replaced? */
bool short_patch_stores(uintptr_t address, int protection);

/* Write the pad alone; text_poke_sync() is due before the short jump is. For many: so it comes once for all of
 * them. 0, or -errno. */
int short_patch_ahead(const struct text_patch *patch);
/* "short", or NULL with `why`: nothing has changed but the pad. `patch->prologue` has a pad, and `patch->jump`
 * is written there. */
const char *short_patch_in(const struct text_patch *patch, struct site_problem *why);
const char *short_patch_out(const struct text_patch *patch, struct site_problem *why);

#endif
