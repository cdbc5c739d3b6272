/*
 * find.h - find the slot that the target of a patch names.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_FIND_H
#define HOTPATCH_FIND_H

#include "loader/transaction/state.h"

/* Return the slot that a module's target names. The slot is made if there is none yet. Return NULL with `why` if no
 * slot can be used. Called inside objects_locked(). */
struct slot *find_slot(struct transaction *transaction, const struct module *module,
                       const char *text, uint32_t kind, const char *signature);

/* Return the slot of the function at a replacement's place in the target of a thin object, likewise. */
struct slot *find_slot_at(struct transaction *transaction, const struct module *module,
                          const struct replacement *replacement);

#endif
