/* hold.h - the bytes of a jump that holds threads on old instruction boundaries. Inside arch/x86_64/. */
#ifndef HOTPATCH_ARCH_HOLD_H
#define HOTPATCH_ARCH_HOLD_H

#include "arch/arch.h"

/* Which bits of the jump's distance choice `number` (from 1 on) fixes, and to what. False: there is none of
 * that number. */
bool hold_pattern(const struct arch_prologue *prologue, unsigned number, uint32_t *fixed,
                  uint32_t *value);

#endif
