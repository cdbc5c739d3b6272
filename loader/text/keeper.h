/*
 * keeper.h - the thunks of keeping stubs (arch/keep.h): one thunk for each replacement of a site. A thunk is never
 * freed, because a thread may be executing it. The same replacement gets the same thunk again, so cycles of load and
 * revert make no new thunks.
 *
 * Called by the listener, or by the thread that runs the constructor, with the engine lock held. keeper_make() maps
 * memory; the other functions read.
 */
#ifndef HOTPATCH_KEEPER_H
#define HOTPATCH_KEEPER_H

#include <stdint.h>

#include "arch/keep.h"

struct keeper;

/* Let calls of `function` keep the registers of `keep`. The thunk lies near the code at `near`. If `keep` is empty,
 * calls go to the function directly. Return 0, or an error of near_alloc.h with nothing changed. */
int keeper_make(struct keeper **list, uintptr_t near, uintptr_t function, const struct keep *keep);

/* Return the address that a word must hold so that `function` is called: its thunk, or the function itself. */
uintptr_t keeper_way(const struct keeper *list, uintptr_t function);

/* Return which registers calls of `function` keep; NULL if calls go to it directly. */
const struct keep *keeper_keep(const struct keeper *list, uintptr_t function);

#endif
