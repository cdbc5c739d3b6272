/*
 * keeper.h - the thunks of keeping stubs (arch/keep.h), one for each replacement of a site. A thunk is
 * never freed: a thread may be on its way through it. The same replacement is given the same thunk
 * again, so that cycles of load and revert make none.
 *
 * Listener (or the thread that runs the constructor), holding the engine lock. keeper_make() maps
 * memory; the others read.
 */
#ifndef HOTPATCH_KEEPER_H
#define HOTPATCH_KEEPER_H

#include <stdint.h>

#include "arch/keep.h"

struct keeper;

/* Make calls of `function` keep what `keep` says; near the code at `near`. Without anything to keep,
 * calls go to it directly. 0; an error of near_alloc.h, with nothing changed. */
int keeper_make(struct keeper **list, uintptr_t near, uintptr_t function, const struct keep *keep);

/* Where a word must lead so that `function` is called: its thunk, or itself. */
uintptr_t keeper_way(const struct keeper *list, uintptr_t function);

/* How calls of `function` are made; NULL: directly. */
const struct keep *keeper_keep(const struct keeper *list, uintptr_t function);

#endif
