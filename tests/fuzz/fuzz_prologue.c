/*
 * fuzz_prologue.c - any bytes as a function: what is read of it holds together, and the moved
 * prologue, decoded again, says instruction by instruction what the original said.
 *
 * The first four bytes choose where the copy goes, the rest is the function.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <Zydis/Zydis.h>

#include "arch/arch.h"

#define ENTRY UINT64_C(0x560000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One instruction where it runs. */
struct decoded {
    uint64_t at;
    ZydisDecodedInstruction in;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

struct moved {
    const struct arch_prologue *prologue;
    uint64_t to;
    uint8_t code[ARCH_MOVED_BYTES];
    size_t length;
    int shadow_stack;
    uint8_t map[ARCH_PROLOGUE_COUNT];
};

static void require(int holds)
{
    if (!holds)
        abort();
}

static void decode(const uint8_t *code, size_t size, uint64_t at, struct decoded *out)
{
    ZydisDecoder decoder;

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    require(ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, size, &out->in, out->operands)));
    out->at = at;
}

static void decode_moved(const struct moved *moved, size_t offset, struct decoded *out)
{
    require(offset < moved->length);
    decode(moved->code + offset, moved->length - offset, moved->to + offset, out);
}

/* What a relative operand refers to. */
static uint64_t target_of(const struct decoded *decoded)
{
    int64_t relative = decoded->in.raw.imm[0].is_relative ? decoded->in.raw.imm[0].value.s
                                                          : decoded->in.raw.disp.value;

    return decoded->at + decoded->in.length + (uint64_t)relative;
}

static int is_branch(const struct decoded *decoded)
{
    return decoded->in.raw.imm[0].is_relative;
}

/* Where a branch to `target` has to lead from the copy. */
static uint64_t counterpart(const struct moved *moved, const struct decoded *original)
{
    const struct arch_prologue *prologue = moved->prologue;
    uint64_t target = target_of(original);

    for (unsigned i = 0; i < prologue->count; i++) {
        if (target == prologue->jump + prologue->start[i] &&
            original->in.meta.category != ZYDIS_CATEGORY_CALL)
            return moved->to + moved->map[i];
    }
    /* Neither into the jump's bytes nor, by a call, into what has gone. */
    require(target - prologue->jump - 1 >= prologue->written - 1u);
    return target;
}

static void require_same_memory(const struct decoded *left, const struct decoded *right, unsigned i)
{
    const ZydisDecodedOperandMem *a = &left->operands[i].mem, *b = &right->operands[i].mem;

    require(a->type == b->type && a->segment == b->segment && a->base == b->base &&
            a->index == b->index && a->scale == b->scale &&
            a->disp.has_displacement == b->disp.has_displacement);
    if (a->base == ZYDIS_REGISTER_RIP)
        require(target_of(left) == target_of(right));
    else
        require(a->disp.value == b->disp.value);
}

static void require_same_operands(const struct decoded *left, const struct decoded *right)
{
    require(left->in.operand_count == right->in.operand_count);
    for (unsigned i = 0; i < left->in.operand_count; i++) {
        const ZydisDecodedOperand *a = &left->operands[i], *b = &right->operands[i];

        require(a->type == b->type && a->size == b->size && a->actions == b->actions);
        if (a->type == ZYDIS_OPERAND_TYPE_REGISTER)
            require(a->reg.value == b->reg.value);
        else if (a->type == ZYDIS_OPERAND_TYPE_MEMORY)
            require_same_memory(left, right, i);
        else if (a->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
            require(a->imm.value.u == b->imm.value.u);
    }
}

/* "loop there" has become "loop 1f; jmp 2f; 1: jmp there; 2:". */
static void require_pair(const struct moved *moved, const struct decoded *first, uint64_t target)
{
    size_t offset = first->at - moved->to + first->in.length;
    struct decoded around, jump;

    decode_moved(moved, offset, &around);
    decode_moved(moved, offset + around.in.length, &jump);
    require(target_of(first) == jump.at);
    require(around.in.mnemonic == ZYDIS_MNEMONIC_JMP && jump.in.mnemonic == ZYDIS_MNEMONIC_JMP);
    require(target_of(&around) == jump.at + jump.in.length);
    require(target_of(&jump) == target);
}

static int is_counted(const struct decoded *decoded)
{
    return decoded->in.opcode >= 0xe0 && decoded->in.opcode <= 0xe3;
}

static void require_same_branch(const struct moved *moved, const struct decoded *original,
                                const struct decoded *copy)
{
    uint64_t target = counterpart(moved, original);

    if (is_counted(original)) {
        require(original->in.address_width == copy->in.address_width);
        require_pair(moved, copy, target);
    } else {
        require(target_of(copy) == target);
    }
}

static int counts_from_stack(const struct decoded *call)
{
    const ZydisDecodedOperand *operand = &call->operands[0];

    if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
        return operand->reg.value == ZYDIS_REGISTER_RSP;
    return operand->mem.base == ZYDIS_REGISTER_RSP || operand->mem.base == ZYDIS_REGISTER_ESP;
}

static int becomes_jump(const struct moved *moved, const struct decoded *original)
{
    return !moved->shadow_stack && original->in.meta.category == ZYDIS_CATEGORY_CALL &&
           (is_branch(original) || !counts_from_stack(original));
}

static void require_same_place(const struct decoded *call, const struct decoded *jump)
{
    require(jump->operands[0].type == call->operands[0].type);
    require(jump->operands[0].size == call->operands[0].size);
    if (jump->operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER)
        require(jump->operands[0].reg.value == call->operands[0].reg.value);
    else
        require_same_memory(call, jump, 0);
}

/* "call there" has become "push 1f(%rip); jmp there; 1: .quad behind", which is the end. */
static void require_pushed(const struct moved *moved, const struct decoded *original,
                           const struct decoded *push)
{
    uint64_t behind = original->at + original->in.length;
    size_t end = moved->length - sizeof(behind);
    struct decoded jump;

    require(push->in.mnemonic == ZYDIS_MNEMONIC_PUSH && push->in.operand_width == 64);
    require(target_of(push) == moved->to + end);
    require(memcmp(moved->code + end, &behind, sizeof(behind)) == 0);
    decode_moved(moved, push->at - moved->to + push->in.length, &jump);
    require(jump.in.mnemonic == ZYDIS_MNEMONIC_JMP && jump.at + jump.in.length == moved->to + end);
    if (is_branch(original))
        require(target_of(&jump) == counterpart(moved, original));
    else
        require_same_place(original, &jump);
}

/* After the last one the copy goes on where the jump's bytes end, if anything goes on. */
static void require_way_back(const struct moved *moved, size_t offset)
{
    struct decoded jump;
    uint64_t target;

    if (offset == moved->length)
        return;
    decode_moved(moved, offset, &jump);
    require(jump.in.mnemonic == ZYDIS_MNEMONIC_JMP);
    target = target_of(&jump);
    if (!is_branch(&jump)) {
        require(target == jump.at + jump.in.length); /* jmp *0(%rip) */
        memcpy(&target, moved->code + offset + jump.in.length, sizeof(target));
    }
    require(target == moved->prologue->jump + moved->prologue->length);
}

static void require_same(const struct moved *moved)
{
    const struct arch_prologue *prologue = moved->prologue;
    size_t end = 0;

    for (unsigned i = 0; i < prologue->count; i++) {
        unsigned offset = prologue->start[i];
        struct decoded original, copy;

        decode(prologue->bytes + offset, (size_t)(prologue->length - offset),
               prologue->jump + offset, &original);
        decode_moved(moved, moved->map[i], &copy);
        require(i == 0 || moved->map[i] == end);
        if (becomes_jump(moved, &original)) {
            require_pushed(moved, &original, &copy);
            require(i + 1 == prologue->count);
            return;
        }
        require(original.in.mnemonic == copy.in.mnemonic);
        end = moved->map[i] + copy.in.length;
        if (is_branch(&original)) {
            require_same_branch(moved, &original, &copy);
            end += is_counted(&original) ? 7 : 0;
        } else {
            require(original.in.length == copy.in.length);
            require_same_operands(&original, &copy);
        }
    }
    require_way_back(moved, end);
}

static void check_prologue(const struct arch_prologue *prologue)
{
    require(prologue->jump == prologue->entry || prologue->jump == prologue->entry + 4);
    require(prologue->count > 0 && prologue->count <= 5);
    require(prologue->length >= 5 && prologue->length <= ARCH_PROLOGUE_BYTES);
    require(prologue->start[0] == 0 && prologue->start[prologue->count] == prologue->length);
    for (unsigned i = 0; i < prologue->count; i++)
        require(prologue->start[i] < 5 && prologue->start[i] < prologue->start[i + 1]);
}

/* On an old boundary: int3, or, on the last, what is no instruction whatever follows. */
static void require_trap(const struct arch_prologue *prologue, const uint8_t *jump, unsigned start)
{
    uint8_t code[15] = {jump[start]};
    ZydisDecoder decoder;
    ZydisDecodedInstruction in;

    if (jump[start] == 0xcc)
        return;
    require(start == 4 && arch_stub_faults(prologue));
    memcpy(code + 1, prologue->bytes + 5, sizeof(code) - 1);
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    require(ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL, code, sizeof(code), &in)));
}

static void require_leads_through(const uint8_t *code, size_t at, uint64_t stub, uint64_t word)
{
    struct decoded jump;

    decode(code + at, ARCH_STUB_BYTES - at, stub + at, &jump);
    require(jump.in.mnemonic == ZYDIS_MNEMONIC_JMP && !is_branch(&jump));
    require(target_of(&jump) == word);
}

static void check_code(uint64_t stub, uint32_t choice)
{
    uint64_t word = stub + (uint64_t)(int64_t)(int32_t)choice, seen = word + choice % 512;
    uint8_t code[ARCH_STUB_BYTES] = {0};
    struct decoded store;

    if (arch_stub(stub, word, code, sizeof(code)))
        require_leads_through(code, 0, stub, word);
    if (!arch_stub_hit(stub, seen, word, code, sizeof(code)))
        return;
    decode(code, sizeof(code), stub, &store);
    require(store.in.mnemonic == ZYDIS_MNEMONIC_MOV && target_of(&store) == seen);
    require(store.operands[1].imm.value.u == 1 && store.operands[0].size == 8);
    require_leads_through(code, store.in.length, stub, word);
}

static void check_stub(struct arch_prologue prologue, uint32_t choice)
{
    struct arch_window window;
    uint64_t stub;
    uint8_t jump[8], trap;
    bool faults;

    if (choice & 128)
        arch_stub_guard(&prologue);
    for (unsigned others = choice % 32; others > 0 && arch_stub_other(&prologue); others--)
        continue;
    arch_stub_window(&prologue, &window);
    if (!arch_stub_from(&prologue, choice & 64 ? 0 : window.low + choice, &stub))
        return;
    require(stub >= window.low && stub <= window.high);
    require((stub & (window.stride - 1)) == window.residue);
    require(arch_stub_possible(&prologue, stub));
    require(arch_jump_bytes(&prologue, stub, jump) == 5);
    for (unsigned i = 1; i < prologue.count; i++)
        require_trap(&prologue, jump, prologue.start[i]);
    require(!prologue.guarded ||
            (jump[1] == prologue.guard &&
             arch_survives_restore(&prologue, jump, sizeof(jump) - 3, &trap, &faults)));
    check_code(stub, choice);
}

static void check_move(const struct arch_prologue *prologue, uint32_t choice)
{
    struct moved moved = {.prologue = prologue};
    ssize_t length;

    /* From 4 GiB below to 4 GiB above. */
    moved.to = ENTRY + (uint64_t)((int64_t)(int32_t)choice * 2);
    moved.shadow_stack = choice & 1;
    length = arch_move(prologue, moved.to, moved.shadow_stack, moved.code, sizeof(moved.code),
                       moved.map);
    if (length < 0)
        return;
    moved.length = (size_t)length;
    require(moved.length <= sizeof(moved.code));
    require_same(&moved);
}

/* What is copied beyond what is displaced. */
static void check_wide(const uint8_t *data, size_t size, struct arch_prologue prologue,
                       uint32_t choice)
{
    struct arch_prologue wide = prologue;
    size_t before = prologue.jump - prologue.entry;

    arch_prologue_widen(data, size, &wide);
    require(wide.count >= prologue.count && wide.count <= ARCH_PROLOGUE_COUNT);
    require(wide.length >= prologue.length && wide.length <= ARCH_PROLOGUE_BYTES);
    require(memcmp(wide.start, prologue.start, prologue.count) == 0);
    require(memcmp(wide.bytes, prologue.bytes, prologue.length) == 0);
    require(wide.length == prologue.length ||
            (before + wide.length <= size && memcmp(wide.bytes, data + before, wide.length) == 0));
    check_move(&wide, choice);
}

static void check_short(const uint8_t *data, size_t size, uint32_t choice)
{
    struct arch_prologue prologue;
    uint64_t low, high;
    uint8_t jump[2];

    if (arch_prologue_read_short(data, size, ENTRY + choice % 8, &prologue) != ARCH_OK)
        return;
    require(prologue.count == 1 && prologue.length >= 2 && prologue.written == 2);
    require(prologue.jump % 8 <= 6 && prologue.jump - prologue.entry + prologue.length <= size);
    arch_pad_window(&prologue, &low, &high);
    prologue.pad = low + choice % 256;
    require(prologue.pad <= high);
    arch_short_bytes(&prologue, jump);
    require(prologue.jump + 2 + (uint64_t)(int64_t)(int8_t)jump[1] == prologue.pad);
    check_move(&prologue, choice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arch_prologue prologue;
    uint32_t choice;

    if (size < sizeof(choice))
        return 0;
    memcpy(&choice, data, sizeof(choice));
    data += sizeof(choice);
    size -= sizeof(choice);
    require(arch_padding(data, size) <= size);
    require(arch_padding_free(data, size) <= size);
    arch_ends_itself(data, size, choice);
    check_short(data, size, choice);
    if (arch_prologue_read(data, size, ENTRY, &prologue) != ARCH_OK)
        return 0;
    check_prologue(&prologue);
    check_stub(prologue, choice);
    check_move(&prologue, choice);
    check_wide(data, size, prologue, choice);
    return 0;
}
