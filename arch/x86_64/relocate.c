/*
 * relocate.c - makes a copy of displaced instructions that has the same effect at another address, and continues
 * after them. Pure functions without allocation; see decode.h.
 *
 * Relative operands are corrected. Jumps of eight bits become their forms of 32 bits, and those that have no such
 * form (loop, jrcxz) become a pair of jumps. A branch from one displaced instruction to another leads to the copy. A
 * call of the entry, or a branch to the endbr64 before the jump, is unchanged: it calls the function's present code.
 *
 * A call must end after the jump, or the function is refused: it is the last displaced instruction. "call there"
 * becomes "push behind; jmp there", where `behind` is in the function. The callee and unwinders find the same stack
 * as without the patch.
 */
#include "arch/arch.h"

#include <string.h>

#include "arch/x86_64/decode.h"

enum {
    ENDBR64_BYTES = 4,
    JUMP_BYTES = 5,
    CONDITIONAL_BYTES = 6,
    ABSOLUTE_BYTES = 14,
    PAIR_BYTES = 4, /* after the prefixes: the counted jump, and the jump around the next */
    PUSH_BYTES = 6,
    ADDRESS_BYTES = 8
};

struct moving {
    const struct arch_prologue *prologue;
    struct instruction in[ARCH_PROLOGUE_COUNT];
    uint8_t map[ARCH_PROLOGUE_COUNT]; /* offset of each in the copy */
    uint64_t to;
    bool calls; /* calls stay calls */
    uint8_t *out;
    size_t length; /* bytes written so far */
};

/* -------------------------------------------------------------------- the layout --- */

/* Return whether a call becomes a push and a jump. After the push %rsp has another value. */
static bool becomes_jump(const struct moving *moving, const struct instruction *in)
{
    return in->call && !moving->calls && !in->by_stack;
}

static size_t relocated_bytes(const struct moving *moving, const struct instruction *in)
{
    if (becomes_jump(moving, in))
        return PUSH_BYTES + (in->modrm ? in->length : JUMP_BYTES) + ADDRESS_BYTES;
    switch (in->kind) {
    case INSTRUCTION_JUMP:
    case INSTRUCTION_CALL:
        return JUMP_BYTES;
    case INSTRUCTION_CONDITIONAL:
    case INSTRUCTION_BEGIN:
        return CONDITIONAL_BYTES;
    case INSTRUCTION_COUNTED:
        return (in->halves_the_count ? 1 : 0) + PAIR_BYTES + JUMP_BYTES;
    default:
        return in->length;
    }
}

/* Set the offsets of all instructions before the first is written, because jumps may lead forward. Return false if an
 * instruction cannot be moved, or the space is too small. */
static bool lay_out(struct moving *moving, size_t room)
{
    const struct arch_prologue *prologue = moving->prologue;
    size_t length = prologue->jump != prologue->entry ? ENDBR64_BYTES : 0;

    for (unsigned i = 0; i < prologue->count; i++) {
        unsigned offset = prologue->start[i];

        if (!instruction_decode(prologue->bytes + offset, prologue->length - offset,
                                &moving->in[i]) ||
            moving->in[i].kind == INSTRUCTION_FIXED)
            return false;
        moving->map[i] = (uint8_t)length;
        length += relocated_bytes(moving, &moving->in[i]);
    }
    return length + ABSOLUTE_BYTES <= room && length + ABSOLUTE_BYTES <= ARCH_MOVED_BYTES;
}

/* --------------------------------------------------------------------- the writing --- */

static void put(struct moving *moving, const void *bytes, size_t length)
{
    memcpy(moving->out + moving->length, bytes, length);
    moving->length += length;
}

/* Write four bytes: the distance to `target` from `behind` bytes after them. Return false if it is too far. */
static bool put_relative(struct moving *moving, uint64_t target, size_t behind)
{
    int64_t wide = (int64_t)(target - (moving->to + moving->length + 4 + behind));
    int32_t relative = (int32_t)wide;

    put(moving, &relative, sizeof(relative));
    return relative == wide;
}

/* Return the target of the branch at displaced instruction `i` after it is moved. */
static uint64_t branch_target(const struct moving *moving, unsigned i)
{
    const struct arch_prologue *prologue = moving->prologue;
    const struct instruction *in = &moving->in[i];
    int64_t offset = (int64_t)prologue->start[i] + in->length + in->relative;

    for (unsigned k = 0; k < prologue->count && in->kind != INSTRUCTION_CALL; k++) {
        if (prologue->start[k] == offset)
            return moving->to + moving->map[k];
    }
    return prologue->jump + (uint64_t)offset;
}

/* Write a counted jump: "loop there" becomes "loop 1f; jmp 2f; 1: jmp there; 2:". */
static bool put_counted(struct moving *moving, const struct instruction *in, uint64_t target)
{
    uint8_t pair[] = {in->opcode, 2, 0xeb, JUMP_BYTES};

    if (in->halves_the_count)
        put(moving, "\x67", 1);
    put(moving, pair, sizeof(pair));
    put(moving, "\xe9", 1);
    return put_relative(moving, target, 0);
}

static bool put_branch(struct moving *moving, unsigned i)
{
    const struct instruction *in = &moving->in[i];
    uint64_t target = branch_target(moving, i);
    uint8_t conditional[] = {0x0f, (uint8_t)(0x80 | (in->opcode & 0xf))};

    switch (in->kind) {
    case INSTRUCTION_COUNTED:
        return put_counted(moving, in, target);
    case INSTRUCTION_CONDITIONAL:
        put(moving, conditional, sizeof(conditional));
        break;
    case INSTRUCTION_BEGIN:
        put(moving, "\xc7\xf8", 2);
        break;
    default:
        put(moving, in->kind == INSTRUCTION_CALL ? "\xe8" : "\xe9", 1);
        break;
    }
    return put_relative(moving, target, 0);
}

/* Return whether the copy must make the call itself, because its return address or its target is its own next
 * instruction. */
static bool asks_for_itself(const struct moving *moving, const struct instruction *in, unsigned i)
{
    int64_t offset = (int64_t)moving->prologue->start[i] + in->length + in->relative;

    return in->kind == INSTRUCTION_CALL && offset > 0 && offset <= moving->prologue->length;
}

static bool put_instruction(struct moving *moving, unsigned i)
{
    const struct instruction *in = &moving->in[i];
    const struct arch_prologue *prologue = moving->prologue;
    const uint8_t *bytes = prologue->bytes + prologue->start[i];
    uint64_t target;
    size_t behind;

    if (instruction_branches(in))
        return put_branch(moving, i);
    if (in->kind != INSTRUCTION_DATA) {
        put(moving, bytes, in->length);
        return true;
    }
    target = prologue->jump + prologue->start[i] + in->length + (uint64_t)(int64_t)in->relative;
    behind = (size_t)in->length - in->field - 4;
    put(moving, bytes, in->field);
    if (!put_relative(moving, target, behind))
        return false;
    put(moving, bytes + in->length - behind, behind);
    return true;
}

/* Write a call as "push 1f(%rip); jmp there; 1: .quad behind". In an indirect call /2 becomes /4. */
static bool put_called(struct moving *moving, unsigned i)
{
    const struct instruction *in = &moving->in[i];
    uint64_t behind = moving->prologue->jump + moving->prologue->start[i] + in->length;
    uint8_t push[PUSH_BYTES] = {0xff, 0x35, in->modrm ? in->length : JUMP_BYTES};
    size_t jump = moving->length + sizeof(push);
    bool reached;

    put(moving, push, sizeof(push));
    if (in->modrm) {
        reached = put_instruction(moving, i);
        moving->out[jump + in->modrm] ^= 2 << 3 ^ 4 << 3;
    } else {
        put(moving, "\xe9", 1);
        reached = put_relative(moving, branch_target(moving, i), 0);
    }
    put(moving, &behind, sizeof(behind));
    return reached;
}

static bool put_displaced(struct moving *moving, unsigned i)
{
    const struct instruction *in = &moving->in[i];

    if (becomes_jump(moving, in))
        return put_called(moving, i);
    return !asks_for_itself(moving, in, i) && put_instruction(moving, i);
}

/* Write a jump to the rest of the function, which may be at any address. */
static void put_jump(struct moving *moving, uint64_t target)
{
    size_t before = moving->length;

    put(moving, "\xe9", 1);
    if (put_relative(moving, target, 0))
        return;
    moving->length = before;
    put(moving, "\xff\x25\0\0\0\0", 6); /* jmp *0(%rip) */
    put(moving, &target, sizeof(target));
}

ssize_t arch_move(const struct arch_prologue *prologue, uint64_t to, bool shadow_stack,
                  uint8_t *out, size_t room, uint8_t map[ARCH_PROLOGUE_COUNT])
{
    struct moving moving = {.prologue = prologue, .to = to, .calls = shadow_stack, .out = out};
    const struct instruction *last;

    if (prologue->count == 0 || !lay_out(&moving, room))
        return -1;
    if (prologue->jump != prologue->entry)
        put(&moving, "\xf3\x0f\x1e\xfa", ENDBR64_BYTES); /* the copy is called by pointer, too */
    for (unsigned i = 0; i < prologue->count; i++) {
        if (!put_displaced(&moving, i))
            return -1;
    }
    last = &moving.in[prologue->count - 1];
    if (!last->ends && !becomes_jump(&moving, last))
        put_jump(&moving, prologue->jump + prologue->length);
    memcpy(map, moving.map, sizeof(moving.map));
    return (ssize_t)moving.length;
}
