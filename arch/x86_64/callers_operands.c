/*
 * callers_operands.c - finds the registers that an instruction reads and writes, from Zydis's operands. Any thread.
 * Registers of Zydis are compared as ranges of numbers: the engine does not have libZydis's own functions for them
 * (decoder.c).
 */
#include "arch/x86_64/callers_decoded.h"

#include <string.h>

#define ANY_READ (ZYDIS_OPERAND_ACTION_READ | ZYDIS_OPERAND_ACTION_CONDREAD)
#define ANY_WRITE (ZYDIS_OPERAND_ACTION_WRITE | ZYDIS_OPERAND_ACTION_CONDWRITE)

static bool is_between(ZydisRegister reg, ZydisRegister first, ZydisRegister last)
{
    return reg >= first && reg <= last;
}

/* Return the register's number, or -1: it is no general register. */
int decoded_general(ZydisRegister reg)
{
    if (is_between(reg, ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_R15))
        return (int)(reg - ZYDIS_REGISTER_RAX);
    if (is_between(reg, ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_R15D))
        return (int)(reg - ZYDIS_REGISTER_EAX);
    if (is_between(reg, ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W))
        return (int)(reg - ZYDIS_REGISTER_AX);
    if (is_between(reg, ZYDIS_REGISTER_AL, ZYDIS_REGISTER_BL))
        return (int)(reg - ZYDIS_REGISTER_AL);
    if (is_between(reg, ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH))
        return (int)(reg - ZYDIS_REGISTER_AH);
    if (is_between(reg, ZYDIS_REGISTER_SPL, ZYDIS_REGISTER_R15B))
        return (int)(reg - ZYDIS_REGISTER_SPL) + 4;
    return -1;
}

static uint64_t general_bits(ZydisRegister reg, unsigned number)
{
    if (is_between(reg, ZYDIS_REGISTER_AH, ZYDIS_REGISTER_BH))
        return UINT64_C(1) << (16 + number);
    if (is_between(reg, ZYDIS_REGISTER_AL, ZYDIS_REGISTER_R15B))
        return UINT64_C(1) << number;
    if (is_between(reg, ZYDIS_REGISTER_AX, ZYDIS_REGISTER_R15W))
        return UINT64_C(0x10001) << number;
    return general_parts(UINT64_C(1) << number);
}

static int vector_number(ZydisRegister reg)
{
    if (is_between(reg, ZYDIS_REGISTER_XMM0, ZYDIS_REGISTER_XMM31))
        return (int)(reg - ZYDIS_REGISTER_XMM0);
    if (is_between(reg, ZYDIS_REGISTER_YMM0, ZYDIS_REGISTER_YMM31))
        return (int)(reg - ZYDIS_REGISTER_YMM0);
    if (is_between(reg, ZYDIS_REGISTER_ZMM0, ZYDIS_REGISTER_ZMM31))
        return (int)(reg - ZYDIS_REGISTER_ZMM0);
    return -1;
}

/* Return the lowest `size` bits of a vector register. */
static struct registers vector_bits(unsigned number, unsigned size)
{
    uint64_t bit = UINT64_C(1) << number;
    struct registers set = {.scalar = bit};

    if (size > 32)
        set.scalar |= bit << 32;
    if (size > 64)
        set.vector |= bit;
    if (size > 128)
        set.vector |= bit << 32;
    if (size > 256)
        set.wide |= bit;
    return set;
}

/* Return the part of a register of `size` bits. */
static struct registers register_bits(ZydisRegister reg, unsigned size)
{
    struct registers none = {0};
    int number = decoded_general(reg);

    if (number >= 0)
        return (struct registers){.general = general_bits(reg, (unsigned)number)};
    number = vector_number(reg);
    if (number >= 0)
        return vector_bits((unsigned)number, size);
    if (is_between(reg, ZYDIS_REGISTER_K0, ZYDIS_REGISTER_K7))
        none.general = UINT64_C(1) << (MASK_SHIFT + reg - ZYDIS_REGISTER_K0);
    else if (is_between(reg, ZYDIS_REGISTER_ST0, ZYDIS_REGISTER_ST7))
        none.general = UINT64_C(1) << (X87_SHIFT + reg - ZYDIS_REGISTER_ST0);
    else if (is_between(reg, ZYDIS_REGISTER_MM0, ZYDIS_REGISTER_MM7))
        none.general = UINT64_C(1) << (X87_SHIFT + reg - ZYDIS_REGISTER_MM0);
    return none;
}

static void add_registers(struct registers *set, struct registers more)
{
    *set = registers_or(*set, more);
}

/* ------------------------------------------------------- corrections of Zydis's tables --- */

/* Return whether the instruction reads or writes the upper half of 16 bytes, which Zydis counts as 8. */
static bool moves_upper_half(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_MOVHLPS:
    case ZYDIS_MNEMONIC_MOVHPS:
    case ZYDIS_MNEMONIC_MOVHPD:
    case ZYDIS_MNEMONIC_MOVLHPS:
    case ZYDIS_MNEMONIC_VMOVHLPS:
    case ZYDIS_MNEMONIC_VMOVHPS:
    case ZYDIS_MNEMONIC_VMOVHPD:
    case ZYDIS_MNEMONIC_UNPCKHPS:
    case ZYDIS_MNEMONIC_UNPCKHPD:
    case ZYDIS_MNEMONIC_VUNPCKHPS:
    case ZYDIS_MNEMONIC_VUNPCKHPD:
    case ZYDIS_MNEMONIC_PUNPCKHBW:
    case ZYDIS_MNEMONIC_PUNPCKHWD:
    case ZYDIS_MNEMONIC_PUNPCKHDQ:
    case ZYDIS_MNEMONIC_PUNPCKHQDQ:
    case ZYDIS_MNEMONIC_VPUNPCKHBW:
    case ZYDIS_MNEMONIC_VPUNPCKHWD:
    case ZYDIS_MNEMONIC_VPUNPCKHDQ:
    case ZYDIS_MNEMONIC_VPUNPCKHQDQ:
        return true;
    default:
        return false;
    }
}

static bool writes_upper_half(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_MOVHPS || mnemonic == ZYDIS_MNEMONIC_MOVHPD ||
           mnemonic == ZYDIS_MNEMONIC_MOVLHPS;
}

/* Return whether the first operand is written and keeps its upper part. */
static bool writes_low_part(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_CVTSI2SD:
    case ZYDIS_MNEMONIC_CVTSI2SS:
    case ZYDIS_MNEMONIC_CVTSD2SS:
    case ZYDIS_MNEMONIC_CVTSS2SD:
    case ZYDIS_MNEMONIC_SQRTSD:
    case ZYDIS_MNEMONIC_SQRTSS:
    case ZYDIS_MNEMONIC_RCPSS:
    case ZYDIS_MNEMONIC_RSQRTSS:
    case ZYDIS_MNEMONIC_ROUNDSD:
    case ZYDIS_MNEMONIC_ROUNDSS:
        return true;
    default:
        return false;
    }
}

static bool is_of_equals(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_XOR:
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_SBB:
    case ZYDIS_MNEMONIC_PXOR:
    case ZYDIS_MNEMONIC_XORPS:
    case ZYDIS_MNEMONIC_XORPD:
    case ZYDIS_MNEMONIC_PSUBB:
    case ZYDIS_MNEMONIC_PSUBW:
    case ZYDIS_MNEMONIC_PSUBD:
    case ZYDIS_MNEMONIC_PSUBQ:
    case ZYDIS_MNEMONIC_PCMPEQB:
    case ZYDIS_MNEMONIC_PCMPEQW:
    case ZYDIS_MNEMONIC_PCMPEQD:
    case ZYDIS_MNEMONIC_PCMPEQQ:
    case ZYDIS_MNEMONIC_PCMPGTB:
    case ZYDIS_MNEMONIC_PCMPGTW:
    case ZYDIS_MNEMONIC_PCMPGTD:
    case ZYDIS_MNEMONIC_VPXOR:
    case ZYDIS_MNEMONIC_VPXORD:
    case ZYDIS_MNEMONIC_VPXORQ:
    case ZYDIS_MNEMONIC_VXORPS:
    case ZYDIS_MNEMONIC_VXORPD:
    case ZYDIS_MNEMONIC_VPCMPEQB:
    case ZYDIS_MNEMONIC_VPCMPEQW:
    case ZYDIS_MNEMONIC_VPCMPEQD:
    case ZYDIS_MNEMONIC_VPCMPEQQ:
    case ZYDIS_MNEMONIC_KXORB:
    case ZYDIS_MNEMONIC_KXORW:
    case ZYDIS_MNEMONIC_KXORD:
    case ZYDIS_MNEMONIC_KXORQ:
    case ZYDIS_MNEMONIC_KXNORB:
    case ZYDIS_MNEMONIC_KXNORW:
    case ZYDIS_MNEMONIC_KXNORD:
    case ZYDIS_MNEMONIC_KXNORQ:
        return true;
    default:
        return false;
    }
}

const ZydisDecodedOperand *decoded_operand(const struct decoded *decoded, unsigned i,
                                           ZydisOperandType type)
{
    return i < decoded->in.operand_count && decoded->operands[i].type == type
               ? &decoded->operands[i]
               : NULL;
}

static bool is_immediate(const struct decoded *decoded, unsigned i, int64_t value)
{
    const ZydisDecodedOperand *found = decoded_operand(decoded, i, ZYDIS_OPERAND_TYPE_IMMEDIATE);

    return found && found->imm.value.s == value;
}

/* Return whether the result does not depend on the registers: xor %eax, %eax; or $-1, %eax; ... */
static bool ignores_its_registers(const struct decoded *decoded)
{
    ZydisMnemonic mnemonic = decoded->in.mnemonic;
    unsigned last =
        decoded->in.operand_count_visible > 0 ? decoded->in.operand_count_visible - 1u : 0;
    const ZydisDecodedOperand *a, *b;

    if (mnemonic == ZYDIS_MNEMONIC_NOP)
        return true;
    if ((mnemonic == ZYDIS_MNEMONIC_OR && is_immediate(decoded, 1, -1)) ||
        (mnemonic == ZYDIS_MNEMONIC_AND && is_immediate(decoded, 1, 0)))
        return decoded_operand(decoded, 0, ZYDIS_OPERAND_TYPE_REGISTER) != NULL;
    if (mnemonic == ZYDIS_MNEMONIC_VPTERNLOGD || mnemonic == ZYDIS_MNEMONIC_VPTERNLOGQ)
        return is_immediate(decoded, last, 0xff) || is_immediate(decoded, last, -1);
    if (!is_of_equals(mnemonic) || last == 0)
        return false;
    a = decoded_operand(decoded, last, ZYDIS_OPERAND_TYPE_REGISTER);
    b = decoded_operand(decoded, last - 1, ZYDIS_OPERAND_TYPE_REGISTER);
    return a && b && a->reg.value == b->reg.value;
}

/* ------------------------------------------------------- registers --- */

static bool is_legacy(const ZydisDecodedInstruction *in)
{
    return in->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY ||
           in->encoding == ZYDIS_INSTRUCTION_ENCODING_3DNOW;
}

static void note_read(const struct decoded *decoded, const ZydisDecodedOperand *op,
                      struct effects *out)
{
    unsigned size = op->size;

    if (moves_upper_half(decoded->in.mnemonic) && size < 128)
        size = 128;
    add_registers(&out->reads, register_bits(op->reg.value, size));
}

static void note_write(const struct decoded *decoded, const ZydisDecodedOperand *op,
                       struct effects *out)
{
    int general = decoded_general(op->reg.value), vector = vector_number(op->reg.value);
    struct registers written = register_bits(op->reg.value, op->size);
    bool merges =
        (op->actions & (ZYDIS_OPERAND_ACTION_CONDWRITE | ZYDIS_OPERAND_ACTION_CONDREAD)) != 0;

    if (vector >= 0 && !is_legacy(&decoded->in))
        written = vector_bits((unsigned)vector, 512); /* the rest is zeroed */
    else if (vector >= 0 && writes_upper_half(decoded->in.mnemonic))
        written = (struct registers){.vector = UINT64_C(1) << vector};
    if (!merges)
        add_registers(&out->writes, written);
    if (general >= 0)
        written = general_registers((uint16_t)(1u << general));
    else if (vector >= 0)
        add_registers(&written, vector_registers(1u << vector));
    add_registers(&out->touches, written);
}

static void note_memory(const ZydisDecodedOperand *op, struct effects *out)
{
    add_registers(&out->reads, register_bits(op->mem.base, 512));
    add_registers(&out->reads, register_bits(op->mem.index, 512));
}

static bool is_scalar_float(const ZydisDecodedOperand *op)
{
    return vector_number(op->reg.value) >= 0 && op->element_count == 1 &&
           (op->element_type == ZYDIS_ELEMENT_TYPE_FLOAT32 ||
            op->element_type == ZYDIS_ELEMENT_TYPE_FLOAT64);
}

static void note_operand(const struct decoded *decoded, unsigned i, bool ignored,
                         struct effects *out)
{
    const ZydisDecodedOperand *op = &decoded->operands[i];

    if (op->type == ZYDIS_OPERAND_TYPE_MEMORY && decoded->in.mnemonic != ZYDIS_MNEMONIC_NOP)
        note_memory(op, out);
    if (op->type != ZYDIS_OPERAND_TYPE_REGISTER)
        return;
    out->scalar_float |= is_scalar_float(op);
    if ((op->actions & ANY_READ) && !ignored && !(i == 0 && writes_low_part(decoded->in.mnemonic)))
        note_read(decoded, op, out);
    if (op->actions & ANY_WRITE)
        note_write(decoded, op, out);
}

/* Add registers that are not among the operands. */
static void note_implied(ZydisMnemonic mnemonic, struct effects *out)
{
    struct registers upper = {.vector = UINT64_C(0xffff) << 32, .wide = 0xffff};
    struct registers more = {0};

    switch (mnemonic) {
    case ZYDIS_MNEMONIC_VZEROALL:
        more = registers_or(upper, vector_registers(0xffff));
        break;
    case ZYDIS_MNEMONIC_VZEROUPPER:
        more = upper;
        break;
    case ZYDIS_MNEMONIC_SYSCALL:
        more = general_registers(1 << RAX);
        /* Its arguments: the kernel reads rax, rdi, rsi, rdx, r10, r8, r9. */
        add_registers(&out->reads, general_registers(1 << RAX | 1 << RDI | 1 << RSI | 1 << RDX |
                                                     1 << R10 | 1 << R8 | 1 << R9));
        break;
    case ZYDIS_MNEMONIC_FNINIT:
    case ZYDIS_MNEMONIC_EMMS:
    case ZYDIS_MNEMONIC_FEMMS:
        more.general = UINT64_C(0xff) << X87_SHIFT;
        break;
    default:
        break;
    }
    add_registers(&out->writes, more);
    add_registers(&out->touches, more);
}

static int x87_push(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_FLD:
    case ZYDIS_MNEMONIC_FILD:
    case ZYDIS_MNEMONIC_FBLD:
    case ZYDIS_MNEMONIC_FLD1:
    case ZYDIS_MNEMONIC_FLDZ:
    case ZYDIS_MNEMONIC_FLDPI:
    case ZYDIS_MNEMONIC_FLDL2E:
    case ZYDIS_MNEMONIC_FLDL2T:
    case ZYDIS_MNEMONIC_FLDLG2:
    case ZYDIS_MNEMONIC_FLDLN2:
    case ZYDIS_MNEMONIC_FPTAN:
    case ZYDIS_MNEMONIC_FSINCOS:
    case ZYDIS_MNEMONIC_FXTRACT:
    case ZYDIS_MNEMONIC_FDECSTP:
        return 1;
    case ZYDIS_MNEMONIC_FSTP:
    case ZYDIS_MNEMONIC_FISTP:
    case ZYDIS_MNEMONIC_FISTTP:
    case ZYDIS_MNEMONIC_FBSTP:
    case ZYDIS_MNEMONIC_FADDP:
    case ZYDIS_MNEMONIC_FMULP:
    case ZYDIS_MNEMONIC_FSUBP:
    case ZYDIS_MNEMONIC_FSUBRP:
    case ZYDIS_MNEMONIC_FDIVP:
    case ZYDIS_MNEMONIC_FDIVRP:
    case ZYDIS_MNEMONIC_FCOMP:
    case ZYDIS_MNEMONIC_FUCOMP:
    case ZYDIS_MNEMONIC_FCOMIP:
    case ZYDIS_MNEMONIC_FUCOMIP:
    case ZYDIS_MNEMONIC_FICOMP:
    case ZYDIS_MNEMONIC_FPATAN:
    case ZYDIS_MNEMONIC_FYL2X:
    case ZYDIS_MNEMONIC_FYL2XP1:
    case ZYDIS_MNEMONIC_FINCSTP:
        return -1;
    case ZYDIS_MNEMONIC_FCOMPP:
    case ZYDIS_MNEMONIC_FUCOMPP:
        return -2;
    default:
        return 0;
    }
}

void decoded_registers(const struct decoded *decoded, struct effects *out)
{
    bool ignored = ignores_its_registers(decoded);

    for (unsigned i = 0; i < decoded->in.operand_count; i++)
        note_operand(decoded, i, ignored, out);
    note_implied(decoded->in.mnemonic, out);
    out->x87_push = (int8_t)x87_push(decoded->in.mnemonic);
}
