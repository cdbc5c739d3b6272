/*
 * object_dwarf_convention.h - where a function expects its arguments, by the debug information.
 */
#ifndef HOTPATCH_OBJECT_DWARF_CONVENTION_H
#define HOTPATCH_OBJECT_DWARF_CONVENTION_H

#include <stdbool.h>

#include "cli/build/object_dwarf.h"

/* Return whether the function at that place takes all its arguments where the psABI puts them: integers and pointers in
 * %rdi, %rsi, %rdx, %rcx, %r8, %r9, floating point in %xmm0 to %xmm7. False also where that is not known. The optimiser
 * leaves out arguments of static functions; code that is not optimised has them in its frame. */
bool object_dwarf_has_convention(const struct object_dwarf *dwarf, struct dwarf_place function);

#endif
