/*
 * rel_debug.h - the debug sections of a relocatable object, with their relocations applied.
 *
 * The sections of such an object have no addresses. Here an address names a place: the upper half is the section's
 * index, the lower half the offset in it; of a COMMON or undefined symbol the upper half is REL_DEBUG_SYMBOL with the
 * symbol's index. Compiled into the command alone; one thread.
 */
#ifndef HOTPATCH_REL_DEBUG_H
#define HOTPATCH_REL_DEBUG_H

#include <stdint.h>

#include "elf/rel_object.h"

#define REL_DEBUG_SYMBOL UINT32_C(0x80000000)

/* Return a copy of the whole file in which the fields of all sections .debug_* are relocated, malloc'd; NULL: no memory. */
uint8_t *rel_debug_copy(const struct rel_object *object);

#endif
