/*
 * correlate_use.h - match variables by the code that uses them.
 *
 * Two functions of the same shape, of one name or one gone and one new, use the same variables at the same places.
 *
 * Compiled into the command; one thread.
 */
#ifndef HOTPATCH_CORRELATE_USE_H
#define HOTPATCH_CORRELATE_USE_H

#include "cli/build/unit_compare.h"

/* Match the variables that are not matched yet and that no two places contradict. Return 0, or -1: no memory. */
int correlate_by_use(struct unit_compare *compare);

#endif
