/*
 * callers_effects.c - see callers_effects.h: an instruction's target, its effect on the stack, and its part in a jump
 * table. Any thread.
 */
#include "arch/x86_64/callers_effects.h"

#include "arch/x86_64/callers_decoded.h"

/* ------------------------------------------------------- the target --- */

static bool is_relative_to_itself(const ZydisDecodedOperand *op)
{
    return op->type == ZYDIS_OPERAND_TYPE_MEMORY && op->mem.base == ZYDIS_REGISTER_RIP;
}

/* Return the kind of a call or jump through a register or memory. */
static uint8_t indirect_kind(const struct decoded *decoded, bool call, struct effects *out)
{
    const ZydisDecodedOperand *op = &decoded->operands[0];

    if (is_relative_to_itself(op))
        return call ? EFFECT_CALL_WORD : EFFECT_JUMP_WORD;
    out->simple_memory = op->type == ZYDIS_OPERAND_TYPE_MEMORY &&
                         op->mem.index == ZYDIS_REGISTER_NONE &&
                         op->mem.base != ZYDIS_REGISTER_NONE;
    if (call && out->simple_memory && op->mem.base == ZYDIS_REGISTER_RAX && op->mem.disp.value == 0)
        return EFFECT_CALL_AT_RAX;
    return call ? EFFECT_CALL_UNKNOWN : EFFECT_JUMP_UNKNOWN;
}

static uint8_t effects_kind(const struct decoded *decoded, struct effects *out)
{
    const ZydisDecodedInstruction *in = &decoded->in;
    bool direct = in->raw.imm[0].is_relative;

    out->nothing = in->mnemonic == ZYDIS_MNEMONIC_NOP;
    out->field_bytes = direct ? in->raw.imm[0].size / 8 : 0;
    switch (in->meta.category) {
    case ZYDIS_CATEGORY_CALL:
        return direct ? EFFECT_CALL : indirect_kind(decoded, true, out);
    case ZYDIS_CATEGORY_UNCOND_BR:
        return direct ? EFFECT_JUMP : indirect_kind(decoded, false, out);
    case ZYDIS_CATEGORY_COND_BR:
        return EFFECT_BRANCH;
    case ZYDIS_CATEGORY_RET:
        return EFFECT_RETURN;
    default:
        break;
    }
    switch (in->mnemonic) {
    case ZYDIS_MNEMONIC_XBEGIN:
        return EFFECT_BRANCH;
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_INT3:
        return EFFECT_END;
    default:
        return EFFECT_PLAIN;
    }
}

static bool decides_above(ZydisMnemonic mnemonic)
{
    return mnemonic == ZYDIS_MNEMONIC_JNBE || mnemonic == ZYDIS_MNEMONIC_JNB ||
           mnemonic == ZYDIS_MNEMONIC_JBE || mnemonic == ZYDIS_MNEMONIC_JB;
}

/* ------------------------------------------------------- the stack --- */

static int register_operand(const struct decoded *decoded, unsigned i)
{
    const ZydisDecodedOperand *op = decoded_operand(decoded, i, ZYDIS_OPERAND_TYPE_REGISTER);

    return op ? decoded_general(op->reg.value) : -1;
}

static uint8_t moves_by(struct effects *out, int64_t amount)
{
    out->amount = (int32_t)amount;
    return amount == (int32_t)amount ? STACK_MOVES : STACK_LOST;
}

/* lea disp(%rsp or %rbp), %rsp or %rbp */
static uint8_t stack_of_lea(const struct decoded *decoded, struct effects *out)
{
    const ZydisDecodedOperand *from = &decoded->operands[1];
    int to = register_operand(decoded, 0), base = decoded_general(from->mem.base);

    if (base >= 0)
        out->amount = (int32_t)from->mem.disp.value;
    if (to == RSP && from->mem.index == ZYDIS_REGISTER_NONE && base == RSP)
        return STACK_MOVES;
    if (to == RSP && from->mem.index == ZYDIS_REGISTER_NONE && base == RBP)
        return STACK_FROM_FRAME;
    if (to == RBP && from->mem.index == ZYDIS_REGISTER_NONE && base == RSP)
        return FRAME_FROM_STACK;
    return to == RSP ? STACK_LOST : FRAME_LOST;
}

static uint8_t stack_of_arithmetic(const struct decoded *decoded, struct effects *out)
{
    const ZydisDecodedOperand *by = decoded_operand(decoded, 1, ZYDIS_OPERAND_TYPE_IMMEDIATE);
    ZydisMnemonic mnemonic = decoded->in.mnemonic;

    /* The space of alloca(3) is a multiple of 16. */
    if (!by)
        return mnemonic == ZYDIS_MNEMONIC_SUB ? STACK_SAME : STACK_LOST;
    if (mnemonic == ZYDIS_MNEMONIC_ADD || mnemonic == ZYDIS_MNEMONIC_SUB)
        return moves_by(out, mnemonic == ZYDIS_MNEMONIC_ADD ? by->imm.value.s : -by->imm.value.s);
    if (mnemonic == ZYDIS_MNEMONIC_AND && by->imm.value.s <= -16 && (by->imm.value.s & 15) == 0)
        return STACK_ALIGNED;
    return STACK_LOST;
}

static uint8_t stack_of_write(const struct decoded *decoded, bool to_stack, struct effects *out)
{
    int from = register_operand(decoded, 1);

    switch (decoded->in.mnemonic) {
    case ZYDIS_MNEMONIC_MOV:
        out->amount = 0;
        if (to_stack && from == RBP)
            return STACK_FROM_FRAME;
        if (!to_stack && from == RSP)
            return FRAME_FROM_STACK;
        break;
    case ZYDIS_MNEMONIC_LEA:
        return stack_of_lea(decoded, out);
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_AND:
        if (to_stack)
            return stack_of_arithmetic(decoded, out);
        break;
    default:
        break;
    }
    return to_stack ? STACK_LOST : FRAME_LOST;
}

static uint8_t stack_of_push(const struct decoded *decoded, struct effects *out)
{
    int size = decoded->operands[0].size == 16 ? 2 : 8;

    if (decoded->in.mnemonic == ZYDIS_MNEMONIC_PUSH) {
        out->pushed = (int8_t)register_operand(decoded, 0);
        return moves_by(out, -size);
    }
    out->popped = (int8_t)register_operand(decoded, 0);
    moves_by(out, size);
    if (out->popped == RSP)
        return STACK_LOST;
    return out->popped == RBP ? STACK_MOVES_FRAME_LOST : STACK_MOVES;
}

static uint8_t effects_stack(const struct decoded *decoded, struct effects *out)
{
    uint16_t touched = general_of(&out->touches);

    switch (decoded->in.mnemonic) {
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_POP:
        return stack_of_push(decoded, out);
    case ZYDIS_MNEMONIC_PUSHFQ:
        return moves_by(out, -8);
    case ZYDIS_MNEMONIC_POPFQ:
        return moves_by(out, 8);
    case ZYDIS_MNEMONIC_LEAVE:
        return STACK_AND_FRAME;
    case ZYDIS_MNEMONIC_CALL:
    case ZYDIS_MNEMONIC_RET:
        return STACK_SAME;
    default:
        break;
    }
    if (touched & 1 << RSP)
        return stack_of_write(decoded, true, out);
    return touched & 1 << RBP ? stack_of_write(decoded, false, out) : STACK_SAME;
}

/* ------------------------------------------------------- jump tables --- */

static void note_table_memory(const struct decoded *decoded, struct effects *out)
{
    const ZydisDecodedOperand *op =
        &decoded->operands[decoded->in.meta.category == ZYDIS_CATEGORY_UNCOND_BR ? 0 : 1];

    if (op->type != ZYDIS_OPERAND_TYPE_MEMORY)
        return;
    out->base = (int8_t)decoded_general(op->mem.base);
    out->index = (int8_t)decoded_general(op->mem.index);
    switch (decoded->in.mnemonic) {
    case ZYDIS_MNEMONIC_LEA:
        if (is_relative_to_itself(op))
            out->table = TABLE_ADDRESS;
        return;
    case ZYDIS_MNEMONIC_MOVSXD:
        if (op->mem.scale == 4 && out->base >= 0 && op->mem.disp.value == 0)
            out->table = TABLE_LOAD;
        return;
    case ZYDIS_MNEMONIC_JMP:
    case ZYDIS_MNEMONIC_MOV:
        if (op->mem.scale == 8 && op->mem.base == ZYDIS_REGISTER_NONE && out->index >= 0 &&
            op->mem.segment != ZYDIS_REGISTER_FS) {
            out->table = TABLE_MEMORY;
            out->value = op->mem.disp.value;
        }
        return;
    default:
        return;
    }
}

static void note_table(const struct decoded *decoded, struct effects *out)
{
    const ZydisDecodedOperand *by;

    out->to = (int8_t)register_operand(decoded, 0);
    switch (decoded->in.mnemonic) {
    case ZYDIS_MNEMONIC_ADD:
        out->base = (int8_t)register_operand(decoded, 1);
        if (out->to >= 0 && out->base >= 0)
            out->table = TABLE_ADD;
        return;
    case ZYDIS_MNEMONIC_CMP:
        by = decoded_operand(decoded, 1, ZYDIS_OPERAND_TYPE_IMMEDIATE);
        if (by) {
            out->table = TABLE_COMPARE;
            out->value = by->imm.value.s;
        }
        return;
    case ZYDIS_MNEMONIC_JMP:
        if (out->to >= 0)
            out->table = TABLE_JUMP;
        else
            note_table_memory(decoded, out);
        return;
    case ZYDIS_MNEMONIC_LEA:
    case ZYDIS_MNEMONIC_MOVSXD:
    case ZYDIS_MNEMONIC_MOV:
        note_table_memory(decoded, out);
        return;
    default:
        return;
    }
}

/* ------------------------------------------------------- the relative field --- */

void effects_lead(struct effects *effects, uint64_t where)
{
    if (effects->table == TABLE_ADDRESS)
        effects->value = (int64_t)where;
    else if (effects->kind != EFFECT_PLAIN)
        effects->target = where;
}

/* Record the relative field of a branch or of an operand's address: there is at most one. */
static void note_relative(const struct decoded *decoded, uint64_t address, struct effects *out)
{
    const ZydisDecodedInstruction *in = &decoded->in;
    uint64_t distance = 0;

    if (in->raw.imm[0].is_relative) {
        out->relative_at = in->raw.imm[0].offset;
        out->relative_bytes = in->raw.imm[0].size / 8;
        distance = (uint64_t)in->raw.imm[0].value.s;
    }
    for (unsigned i = 0; i < in->operand_count; i++)
        if (is_relative_to_itself(&decoded->operands[i])) {
            out->relative_at = in->raw.disp.offset;
            out->relative_bytes = in->raw.disp.size / 8;
            distance = (uint64_t)decoded->operands[i].mem.disp.value;
        }
    if (out->relative_bytes > 0)
        effects_lead(out, address + in->length + distance);
}

/* Record other fields that may have any value: offsets of data, and numbers that are loaded, pushed or tested. */
static void note_any_value(const struct decoded *decoded, struct effects *out)
{
    const ZydisDecodedInstruction *in = &decoded->in;
    ZydisMnemonic mnemonic = in->mnemonic;

    if (out->kind == EFFECT_PLAIN && out->table != TABLE_MEMORY && out->relative_bytes == 0 &&
        mnemonic != ZYDIS_MNEMONIC_LEA && mnemonic != ZYDIS_MNEMONIC_MOVSXD) {
        out->displacement_at = in->raw.disp.offset;
        out->displacement_bytes = in->raw.disp.size / 8;
    }
    if (mnemonic == ZYDIS_MNEMONIC_MOV || mnemonic == ZYDIS_MNEMONIC_PUSH ||
        mnemonic == ZYDIS_MNEMONIC_TEST) {
        out->immediate_at = in->raw.imm[0].offset;
        out->immediate_bytes = in->raw.imm[0].size / 8;
    }
}

/* ------------------------------------------------------- decoding --- */

static bool decode(const uint8_t *code, size_t size, struct decoded *out)
{
    ZydisDecoder decoder;
    ZydisDecoderContext context;

    return ZYAN_SUCCESS(
               ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)) &&
           ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, &context, code, size, &out->in)) &&
           ZYAN_SUCCESS(ZydisDecoderDecodeOperands(&decoder, &context, &out->in, out->operands,
                                                   out->in.operand_count));
}

bool effects_decode(const uint8_t *code, size_t size, uint64_t address, struct effects *out)
{
    struct decoded decoded;

    if (!decode(code, size, &decoded))
        return false;
    *out = (struct effects){
        .length = decoded.in.length, .pushed = -1, .popped = -1, .to = -1, .base = -1, .index = -1};
    decoded_registers(&decoded, out);
    out->kind = effects_kind(&decoded, out);
    out->above = decides_above(decoded.in.mnemonic);
    out->stack = effects_stack(&decoded, out);
    note_table(&decoded, out);
    note_relative(&decoded, address, out);
    note_any_value(&decoded, out);
    return true;
}
