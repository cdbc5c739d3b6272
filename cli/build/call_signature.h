/*
 * call_signature.h - how a function is called, by its debug information: the text that keeping stubs need to know how
 * many arguments lie on the stack and which registers hold the result (resolve/signature_call.h).
 */
#ifndef HOTPATCH_CALL_SIGNATURE_H
#define HOTPATCH_CALL_SIGNATURE_H

#include <stdbool.h>
#include <stdint.h>

struct object_dwarf;

/* Return "int (void *, long, double)", malloc'd, of the function at that place of the object: every type is spelled as one
 * that is passed in the same way. Return NULL where that is not known, and where a structure is passed by value. */
char *call_signature(const struct object_dwarf *dwarf, uint32_t section, uint64_t offset);

/* Return whether direct calls in the unit rely on the psABI alone: clang does not tell callers which registers a callee
 * writes, and gcc does not without optimisation. NULL: not known. */
bool calls_follow_abi(const struct object_dwarf *dwarf);

#endif
