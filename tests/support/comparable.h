/*
 * comparable.h - which instructions have the same results when they run twice, on this processor and on any other. This
 * is the only list of instructions that have not.
 *
 * All comparisons of code with its relocated copy use it: those of compilers' code, of hand-written and of random code,
 * and the fuzz target. An instruction that a processor does not have raises SIGILL in both runs and needs no entry
 * here.
 */
#ifndef HOTPATCH_TEST_COMPARABLE_H
#define HOTPATCH_TEST_COMPARABLE_H

#include <stdint.h>
#include <Zydis/Zydis.h>

/* Return why two runs of the instruction may have different results; NULL if they may not. */
const char *comparable_not(const ZydisDecodedInstruction *in);

/* Return the bits of EFLAGS that are undefined after the instruction if `before` were undefined before it, by the
 * manuals. `read` gets the bits of `before` that the instruction reads. */
uint32_t comparable_undefined_flags(const ZydisDecodedInstruction *in, uint32_t before,
                                    uint32_t *read);

#endif
