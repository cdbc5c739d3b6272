/*
 * decode.c - see decode.h. The vocabulary is that of the Intel SDM, volume 2.
 */
#include "arch/x86_64/decode.h"

#include <Zydis/Zydis.h>

/* Return whether the operand is memory at RIP + disp32: ModR/M with mod 00 and r/m 101 (SDM 2.2.1.6). */
static bool refers_to_itself(const ZydisDecodedInstruction *in)
{
    return (in->attributes & ZYDIS_ATTRIB_HAS_MODRM) && in->raw.modrm.mod == 0 &&
           in->raw.modrm.rm == 5 && in->raw.disp.size == 32;
}

/*
 * Return whether the instruction depends on the processor. With an operand-size prefix Intel's processors ignore the
 * prefix of a near branch, and AMD's cut RIP to 16 bits. REX.W overrides it on both.
 */
static bool cuts_rip(const ZydisDecodedInstruction *in)
{
    return (in->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE) && !in->raw.rex.W;
}

/* Return whether a repeat prefix stands before the instruction. With it loope and loopne test ZF the other way on
 * some processors, against the manuals. No compiler writes that. */
static bool is_repeated(const ZydisDecodedInstruction *in)
{
    for (unsigned i = 0; i < in->raw.prefix_count; i++) {
        if (in->raw.prefixes[i].value == 0xf2 || in->raw.prefixes[i].value == 0xf3)
            return true;
    }
    return false;
}

static enum instruction_kind branch_kind(const ZydisDecodedInstruction *in)
{
    /* Xeon Phi alone had branches with a VEX prefix: jkzd, jknzd. */
    if (cuts_rip(in) || in->encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
        return INSTRUCTION_FIXED;
    if (in->mnemonic == ZYDIS_MNEMONIC_XBEGIN)
        return INSTRUCTION_BEGIN;
    if (in->meta.category == ZYDIS_CATEGORY_CALL)
        return INSTRUCTION_CALL;
    if (in->meta.category == ZYDIS_CATEGORY_UNCOND_BR)
        return INSTRUCTION_JUMP;
    if (in->opcode >= 0xe0 && in->opcode <= 0xe3)
        return is_repeated(in) ? INSTRUCTION_FIXED : INSTRUCTION_COUNTED;
    if ((in->opcode & 0xf0) == 0x70 || (in->opcode & 0xf0) == 0x80)
        return INSTRUCTION_CONDITIONAL;
    return INSTRUCTION_FIXED;
}

static enum instruction_kind kind_of(const ZydisDecodedInstruction *in)
{
    if (in->raw.imm[0].is_relative)
        return branch_kind(in);
    if (in->mnemonic == ZYDIS_MNEMONIC_INT3 || in->mnemonic == ZYDIS_MNEMONIC_INT1)
        return INSTRUCTION_FIXED; /* of a debugger, which must find it again */
    /* Only a return address of 64 bits can lie in the copy. */
    if (in->meta.category == ZYDIS_CATEGORY_CALL &&
        (cuts_rip(in) || in->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR))
        return INSTRUCTION_FIXED;
    if (!refers_to_itself(in))
        return INSTRUCTION_PLAIN;
    return in->address_width == 64 ? INSTRUCTION_DATA : INSTRUCTION_FIXED;
}

/* Return whether the next instruction never follows. Zydis counts xabort as a jump. Outside a transaction it has no
 * effect if the processor has TSX (SDM 2, XABORT): the next instruction follows. */
static bool never_goes_on(const ZydisDecodedInstruction *in)
{
    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_XABORT:
        return false;
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
        return true;
    default:
        return in->meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
               in->meta.category == ZYDIS_CATEGORY_RET;
    }
}

/* 83 /r ib and 81 /r id of %rsp. */
static bool counts_stack(const ZydisDecodedInstruction *in, ZydisMnemonic mnemonic)
{
    return in->mnemonic == mnemonic && (in->opcode == 0x83 || in->opcode == 0x81) &&
           in->raw.modrm.mod == 3 && in->raw.modrm.rm == 4 && !in->raw.rex.B;
}

static bool takes_stack(const ZydisDecodedInstruction *in)
{
    return in->mnemonic == ZYDIS_MNEMONIC_PUSH || counts_stack(in, ZYDIS_MNEMONIC_SUB);
}

static bool gives_stack(const ZydisDecodedInstruction *in)
{
    return in->mnemonic == ZYDIS_MNEMONIC_POP || in->mnemonic == ZYDIS_MNEMONIC_LEAVE ||
           counts_stack(in, ZYDIS_MNEMONIC_ADD);
}

/* r/m 100: %rsp itself, or a SIB byte whose base may be it (SDM 2.1.3). */
static bool counts_from_stack(const ZydisDecodedInstruction *in)
{
    /* Zydis has REX and the other prefixes in one place. */
    if (in->raw.modrm.rm != 4 ||
        (in->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY && in->raw.rex.B))
        return false;
    return in->raw.modrm.mod == 3 || in->raw.sib.base == 4;
}

static bool is_indirect_call(const ZydisDecodedInstruction *in)
{
    return in->meta.category == ZYDIS_CATEGORY_CALL && (in->attributes & ZYDIS_ATTRIB_HAS_MODRM);
}

static void locate_field(const ZydisDecodedInstruction *in, struct instruction *out)
{
    if (in->raw.imm[0].is_relative) {
        out->field = in->raw.imm[0].offset;
        out->relative = (int32_t)in->raw.imm[0].value.s;
    } else if (refers_to_itself(in)) {
        out->field = in->raw.disp.offset;
        out->relative = (int32_t)in->raw.disp.value;
    }
}

bool instruction_decode(const uint8_t *code, size_t size, struct instruction *out)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction in;

    if (ZYAN_FAILED(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
        ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL, code, size, &in)))
        return false;
    *out = (struct instruction){
        .kind = kind_of(&in),
        .length = in.length,
        .opcode = in.opcode,
        .modrm = is_indirect_call(&in) ? in.raw.modrm.offset : 0,
        .call = in.meta.category == ZYDIS_CATEGORY_CALL,
        .by_stack = is_indirect_call(&in) && counts_from_stack(&in),
        .ends = never_goes_on(&in),
        .nop = in.mnemonic == ZYDIS_MNEMONIC_NOP,
        .breakpoint = in.mnemonic == ZYDIS_MNEMONIC_INT3,
        .takes_stack = takes_stack(&in),
        .gives_stack = gives_stack(&in),
        .repeats = (in.attributes &
                    (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE)) != 0,
        .halves_the_count = (in.attributes & ZYDIS_ATTRIB_HAS_ADDRESSSIZE) != 0,
    };
    locate_field(&in, out);
    return true;
}

bool instruction_branches(const struct instruction *instruction)
{
    return instruction->kind > INSTRUCTION_DATA && instruction->kind < INSTRUCTION_FIXED;
}
