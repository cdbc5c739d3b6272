/*
 * result_type.h - what a function returns, by DWARF: an injection (load --fail) returns an integer or a pointer, in
 * rax, and nothing else.
 */
#ifndef HOTPATCH_RESULT_TYPE_H
#define HOTPATCH_RESULT_TYPE_H

#include <stdint.h>

#include "cli/debug/debug_info.h"

/* "double", "struct point", malloc'd: what the function at `address` returns, where that is neither nothing nor
 * one integer or pointer. NULL: it is, or it is not known. */
char *result_type_unfit(struct debug_info *info, uint64_t address);

#endif
