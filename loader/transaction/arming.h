/*
 * arming.h - the part of a transaction that writes into code. Stubs are prepared and jumps are put in. If the
 * transaction is refused, the jumps are taken out again.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_ARMING_H
#define HOTPATCH_ARMING_H

#include "loader/transaction/state.h"

/* Check whether arming_prepare() would find near memory for all stubs. No memory is mapped, written or kept. Return 0,
 * or -1 with `why`. Called inside objects_locked(). */
int arming_try(struct transaction *transaction);

/* Pin the objects and write the stubs. Return 0, or -1 with `why`. Called outside objects_locked(). */
int arming_prepare(struct transaction *transaction);
/* Release the padding that only a refused transaction would have used. Called outside objects_locked(). */
void arming_release(struct transaction *transaction);

/* Put the jumps in; they lead to the old code until the commit. If a jump cannot be put in, take all of them out again.
 * Waits for threads until the transaction's timeout; takes objects_locked() and the commit section for short times.
 * Return 0, or -1 with `why`. */
int arming_arm(struct transaction *transaction);
/* Put in the short jumps that arming_arm() left for the commit. Return 0, or -1 with `why`. Called inside
 * objects_locked() and the commit section. */
int arming_arm_rest(struct transaction *transaction);
/* Take out the jumps that arming_arm() and arming_arm_rest() put in. */
void arming_disarm(struct transaction *transaction);

/* Return whether a step that failed with this code may succeed a moment later. */
bool arming_may_pass(int code);

#endif
