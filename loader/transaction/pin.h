/*
 * pin.h - an object with an armed entry stays in the process: the jump, and threads that have taken it, need its code.
 * Until the commit it is held by handles of dlopen(3) that a refusal closes; from then on they are kept for ever.
 *
 * Runs on whichever thread holds the engine lock; the handles are taken on the worker.
 */
#ifndef HOTPATCH_PIN_H
#define HOTPATCH_PIN_H

#include "loader/transaction/state.h"

/* Take handles of the objects of all entries that change. 0, or -1 with `why`. Not inside objects_locked(). */
int pins_take(struct transaction *transaction);
void pins_keep(struct transaction *transaction);    /* it is committed */
void pins_release(struct transaction *transaction); /* it is refused */

#endif
