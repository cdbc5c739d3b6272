/*
 * inlined.h - where the compiler put copies of a function in place of calls, by DWARF
 * (DW_TAG_inlined_subroutine). A patch of the function does not reach them.
 */
#ifndef HOTPATCH_INLINED_H
#define HOTPATCH_INLINED_H

#include <stdint.h>

#include "cli/debug/debug_info.h"

/* Return "main (reader.c:12), f (reader.c:40) and 3 more", malloc'd; NULL: nowhere, or not known. After `budget`
 * ms the search ends with what it has found. */
char *inlined_into(struct debug_info *info, uint64_t address, unsigned budget);

/* The same for a function that has no code but such copies; "" where there are none of them; NULL: no function
 * has that name. */
char *inlined_everywhere(struct debug_info *info, const char *name, unsigned budget);

#endif
