/*
 * direct_callers.h - who calls a function directly, for objects that are loaded (arch/callers.h).
 *
 * Runs on whichever thread holds the engine lock, inside objects_locked().
 */
#ifndef HOTPATCH_DIRECT_CALLERS_H
#define HOTPATCH_DIRECT_CALLERS_H

#include "arch/callers.h"

struct object;

/* The index of an object's direct branches, made when first asked for and kept; NULL: it cannot be
 * made (it is logged why). Entries that are armed count as what they were before. */
struct arch_callers *callers_of(struct object *object);

#endif
