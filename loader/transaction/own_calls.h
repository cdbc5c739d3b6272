/*
 * own_calls.h - let a patch's own calls of the functions that it replaces reach the original functions.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_OWN_CALLS_H
#define HOTPATCH_OWN_CALLS_H

#include "loader/transaction/state.h"

/* Store the original's address into the words of the loaded patches that lead to functions which they replace. Return
 * 0, or -1 with `why`. Called inside objects_locked(). */
int own_calls_redirect(struct transaction *transaction);

#endif
