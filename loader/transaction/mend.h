/*
 * mend.h - armed entries that other tools have written to: which, and putting right what a reload may.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_MEND_H
#define HOTPATCH_MEND_H

#include "base/refusal.h"
#include "loader/transaction/state.h"

/* What a reload did to them. */
struct mend {
    struct slot **repaired; /* malloc'd */
    size_t count;
    struct refusal why; /* those that it cannot repair: HP_BREAKPOINT, HP_HOST_OWNED, ... */
};

/* Compare every armed entry with what was written there; arm again those where the original's bytes are
 * back. 0, or -1: `why` has those that stay damaged. */
int mend_all(struct mend *mend);
void mend_free(struct mend *mend);

/* Compare every armed entry, and warn of those that are damaged. Not inside objects_locked(). */
void mend_warn(struct transaction *transaction);

#endif
