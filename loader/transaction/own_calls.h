/*
 * own_calls.h - a patch's own calls of the functions that it replaces lead past the replacements.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_OWN_CALLS_H
#define HOTPATCH_OWN_CALLS_H

#include "loader/transaction/state.h"

/* Store the original's address into the words of the loaded patches that lead to functions which they replace. 0, or -1
 * with `why`. Inside objects_locked(). */
int own_calls_redirect(struct transaction *transaction);

#endif
