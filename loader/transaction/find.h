/*
 * find.h - which slot the target of a patch means.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_FIND_H
#define HOTPATCH_FIND_H

#include "loader/transaction/state.h"

/* Return the slot that a module's target means, made where there is none yet. NULL: `why` says what is wrong. Inside
 * objects_locked(). */
struct slot *find_slot(struct transaction *transaction, const struct module *module,
                       const char *text, uint32_t kind, const char *signature);

#endif
