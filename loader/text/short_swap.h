/*
 * short_swap.h - put a short jump over a function's first two bytes, or take it out, while threads run
 * through them.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock, inside the commit
 * section.
 */
#ifndef HOTPATCH_SHORT_SWAP_H
#define HOTPATCH_SHORT_SWAP_H

#include "loader/text/swap.h"

/* Can two bytes at `address`, whose pages have `protection`, be changed at once here? May write the
 * page's own bytes over themselves. */
bool short_swap_possible(uintptr_t address, int protection);

/* Are stores into its pages possible, so that none is exchanged? */
bool short_swap_stores(uintptr_t address, int protection);

/* Write the pad alone; text_poke_sync() is due before the short jump is. For many: so it comes once for all of
 * them. 0, or -errno. */
int short_swap_ahead(const struct arch_swap *swap);
/* "short", or NULL with `why`: nothing has changed but the pad. `swap->prologue` has a pad, `swap->jump`
 * is what it gets. */
const char *short_swap_in(const struct arch_swap *swap, struct site_problem *why);
const char *short_swap_out(const struct arch_swap *swap, struct site_problem *why);

#endif
