/*
 * callers_effects.h - decode one instruction.
 *
 * Inside arch/ only. Nothing here allocates or keeps anything.
 */
#ifndef HOTPATCH_CALLERS_EFFECTS_H
#define HOTPATCH_CALLERS_EFFECTS_H

#include <stddef.h>

#include "arch/x86_64/callers_instruction.h"

/* Decode the instruction at `address`. Return false if the bytes are no instruction, or are cut. */
bool effects_decode(const uint8_t *code, size_t size, uint64_t address, struct effects *out);
/* Fill in the effects of the target `where` of the relative field. */
void effects_lead(struct effects *effects, uint64_t where);

#endif
