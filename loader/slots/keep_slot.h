/*
 * keep_slot.h - what callers of an entry slot's function rely on, and so how a new layer is called.
 *
 * Runs on whichever thread holds the engine lock. keep_plan() inside objects_locked().
 */
#ifndef HOTPATCH_KEEP_SLOT_H
#define HOTPATCH_KEEP_SLOT_H

#include "loader/module/module.h"
#include "loader/slots/slot.h"
#include "loader/transaction/transaction.h"

/* Decide how calls of a module's entry on an entry slot are made, and note it in the entry. 0; -1: they
 * cannot be, `why` says so (HP-CALLERS). */
int keep_plan(struct transaction *transaction, const struct slot *slot, const struct module *module,
              struct module_entry *entry);

/* Say once which functions are called through keeping stubs. */
void keep_warn(struct transaction *transaction);

/* What calls of the slot's replacement keep; NULL: nothing. */
const struct arch_kept *keep_of(const struct slot *slot);

#endif
