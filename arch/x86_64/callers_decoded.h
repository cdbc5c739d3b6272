/*
 * callers_decoded.h - an instruction as Zydis decodes it. Shared by callers_effects.c and callers_operands.c.
 */
#ifndef HOTPATCH_CALLERS_DECODED_H
#define HOTPATCH_CALLERS_DECODED_H

#include <Zydis/Zydis.h>

#include "arch/x86_64/callers_instruction.h"

enum { OPERANDS = ZYDIS_MAX_OPERAND_COUNT };

struct decoded {
    ZydisDecodedInstruction in;
    ZydisDecodedOperand operands[OPERANDS];
};

/* Fill in reads, writes, touches and x87_push. */
void decoded_registers(const struct decoded *decoded, struct effects *out);
/* Return a general register's number, or -1. */
int decoded_general(ZydisRegister reg);
/* Return the i-th operand, if it is of this type, else NULL. */
const ZydisDecodedOperand *decoded_operand(const struct decoded *decoded, unsigned i,
                                           ZydisOperandType type);

#endif
