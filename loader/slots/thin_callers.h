/*
 * thin_callers.h - the functions of each object that code of thin objects calls directly. That code was compiled
 * together with these functions, and may rely on more than the psABI promises, as the object's own callers may; it is
 * not in the object, so object_callers does not see it. A caller stays, also after the revert of its module: a thread
 * may still run it.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_THIN_CALLERS_H
#define HOTPATCH_THIN_CALLERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct object;

/* Add addresses (before load bias) that are called. Return 0, or -1 if there is no memory. */
int thin_callers_add(const struct object *object, const uint64_t *called, size_t count);
bool thin_callers_has(const struct object *object, uint64_t called);
/* Register with the list of objects (object.h): the callers of an object go with it. */
void thin_callers_register(void);

#endif
