/*
 * commit.h - the one point at which a transaction happens: all stores, or none.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_COMMIT_H
#define HOTPATCH_COMMIT_H

#include "loader/transaction/state.h"

/* Store all changes. 0; -1 with `why`: nothing is stored. Inside the shim's commit section and objects_locked(). */
int commit(struct transaction *transaction);

/* Return whether a commit since the last call has left something to be looked at again. */
bool commit_take_look_again(void);
/* Store again what ld.so's resolver has overwritten. Not inside objects_locked(). */
void commit_verify_imports(void);

#endif
