/*
 * comparable.h - which instructions leave the same when they are run twice, here and on any other
 * processor. The only list of those that do not.
 *
 * For all comparisons of code with its moved copy: those of compilers' code, of hand-written and of
 * random code, and the fuzz target. Where an instruction is missing from a processor, it raises SIGILL
 * in both: that needs no entry here.
 */
#ifndef HOTPATCH_TEST_COMPARABLE_H
#define HOTPATCH_TEST_COMPARABLE_H

#include <stdint.h>
#include <Zydis/Zydis.h>

/* Why two runs of the instruction may leave different things; NULL: they may not. */
const char *comparable_not(const ZydisDecodedInstruction *in);

/* The bits of EFLAGS that are undefined after the instruction if `before` were before it, by the
 * manuals. `read` gets those of `before` that the instruction reads. */
uint32_t comparable_undefined_flags(const ZydisDecodedInstruction *in, uint32_t before,
                                    uint32_t *read);

#endif
