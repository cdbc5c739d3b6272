/*
 * direct_callers.h - find the direct callers of functions of loaded objects (arch/callers.h).
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_DIRECT_CALLERS_H
#define HOTPATCH_DIRECT_CALLERS_H

#include "arch/callers.h"

struct object;

/* Return the index of an object's direct branches, made at the first call and kept. Return NULL if it cannot be made;
 * the reason is logged. Armed entries are read as they were before. */
struct arch_callers *callers_of(struct object *object);

#endif
