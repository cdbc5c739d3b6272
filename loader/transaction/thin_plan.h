/*
 * thin_plan.h - the part of a plan that is for thin objects alone.
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_THIN_PLAN_H
#define HOTPATCH_THIN_PLAN_H

#include "loader/transaction/state.h"

/* Find the target of a thin object, and link it unless a mapping of the same content may be used again. `old`: the live
 * module that it replaces, or NULL. Return false if there is no target; other refusals are added to the transaction's. */
bool thin_plan(struct transaction *transaction, struct module *module, const struct module *old);

#endif
