/*
 * unit_callers.h - who refers to a function within its unit.
 */
#ifndef HOTPATCH_UNIT_CALLERS_H
#define HOTPATCH_UNIT_CALLERS_H

#include "cli/build/unit_compare.h"

/* Return whether anything takes the function's address, before or after the edit: then not all its callers are known. */
bool unit_callers_take_address(const struct unit_compare *compare, uint32_t after);

/* Return whether another function that calls it differs, or is new. */
bool unit_callers_changed(const struct unit_compare *compare, uint32_t after);

#endif
