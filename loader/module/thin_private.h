/*
 * thin_private.h - exported functions of the target whose old entry stays, with the old prototype, while the code of a
 * thin object calls another: no object of the process other than the target may be bound to them.
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_THIN_PRIVATE_H
#define HOTPATCH_THIN_PRIVATE_H

#include "base/refusal.h"

struct module;

/* Return 0, or -1 with `why` (HP-TYPES) that names the object that is bound to such a function, or that the target's own
 * calls are bound to. The module's target is found. */
int thin_private_check(const struct module *module, struct refusal *why);

#endif
