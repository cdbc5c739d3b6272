/*
 * thin_relies.h - what the code of a thin object relies on in functions of its target that it calls directly. The
 * compiler saw both, so these calls may keep values in registers as the target's own calls do (arch/callers.h).
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_THIN_RELIES_H
#define HOTPATCH_THIN_RELIES_H

#include <stddef.h>
#include <stdint.h>

#include "arch/callers.h"

struct module;

struct thin_relied {
    uint64_t called; /* before load bias of the target */
    struct arch_kept kept;
};

/* Find the functions whose calls rely on something, for a module that is linked; `list` is malloc'd. Return their number,
 * or -1 if there is no memory. */
int thin_relies_find(const struct module *module, struct thin_relied **list);

#endif
