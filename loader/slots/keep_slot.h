/*
 * keep_slot.h - what callers of an entry slot's function rely on, and so how a new layer is called.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_KEEP_SLOT_H
#define HOTPATCH_KEEP_SLOT_H

#include "base/refusal.h"
#include "loader/slots/change.h"
#include "loader/slots/module_state.h"

/* Decide how calls of a module's replacement on an entry slot are made, and write that into the replacement. 0; -1: they cannot be made,
 * `why` says so (HP-CALLERS). Inside objects_locked(). */
int keep_plan(const struct slot *slot, const struct module *module, struct replacement *replacement,
              struct refusal *why);

/* Return a warning that names the functions whose new layers are called through keeping stubs, malloc'd; NULL: there is
 * none. */
char *keep_warning(const struct change *changes);

/* Return what calls of the slot's replacement keep; NULL: nothing. */
const struct arch_kept *keep_of(const struct slot *slot);

#endif
