/*
 * mend.h - find the armed entries that other tools have written to, and repair them at a reload if that is allowed.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_MEND_H
#define HOTPATCH_MEND_H

#include "base/refusal.h"
#include "loader/transaction/state.h"

/* The result of a reload's repair. */
struct mend {
    struct slot **repaired; /* malloc'd */
    size_t count;
    /* the entries that a reload cannot repair: HP_BREAKPOINT, HP_HOST_OWNED, ... */
    struct refusal why;
};

/* Compare every armed entry with the bytes that were written there. Arm the entries again that hold the original's
 * bytes. Return 0, or -1: `why` names the entries that stay damaged. */
int mend_all(struct mend *mend);
void mend_free(struct mend *mend);

/* Compare every armed entry, and warn of damaged entries. Called outside objects_locked(). */
void mend_warn(struct transaction *transaction);

#endif
