/*
 * commit.h - the step in which a transaction takes effect: all its stores are made, or none.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_COMMIT_H
#define HOTPATCH_COMMIT_H

#include "loader/transaction/state.h"

/* Store all changes. Return 0, or -1 with `why` and nothing stored. Called inside the shim's commit section and
 * objects_locked(). */
int commit(struct transaction *transaction);

/* Return whether a commit since the last call has stored words that must be read again. */
bool commit_take_look_again(void);
/* Store the values again that ld.so's resolver has overwritten. Called outside objects_locked(). */
void commit_verify_imports(void);

#endif
