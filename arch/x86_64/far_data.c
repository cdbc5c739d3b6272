/*
 * far_data.c - see arch/far_data.h.
 *
 *     mov stderr(%rip), %rdi     ->   jmp 1f; nop           1: mov stderr@GOTPCREL(%rip), %rdi
 *                                     2:                       mov (%rdi), %rdi
 *                                                              jmp 2b
 *
 * An instruction that does not load a whole register borrows one. The red zone (psABI, 3.2.2) lies below the stack's
 * top; lea, push, pop and mov leave the flags alone:
 *
 *     incl optind(%rip)          ->   jmp 1f; nop           1: lea -128(%rsp), %rsp
 *                                     2:                       push %rax
 *                                                              mov optind@GOTPCREL(%rip), %rax
 *                                                              incl (%rax)
 *                                                              pop %rax
 *                                                              lea 128(%rsp), %rsp
 *                                                              jmp 2b
 *
 * A call or jump through the data uses %r11, which no function takes or keeps. Code at a fixed address may also hold the
 * data's address (R_X86_64_32S), with an index register, or as an immediate operand.
 */
#include "arch/far_data.h"

#include <elf.h>
#include <string.h>
#include <Zydis/Zydis.h>

enum { RED_ZONE = 128, JUMP_SIZE = 5, LONG_NUMBER = 0x7f000000 };

struct far_instruction {
    ZydisDecodedInstruction in;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* Find the instruction that has the field. Return its offset, or `size` if there is none. */
static uint64_t find_instruction(const uint8_t *code, size_t size, uint64_t begin, uint64_t field,
                                 struct far_instruction *out)
{
    ZydisDecoder decoder;

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    while (begin < size && begin <= field) {
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code + begin, size - begin, &out->in,
                                                 out->operands)))
            return size;
        if (field < begin + out->in.length)
            return begin;
        begin += out->in.length;
    }
    return size;
}

/* Return the index of the operand that is memory, relative to %rip or at an address that the instruction holds, with or
 * without an index; -1: none. */
static int data_operand(const struct far_instruction *decoded)
{
    for (int i = 0; i < decoded->in.operand_count_visible; i++)
        if (decoded->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
            (decoded->operands[i].mem.base == ZYDIS_REGISTER_RIP ||
             decoded->operands[i].mem.base == ZYDIS_REGISTER_NONE))
            return i;
    return -1;
}

/* Return whether it is mov $address, %reg, with the field at `field` of the instruction. */
static bool moves_address(const struct far_instruction *decoded, uint64_t field)
{
    return decoded->in.mnemonic == ZYDIS_MNEMONIC_MOV &&
           decoded->operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER &&
           decoded->operands[0].size >= 32 &&
           decoded->operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
           decoded->in.raw.imm[0].offset == field && decoded->in.raw.imm[0].size == 32;
}

static ZydisRegister whole(ZydisRegister part)
{
    return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, part);
}

static bool uses(const struct far_instruction *decoded, ZydisRegister reg)
{
    for (int i = 0; i < decoded->in.operand_count; i++) {
        const ZydisDecodedOperand *operand = &decoded->operands[i];

        if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER && whole(operand->reg.value) == reg)
            return true;
        if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
            (whole(operand->mem.base) == reg || whole(operand->mem.index) == reg))
            return true;
    }
    return false;
}

/* Return the register that the instruction writes whole and does not read; ZYDIS_REGISTER_NONE: there is none. */
static ZydisRegister loaded_register(const struct far_instruction *decoded, int memory)
{
    const ZydisDecodedOperand *to = &decoded->operands[0];

    if (memory != 1 || decoded->operands[1].mem.index != ZYDIS_REGISTER_NONE ||
        to->type != ZYDIS_OPERAND_TYPE_REGISTER || to->size < 32 ||
        to->actions != ZYDIS_OPERAND_ACTION_WRITE ||
        ZydisRegisterGetClass(whole(to->reg.value)) != ZYDIS_REGCLASS_GPR64)
        return ZYDIS_REGISTER_NONE;
    return whole(to->reg.value);
}

static ZydisRegister borrowed_register(const struct far_instruction *decoded)
{
    static const ZydisRegister from[] = {ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_RCX,
                                         ZYDIS_REGISTER_RDX, ZYDIS_REGISTER_RSI,
                                         ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_RBX};

    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++)
        if (!uses(decoded, from[i]))
            return from[i];
    return ZYDIS_REGISTER_NONE;
}

/* ---- writing ---- */

static bool put_request(struct arch_far_data *out, const ZydisEncoderRequest *request)
{
    ZyanUSize length = sizeof(out->code) - out->size;

    if (!ZYAN_SUCCESS(ZydisEncoderEncodeInstruction(request, out->code + out->size, &length)))
        return false;
    out->size += (uint8_t)length;
    return true;
}

static bool put_stack(struct arch_far_data *out, ZydisMnemonic mnemonic, ZydisRegister reg)
{
    ZydisEncoderRequest request = {
        .machine_mode = ZYDIS_MACHINE_MODE_LONG_64, .mnemonic = mnemonic, .operand_count = 1};

    request.operands[0].type = ZYDIS_OPERAND_TYPE_REGISTER;
    request.operands[0].reg.value = reg;
    return put_request(out, &request);
}

static bool put_move_stack(struct arch_far_data *out, int64_t by)
{
    ZydisEncoderRequest request = {.machine_mode = ZYDIS_MACHINE_MODE_LONG_64,
                                   .mnemonic = ZYDIS_MNEMONIC_LEA,
                                   .operand_count = 2};

    request.operands[0].type = ZYDIS_OPERAND_TYPE_REGISTER;
    request.operands[0].reg.value = ZYDIS_REGISTER_RSP;
    request.operands[1].type = ZYDIS_OPERAND_TYPE_MEMORY;
    request.operands[1].mem.base = ZYDIS_REGISTER_RSP;
    request.operands[1].mem.displacement = by;
    request.operands[1].mem.size = 8;
    return put_request(out, &request);
}

/* mov symbol@GOTPCREL(%rip), %reg: the field is the last four bytes. */
static bool put_load(struct arch_far_data *out, ZydisRegister reg)
{
    ZydisEncoderRequest request = {.machine_mode = ZYDIS_MACHINE_MODE_LONG_64,
                                   .mnemonic = ZYDIS_MNEMONIC_MOV,
                                   .operand_count = 2};

    request.operands[0].type = ZYDIS_OPERAND_TYPE_REGISTER;
    request.operands[0].reg.value = reg;
    request.operands[1].type = ZYDIS_OPERAND_TYPE_MEMORY;
    request.operands[1].mem.base = ZYDIS_REGISTER_RIP;
    request.operands[1].mem.displacement = 0;
    request.operands[1].mem.size = 8;
    if (!put_request(out, &request))
        return false;
    out->field = (uint8_t)(out->size - 4);
    return true;
}

/* Note where the immediate operand is now: these bytes are the last of the code. A number that is no short one keeps it
 * at four bytes. */
static void note_immediate(struct arch_far_data *out, const struct far_instruction *decoded)
{
    uint32_t value = (uint32_t)decoded->in.raw.imm[0].value.u;

    out->immediate = out->instruction + decoded->in.raw.imm[0].offset;
    out->moved = (uint8_t)(out->size - sizeof(value));
    memcpy(out->code + out->moved, &value, sizeof(value));
}

/* Write the instruction with the memory at `base` + `displacement`. */
static bool put_through(struct arch_far_data *out, const struct far_instruction *decoded,
                        int memory, ZydisRegister base, int64_t displacement)
{
    bool immediate = decoded->in.raw.imm[0].size == 32;
    ZydisEncoderRequest request;

    if (!ZYAN_SUCCESS(ZydisEncoderDecodedInstructionToEncoderRequest(
            &decoded->in, decoded->operands, decoded->in.operand_count_visible, &request)))
        return false;
    request.operands[memory].mem.base = base;
    request.operands[memory].mem.displacement = displacement;
    for (int i = 0; immediate && i < request.operand_count; i++)
        if (request.operands[i].type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
            request.operands[i].imm.s = LONG_NUMBER;
    if (!put_request(out, &request))
        return false;
    if (immediate)
        note_immediate(out, decoded);
    return true;
}

static void write_jump(uint8_t *at, uint8_t opcode, uint64_t from, uint64_t to)
{
    int32_t distance = (int32_t)(int64_t)(to - (from + JUMP_SIZE));

    at[0] = opcode;
    memcpy(at + 1, &distance, sizeof(distance));
}

static bool put_return(struct arch_far_data *out, uint64_t place)
{
    if (out->size + JUMP_SIZE > (int)sizeof(out->code))
        return false;
    write_jump(out->code + out->size, 0xe9, place + out->size, out->instruction + out->length);
    out->size += JUMP_SIZE;
    return true;
}

/* ---- the forms ---- */

static bool through_the_data(const struct far_instruction *decoded)
{
    return decoded->in.meta.category == ZYDIS_CATEGORY_CALL ||
           decoded->in.meta.category == ZYDIS_CATEGORY_UNCOND_BR;
}

/* A call becomes a call of the new code, which jumps: the return address is that of the instruction. */
static bool put_through_word(struct arch_far_data *out, int64_t displacement)
{
    ZydisEncoderRequest request = {.machine_mode = ZYDIS_MACHINE_MODE_LONG_64,
                                   .mnemonic = ZYDIS_MNEMONIC_JMP,
                                   .operand_count = 1};

    request.operands[0].type = ZYDIS_OPERAND_TYPE_MEMORY;
    request.operands[0].mem.base = ZYDIS_REGISTER_R11;
    request.operands[0].mem.displacement = displacement;
    request.operands[0].mem.size = 8;
    return put_load(out, ZYDIS_REGISTER_R11) && put_request(out, &request);
}

static bool put_borrowing(struct arch_far_data *out, const struct far_instruction *decoded,
                          int memory, int64_t displacement)
{
    ZydisRegister reg = borrowed_register(decoded);

    return reg != ZYDIS_REGISTER_NONE && !uses(decoded, ZYDIS_REGISTER_RSP) &&
           put_move_stack(out, -RED_ZONE) && put_stack(out, ZYDIS_MNEMONIC_PUSH, reg) &&
           put_load(out, reg) && put_through(out, decoded, memory, reg, displacement) &&
           put_stack(out, ZYDIS_MNEMONIC_POP, reg) && put_move_stack(out, RED_ZONE);
}

/* The address itself, less what the instruction adds to it, which is 0 but for parts of arrays. */
static bool put_address(struct arch_far_data *out, const struct far_instruction *decoded,
                        int64_t displacement, uint64_t place)
{
    return displacement == 0 && put_load(out, whole(decoded->operands[0].reg.value)) &&
           put_return(out, place);
}

static bool put_code(struct arch_far_data *out, const struct far_instruction *decoded, int memory,
                     int64_t displacement, uint64_t place)
{
    ZydisRegister loaded;

    if (memory < 0)
        return put_address(out, decoded, displacement, place);
    loaded = loaded_register(decoded, memory);
    if (through_the_data(decoded))
        return put_through_word(out, displacement);
    if (loaded == ZYDIS_REGISTER_NONE || loaded == ZYDIS_REGISTER_RSP)
        return put_borrowing(out, decoded, memory, displacement) && put_return(out, place);
    return put_load(out, loaded) && put_through(out, decoded, memory, loaded, displacement) &&
           put_return(out, place);
}

bool arch_far_data(uint8_t *code, size_t size, uint64_t begin, uint64_t field, int64_t addend,
                   uint64_t place, struct arch_far_data *out)
{
    struct far_instruction decoded;
    uint64_t at = find_instruction(code, size, begin, field, &decoded);
    int memory;

    if (at == size || decoded.in.length < JUMP_SIZE)
        return false;
    memory = data_operand(&decoded);
    if (memory < 0 ? !moves_address(&decoded, field - at)
                   : at + decoded.in.raw.disp.offset != field || decoded.in.raw.disp.size != 32)
        return false;
    if (memory >= 0 && decoded.operands[memory].mem.base == ZYDIS_REGISTER_RIP)
        addend += (int64_t)(at + decoded.in.length - field);
    *out = (struct arch_far_data){.instruction = at, .length = decoded.in.length};
    if (!put_code(out, &decoded, memory, addend, place))
        return false;
    write_jump(code + at, decoded.in.meta.category == ZYDIS_CATEGORY_CALL ? 0xe8 : 0xe9, at, place);
    memset(code + at + JUMP_SIZE, 0x90, decoded.in.length - (size_t)JUMP_SIZE);
    return true;
}

uint32_t arch_far_data_type(void)
{
    return R_X86_64_GOTPCREL;
}
