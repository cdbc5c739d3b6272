/*
 * keep_slot.h - find the registers that callers of an entry slot's function rely on, and so how a new layer is called.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_KEEP_SLOT_H
#define HOTPATCH_KEEP_SLOT_H

#include "base/refusal.h"
#include "loader/slots/change.h"
#include "loader/slots/module_state.h"

/* Decide how calls of a module's replacement on an entry slot are made, and write that into the replacement. Return 0,
 * or -1 with `why` if no such call is possible (HP-CALLERS). Called inside objects_locked(). */
int keep_plan(const struct slot *slot, const struct module *module, struct replacement *replacement,
              struct refusal *why);

/* Return a warning that names the functions whose new layers are called through keeping stubs, malloc'd; NULL if there
 * are no such functions. */
char *keep_warning(const struct change *changes);

/* Return the registers that calls of the slot's replacement keep; NULL if there are none. */
const struct arch_kept *keep_of(const struct slot *slot);

#endif
