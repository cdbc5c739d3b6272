/*
 * pin.h - keep an object with an armed entry in the process. The jump, and threads that have executed it, need the
 * object's code. Until the commit, handles of dlopen(3) keep the object; a refusal closes them. After the commit the
 * handles are never closed.
 *
 * Called by the thread that holds the engine lock; the handles are taken on the worker.
 */
#ifndef HOTPATCH_PIN_H
#define HOTPATCH_PIN_H

#include "loader/transaction/state.h"

/* Take handles of the objects of all entries that change. Return 0, or -1 with `why`. Called outside
 * objects_locked(). */
int pins_take(struct transaction *transaction);
void pins_keep(struct transaction *transaction);    /* after the commit */
void pins_release(struct transaction *transaction); /* after a refusal */

#endif
