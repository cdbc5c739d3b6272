/*
 * hooks.h - the patches' own code around a commit, and the program's change handlers.
 *
 * Runs on whichever thread holds the engine lock; the hooks run on the worker. Not inside objects_locked().
 */
#ifndef HOTPATCH_HOOKS_H
#define HOTPATCH_HOOKS_H

#include "loader/transaction/state.h"

/* Run the hooks before the commit. 0, or -1 with `why`. */
int hooks_before(struct transaction *transaction);
/* Run the hooks after the commit, then the program's change handlers. What fails is a warning. */
void hooks_after(struct transaction *transaction);

#endif
