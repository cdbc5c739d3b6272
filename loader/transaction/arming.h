/*
 * arming.h - the part of a transaction that writes into code: stubs are prepared, and jumps put in and, where it is
 * refused, taken out again.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_ARMING_H
#define HOTPATCH_ARMING_H

#include "loader/transaction/state.h"

/* Find out whether arming_prepare() would find room for all stubs. Nothing is mapped, written or kept. 0, or -1 with
 * `why`. Inside objects_locked(). */
int arming_try(struct transaction *transaction);

/* Pin the objects and write the stubs. 0, or -1 with `why`. Not inside objects_locked(). */
int arming_prepare(struct transaction *transaction);
/* Free the padding that only a refused transaction would have used. Not inside objects_locked(). */
void arming_release(struct transaction *transaction);

/* Put the jumps in, which lead to the old code until the commit; where it fails they are taken out again. Waits for
 * threads until the transaction's timeout; takes objects_locked() and the commit section for moments. 0, or -1 with
 * `why`. */
int arming_arm(struct transaction *transaction);
/* Put in the short jumps that arming_arm() left for the commit. 0, or -1 with `why`. Inside objects_locked() and the
 * commit section. */
int arming_arm_rest(struct transaction *transaction);
/* Take out the jumps that these two put in. */
void arming_disarm(struct transaction *transaction);

/* Return whether what failed with this code may succeed a moment later. */
bool arming_may_pass(int code);

#endif
