/* stack_steps.c - see stack_steps.h. Intel SDM, volume 2. Pure functions without allocation. */
#include "arch/x86_64/stack_steps.h"

#include <Zydis/Zydis.h>

enum { RSP = 4, RBP = 5, NO_INDEX = 4 };

/* ---- memory operands ---- */

static bool has_memory(const ZydisDecodedInstruction *in)
{
    return (in->attributes & ZYDIS_ATTRIB_HAS_MODRM) && in->raw.modrm.mod != 3;
}

/* Return whether a prefix extends the number of base or index. Zydis has the prefixes in one place, and all but REX
 * have the bits inverted. */
static bool base_is_extended(const ZydisDecodedInstruction *in)
{
    switch (in->encoding) {
    case ZYDIS_INSTRUCTION_ENCODING_VEX:
        return !in->raw.vex.B;
    case ZYDIS_INSTRUCTION_ENCODING_XOP:
        return !in->raw.xop.B;
    case ZYDIS_INSTRUCTION_ENCODING_EVEX:
        return !in->raw.evex.B;
    default:
        return in->raw.rex.B;
    }
}

static bool index_is_extended(const ZydisDecodedInstruction *in)
{
    switch (in->encoding) {
    case ZYDIS_INSTRUCTION_ENCODING_VEX:
        return !in->raw.vex.X;
    case ZYDIS_INSTRUCTION_ENCODING_XOP:
        return !in->raw.xop.X;
    case ZYDIS_INSTRUCTION_ENCODING_EVEX:
        return !in->raw.evex.X;
    default:
        return in->raw.rex.X;
    }
}

static unsigned base_of(const ZydisDecodedInstruction *in)
{
    unsigned base = in->raw.modrm.rm == 4 ? in->raw.sib.base : in->raw.modrm.rm;

    return base | (unsigned)base_is_extended(in) << 3;
}

/* Return whether there is a base; disp32 alone has none. */
static bool has_base(const ZydisDecodedInstruction *in)
{
    return in->raw.modrm.mod != 0 ||
           (in->raw.modrm.rm == 4 ? in->raw.sib.base != 5 : in->raw.modrm.rm != 5);
}

static bool has_index(const ZydisDecodedInstruction *in)
{
    return in->raw.modrm.rm == 4 && (in->raw.sib.index != NO_INDEX || index_is_extended(in));
}

static unsigned reg_of(const ZydisDecodedInstruction *in)
{
    return in->raw.modrm.reg | (unsigned)in->raw.rex.R << 3;
}

/* Return the largest number of bytes that the operand may have. */
static int32_t width_of(const ZydisDecodedInstruction *in)
{
    switch (in->encoding) {
    case ZYDIS_INSTRUCTION_ENCODING_EVEX:
        return 64;
    case ZYDIS_INSTRUCTION_ENCODING_VEX:
    case ZYDIS_INSTRUCTION_ENCODING_XOP:
        return 32;
    default:
        break;
    }
    /* x87 by d8 to df; SSE by 0f. */
    return in->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || (in->opcode & 0xf8) == 0xd8 ? 16 : 8;
}

/* Return the bytes of arguments that are read. An address of arguments, or an address computed from it, may lead to
 * any of them. */
static int64_t reads_of(const ZydisDecodedInstruction *in, const struct stack_place *place)
{
    int64_t offset;

    if (!has_memory(in) || !has_base(in))
        return 0;
    if (base_of(in) == RSP && place->depth_known)
        offset = in->raw.disp.value - place->depth;
    else if (base_of(in) == RBP && place->frame_known)
        offset = in->raw.disp.value - place->frame;
    else
        return 0;
    /* Its frame, and the return address. */
    if (offset < 8 || in->mnemonic == ZYDIS_MNEMONIC_NOP)
        return 0;
    if (in->mnemonic == ZYDIS_MNEMONIC_LEA)
        return reg_of(in) == RSP || reg_of(in) == RBP ? 0 : -1;
    return has_index(in) ? -1 : (offset - 8 + width_of(in) + 7) & ~7;
}

/* ---- effect on rsp and rbp ---- */

static bool is_direct(const ZydisDecodedInstruction *in, unsigned rm)
{
    return (in->attributes & ZYDIS_ATTRIB_HAS_MODRM) && in->raw.modrm.mod == 3 &&
           (in->raw.modrm.rm | (unsigned)in->raw.rex.B << 3) == rm;
}

static void move(struct stack_place *place, int64_t down)
{
    int64_t depth = place->depth + down;

    place->depth = (int32_t)depth;
    place->depth_known &= depth >= -4096 && depth < 1 << 24;
}

static int32_t pushed_bytes(const ZydisDecodedInstruction *in)
{
    return in->operand_width == 16 ? 2 : 8;
}

/* mov between rsp, rbp and others: 89 /r has the destination in r/m, 8b /r in reg. */
static void move_register(const ZydisDecodedInstruction *in, struct stack_place *place)
{
    bool to_rm = in->opcode == 0x89;
    unsigned rm = in->raw.modrm.rm | (unsigned)in->raw.rex.B << 3, reg = reg_of(in);
    unsigned to = to_rm ? rm : reg, from = to_rm ? reg : rm;

    if (to == RBP && from == RSP) {
        place->frame = place->depth;
        place->frame_known = place->depth_known;
    } else if (to == RSP && from == RBP) {
        place->depth = place->frame;
        place->depth_known = place->frame_known;
    } else if (to == RSP) {
        place->depth_known = false;
    } else if (to == RBP) {
        place->frame_known = false;
    }
}

static void load_address(const ZydisDecodedInstruction *in, struct stack_place *place)
{
    bool counted = has_memory(in) && has_base(in) && !has_index(in);
    int64_t disp = in->raw.disp.value;
    bool known = false;
    int32_t depth = 0;

    if (reg_of(in) != RSP && reg_of(in) != RBP)
        return;
    if (counted && base_of(in) == RSP) {
        known = place->depth_known;
        depth = (int32_t)(place->depth - disp);
    } else if (counted && base_of(in) == RBP) {
        known = place->frame_known;
        depth = (int32_t)(place->frame - disp);
    }
    if (reg_of(in) == RSP) {
        place->depth = depth;
        place->depth_known = known;
    } else {
        place->frame = depth;
        place->frame_known = known;
    }
}

static void leave(struct stack_place *place)
{
    place->depth_known = place->frame_known;
    place->depth = place->frame;
    move(place, -8);
    place->frame_known = false;
}

/* add, sub, and, ... with an immediate: 83 /n ib, 81 /n id. */
static void calculate(const ZydisDecodedInstruction *in, struct stack_place *place)
{
    bool immediate = in->opcode == 0x83 || in->opcode == 0x81;

    if (immediate && in->mnemonic == ZYDIS_MNEMONIC_SUB && is_direct(in, RSP))
        move(place, in->raw.imm[0].value.s);
    else if (immediate && in->mnemonic == ZYDIS_MNEMONIC_ADD && is_direct(in, RSP))
        move(place, -in->raw.imm[0].value.s);
    else if (is_direct(in, RSP) && in->mnemonic != ZYDIS_MNEMONIC_CMP &&
             in->mnemonic != ZYDIS_MNEMONIC_TEST)
        place->depth_known = false;
}

/* Apply the effect of an instruction. Other instructions with rbp as the destination are left out: a function that
 * computes addresses from rbp sets it by mov or lea, and for other functions the result is too large at worst. */
static void change(const ZydisDecodedInstruction *in, struct stack_place *place)
{
    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_PUSHFQ:
        move(place, pushed_bytes(in));
        break;
    case ZYDIS_MNEMONIC_POP:
        move(place, -pushed_bytes(in));
        if ((in->opcode & 0xf8) == 0x58 && (in->opcode & 7) == RBP && !in->raw.rex.B)
            place->frame_known = false;
        break;
    case ZYDIS_MNEMONIC_POPFQ:
        move(place, -8);
        break;
    case ZYDIS_MNEMONIC_LEAVE:
        leave(place);
        break;
    case ZYDIS_MNEMONIC_ENTER:
        place->depth_known = place->frame_known = false;
        break;
    case ZYDIS_MNEMONIC_LEA:
        load_address(in, place);
        break;
    case ZYDIS_MNEMONIC_MOV:
        if (in->raw.modrm.mod == 3 && (in->opcode == 0x89 || in->opcode == 0x8b))
            move_register(in, place);
        else if (in->opcode == 0x8b && reg_of(in) == RSP)
            place->depth_known = false;
        else if (in->opcode == 0x8b && reg_of(in) == RBP)
            place->frame_known = false;
        break;
    default:
        if (in->encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
            in->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT)
            calculate(in, place);
        break;
    }
}

/* ---- the target ---- */

static enum stack_flow flow_of(const ZydisDecodedInstruction *in)
{
    bool direct = in->raw.imm[0].is_relative;

    switch (in->meta.category) {
    case ZYDIS_CATEGORY_COND_BR:
        return FLOW_BRANCH;
    case ZYDIS_CATEGORY_UNCOND_BR:
        return in->mnemonic == ZYDIS_MNEMONIC_XABORT ? FLOW_ON : direct ? FLOW_JUMP : FLOW_TABLE;
    case ZYDIS_CATEGORY_RET:
        return FLOW_END;
    default:
        break;
    }
    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_INT3:
        return FLOW_END;
    default:
        return FLOW_ON;
    }
}

bool stack_step(const uint8_t *code, size_t size, uint64_t at, const struct stack_place *before,
                struct stack_step *out)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction in;

    if (ZYAN_FAILED(ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) ||
        ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL, code, size, &in)))
        return false;
    *out = (struct stack_step){.flow = flow_of(&in),
                               .length = in.length,
                               .calls = in.meta.category == ZYDIS_CATEGORY_CALL,
                               .padding = in.mnemonic == ZYDIS_MNEMONIC_NOP ||
                                          in.mnemonic == ZYDIS_MNEMONIC_INT3,
                               .after = *before,
                               .reads = reads_of(&in, before)};
    if (in.raw.imm[0].is_relative)
        out->target = at + in.length + (uint64_t)in.raw.imm[0].value.s;
    change(&in, &out->after);
    return true;
}
