/*
 * thin_callers.h - what calls by code of thin objects rely on in functions of each object. That code was compiled
 * together with these functions; it is not in the object, so that object_callers does not see it. A caller stays, also
 * after the revert of its module: a thread may still run it.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_THIN_CALLERS_H
#define HOTPATCH_THIN_CALLERS_H

#include <stdint.h>

#include "arch/callers.h"

struct object;

/* Add what calls of the function at `called` (before load bias) rely on. Return 0, or -1 if there is no memory. */
int thin_callers_add(const struct object *object, uint64_t called, const struct arch_kept *kept);
/* Add to `kept` what such calls of the function rely on. */
void thin_callers_merge(const struct object *object, uint64_t called, struct arch_kept *kept);
/* Return whether all that `kept` has is kept by `by`, which may be NULL. */
bool thin_callers_covered(const struct arch_kept *kept, const struct arch_kept *by);
/* Register with the list of objects (object.h): the callers of an object go with it. */
void thin_callers_register(void);

#endif
