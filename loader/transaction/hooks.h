/*
 * hooks.h - run the patches' own code before and after a commit, and the program's change handlers.
 *
 * Called by the thread that holds the engine lock, outside objects_locked(); the hooks run on the worker.
 */
#ifndef HOTPATCH_HOOKS_H
#define HOTPATCH_HOOKS_H

#include "loader/transaction/state.h"

/* Run the hooks before the commit. Return 0, or -1 with `why`. */
int hooks_before(struct transaction *transaction);
/* Run the hooks after the commit, then the program's change handlers. An error is a warning. */
void hooks_after(struct transaction *transaction);

#endif
