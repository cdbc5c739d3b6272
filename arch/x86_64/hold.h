/* hold.h - the bytes of a jump that holds threads on old instruction boundaries. Inside arch/x86_64/. */
#ifndef HOTPATCH_ARCH_HOLD_H
#define HOTPATCH_ARCH_HOLD_H

#include "arch/arch.h"

/* Find the bits of the jump's distance that choice `number` (from 1 on) fixes, and their values. Return false if
 * there is no choice of this number. */
bool hold_pattern(const struct arch_prologue *prologue, unsigned number, uint32_t *fixed,
                  uint32_t *value);

#endif
