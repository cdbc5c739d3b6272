/*
 * mend.h - armed entries that other tools have written to: they are found, and a reload repairs those that it may.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_MEND_H
#define HOTPATCH_MEND_H

#include "base/refusal.h"
#include "loader/transaction/state.h"

/* What a reload repaired. */
struct mend {
    struct slot **repaired; /* malloc'd */
    size_t count;
    struct refusal why; /* those that it cannot repair: HP_BREAKPOINT, HP_HOST_OWNED, ... */
};

/* Compare every armed entry with what was written there; arm again those that hold the original's bytes. 0, or -1:
 * `why` names those that stay damaged. */
int mend_all(struct mend *mend);
void mend_free(struct mend *mend);

/* Compare every armed entry, and warn of those that are damaged. Not inside objects_locked(). */
void mend_warn(struct transaction *transaction);

#endif
