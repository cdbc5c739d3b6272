/*
 * prologue.c - checks whether a jump can be put at a function's entry, and which instructions it displaces.
 *
 * Pure functions without allocation; see decode.h. The jump is `e9 rel32` at the entry, or after an endbr64 there,
 * which callers by pointer need (SDM volume 1, chapter 17). Or it is `eb rel8`, to an `e9 rel32` in padding.
 *
 * The function's own direct jumps into the overwritten bytes are searched here. The caller must search those of other
 * functions. Jumps through a jump table are not seen: compilers let them lead only to code after the whole prologue.
 *
 * A jump of the body back to the jump's own place is refused if it may be a loop whose head is the entry. At its next
 * iteration the loop would leave the old code for the new, and a replacement that calls the original would be entered
 * at each iteration. In these cases such a jump is a tail call of the function itself, which must reach the new code:
 *
 *   - The displaced instructions are the first to build the frame, so the frame must be gone at the jump back.
 *   - The instruction before the jump is the frame's last (compilers begin and end no frame within a loop).
 *   - An endbr64 stands before the entry, which loops leave out.
 */
#include "arch/arch.h"

#include <string.h>

#include "arch/x86_64/decode.h"

enum {
    JUMP_BYTES = ARCH_LONG_BYTES,
    HOOK_BYTES = 14,
    WORD = 8,
    /* After this offset no jump of eight bits reaches the jump's bytes. */
    NEAR_BYTES = JUMP_BYTES - 1 + 128,
    TAIL_CALLS_MAX = 64 /* for each the whole function is read */
};

/* The function from the jump to its end. */
struct prologue_body {
    const uint8_t *code;
    size_t size;
    bool behind_endbr64;
};

/* The targets of its jumps. */
struct leads {
    const struct prologue_body *body;
    unsigned offsets; /* as bits, those below JUMP_BYTES */
    unsigned tail_calls;
    bool loops; /* a jump to offset 0 may be of a loop */
};

const char *arch_problem_text(enum arch_problem problem)
{
    static const char *const texts[ARCH_PROBLEM_COUNT] = {
        [ARCH_OK] = "the function can be patched",
        [ARCH_SIGNAL_RETURN] = "it is no function: the kernel returns from a signal handler there",
        [ARCH_TOO_SHORT] = "the function is shorter than a jump",
        [ARCH_UNDECODABLE] = "its first bytes are no known instruction",
        [ARCH_CALL_INSIDE] = "a call returns into its first 5 bytes",
        [ARCH_JUMP_INSIDE] = "a jump of its own leads into its first 5 bytes",
        [ARCH_NOT_MOVABLE] = "one of its first instructions cannot be moved",
        [ARCH_OUT_OF_REACH] = "no address space is free where its jump could lead",
    };

    return (size_t)problem < ARCH_PROBLEM_COUNT ? texts[problem] : "unknown";
}

/* -------------------------------------------------------------------- padding --- */

static bool is_padding(const struct instruction *instruction)
{
    return instruction->nop || instruction->breakpoint;
}

size_t arch_padding(const uint8_t *code, size_t room)
{
    struct instruction instruction;
    size_t length = 0;

    while (length < room && instruction_decode(code + length, room - length, &instruction) &&
           is_padding(&instruction))
        length += instruction.length;
    return length;
}

size_t arch_padding_free(const uint8_t *code, size_t room)
{
    enum { NOP = 0x90 };
    size_t length = room;

    while (length > 0 && code[length - 1] == NOP)
        length--;
    return length;
}

bool arch_ends_itself(const uint8_t *code, size_t size, size_t behind)
{
    struct instruction in = {.ends = false};

    for (size_t i = 0; i < size; i += in.length) {
        if (!instruction_decode(code + i, size - i, &in))
            return false;
        if (instruction_branches(&in) &&
            i + in.length + (uint64_t)(int64_t)in.relative - size < behind)
            return false;
    }
    return in.ends || in.call;
}

/* ------------------------------------------------------------- jumps to the entry --- */

/* Return whether the instruction at `at` is a tail call: it follows an instruction that ends the frame, and no jump
 * leads to it past that. "push $1; pop %rdi" is no frame: compilers save bytes with it (-Os). */
static bool is_tail_call(const struct prologue_body *body, size_t at)
{
    bool took = false, ended = false, met = false;
    struct instruction in;

    for (size_t i = 0; i < body->size; i += in.length) {
        if (!instruction_decode(body->code + i, body->size - i, &in))
            return false;
        if (instruction_branches(&in) && (int64_t)i + in.length + in.relative == (int64_t)at)
            return false;
        if (i == at)
            met = ended && in.kind == INSTRUCTION_JUMP;
        ended = in.gives_stack && !took;
        took = in.takes_stack;
    }
    return met;
}

static void note_lead(struct leads *leads, size_t at, int64_t target)
{
    if (target < 0 || target >= JUMP_BYTES)
        return;
    leads->offsets |= 1U << target;
    if (target == 0 && !leads->loops)
        leads->loops = leads->body->behind_endbr64 || leads->tail_calls++ == TAIL_CALLS_MAX ||
                       !is_tail_call(leads->body, at);
}

static bool is_near_jump(uint8_t opcode)
{
    return (opcode & 0xf0) == 0x70 || opcode == 0xeb || (opcode >= 0xe0 && opcode <= 0xe3);
}

/* Record every byte that may be a jump of eight bits, because the instructions are not known here. */
static void note_any_near(struct leads *leads, size_t from)
{
    const struct prologue_body *body = leads->body;

    for (size_t i = from; i + 1 < body->size && i < NEAR_BYTES; i++) {
        if (is_near_jump(body->code[i]))
            note_lead(leads, i, (int64_t)i + 2 + (int8_t)body->code[i + 1]);
    }
}

static void note_near(struct leads *leads, size_t from)
{
    const struct prologue_body *body = leads->body;
    struct instruction in;

    for (size_t i = from; i < body->size && i < NEAR_BYTES; i += in.length) {
        if (!instruction_decode(body->code + i, body->size - i, &in)) {
            note_any_near(leads, i);
            return;
        }
        if (instruction_branches(&in) && in.kind != INSTRUCTION_CALL)
            note_lead(leads, i, (int64_t)i + in.length + in.relative);
    }
}

/* Return the length of the opcode before this 32-bit field that makes it a jump to `target`; 0: it is no jump. */
static size_t far_opcode_bytes(const struct prologue_body *body, size_t field, uint32_t target)
{
    uint8_t opcode = body->code[field - 1], escape = field > 1 ? body->code[field - 2] : 0;

    if ((escape == 0x0f && (opcode & 0xf0) == 0x80) || (escape == 0xc7 && opcode == 0xf8))
        return 2;
    return opcode == 0xe9 || (opcode == 0xe8 && target != 0); /* a call of itself is one */
}

/*
 * Record jumps of 32 bits, which may be anywhere. A field that leads to one of five addresses by chance is very rare,
 * so no instruction need be decoded. A megabyte takes a millisecond, and data between the instructions cannot hide a
 * jump.
 */
static void note_far(struct leads *leads, size_t from)
{
    const struct prologue_body *body = leads->body;

    for (size_t field = from + 1; field + 4 <= body->size; field++) {
        uint32_t relative, target;
        size_t opcode_bytes;

        memcpy(&relative, body->code + field, sizeof(relative));
        target = (uint32_t)field + 4 + relative;
        if (target >= JUMP_BYTES)
            continue;
        opcode_bytes = far_opcode_bytes(body, field, target);
        if (opcode_bytes)
            note_lead(leads, field - opcode_bytes, target);
    }
}

/* Return the targets of the jumps from `from` on. */
static struct leads leads_from(const struct prologue_body *body, size_t from)
{
    struct leads leads = {.body = body};

    note_near(&leads, from);
    note_far(&leads, from);
    return leads;
}

/* ------------------------------------------------------------------ the reading --- */

static bool starts_at(const struct arch_prologue *prologue, int64_t offset)
{
    for (unsigned i = 0; i < prologue->count; i++) {
        if (prologue->start[i] == offset)
            return true;
    }
    return false;
}

/*
 * Check the bytes at `offset` after an instruction that never continues. If they are padding, the jump may use them,
 * and they are counted to the instruction before: no thread can be on a boundary there. If a jump leads to them, they
 * are instructions like any other. Otherwise they may be another function.
 */
static enum arch_problem read_behind_the_end(const struct prologue_body *body, size_t offset,
                                             struct arch_prologue *out, size_t *end)
{
    size_t padding = arch_padding(body->code + offset, body->size - offset);

    if (leads_from(body, 0).offsets & 1U << offset)
        return ARCH_OK;
    if (offset + padding < JUMP_BYTES)
        return ARCH_TOO_SHORT;
    out->length = JUMP_BYTES;
    *end = offset + padding;
    return ARCH_OK;
}

/* Read the displaced instructions. `*end`: address of the next instruction. */
static enum arch_problem read_displaced(const struct prologue_body *body, struct arch_prologue *out,
                                        size_t *end)
{
    out->padding = true;
    out->written = JUMP_BYTES;
    while (out->length < JUMP_BYTES) {
        struct instruction in;
        enum arch_problem problem = ARCH_OK;

        if (!instruction_decode(body->code + out->length, body->size - out->length, &in))
            return ARCH_UNDECODABLE;
        out->start[out->count++] = out->length;
        out->length += in.length;
        out->padding = out->padding && in.nop;
        *end = out->length;
        if (in.call && out->length < JUMP_BYTES)
            return ARCH_CALL_INSIDE;
        if (in.ends && out->length < JUMP_BYTES)
            problem = read_behind_the_end(body, out->length, out, end);
        if (problem != ARCH_OK)
            return problem;
    }
    out->start[out->count] = out->length;
    memcpy(out->bytes, body->code, out->length);
    return ARCH_OK;
}

/* Return whether a frame begins in the first five bytes, displaced or not. */
static bool begins_a_frame(const struct prologue_body *body)
{
    struct instruction in;

    for (size_t i = 0; i < JUMP_BYTES; i += in.length) {
        if (!instruction_decode(body->code + i, body->size - i, &in) || in.ends)
            return false;
        if (in.takes_stack)
            return true;
    }
    return false;
}

/* Check jumps into the overwritten bytes. A jump to an old boundary would execute a trap each time, as long as the
 * entry is armed, and the program may meanwhile handle SIGTRAP itself, or block it. */
static enum arch_problem check_jumps(const struct prologue_body *body, size_t end,
                                     struct arch_prologue *out)
{
    struct leads leads = leads_from(body, end);
    unsigned inside = (1U << out->written) - 2; /* offsets 1 to written - 1 */

    if ((leads.loops && !begins_a_frame(body)) || (leads.offsets & inside))
        return ARCH_JUMP_INSIDE;
    return ARCH_OK;
}

/*
 * Check a branch between displaced instructions: its target moves with it. A call may lead to the entry, or after the
 * jump: to its own next instruction, by which code finds its own address.
 */
static enum arch_problem check_branch(const struct arch_prologue *prologue, unsigned next,
                                      const struct instruction *in)
{
    int64_t target = (int64_t)next + in->relative;

    if (in->kind == INSTRUCTION_CALL)
        return target > 0 && target < prologue->written ? ARCH_NOT_MOVABLE : ARCH_OK;
    if (target > 0 && target < prologue->written && !starts_at(prologue, target))
        return ARCH_JUMP_INSIDE;
    return ARCH_OK;
}

/* Check the first instruction. A thread that is interrupted inside a repeated first instruction would continue in the
 * replacement. */
static enum arch_problem check_displaced(const struct arch_prologue *prologue)
{
    for (unsigned i = 0; i < prologue->count; i++) {
        unsigned offset = prologue->start[i];
        enum arch_problem problem = ARCH_OK;
        struct instruction in;

        if (!instruction_decode(prologue->bytes + offset, prologue->length - offset, &in))
            return ARCH_UNDECODABLE;
        if (in.kind == INSTRUCTION_FIXED || (i == 0 && in.repeats))
            return ARCH_NOT_MOVABLE;
        if (instruction_branches(&in))
            problem = check_branch(prologue, offset + in.length, &in);
        if (problem != ARCH_OK)
            return problem;
    }
    return ARCH_OK;
}

static size_t endbr64_bytes(const uint8_t *code, size_t size)
{
    static const uint8_t endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

    return size >= sizeof(endbr64) && memcmp(code, endbr64, sizeof(endbr64)) == 0 ? sizeof(endbr64)
                                                                                  : 0;
}

bool arch_forwards(const uint8_t *code, size_t size, uint64_t address, uint64_t *to)
{
    size_t at = endbr64_bytes(code, size);
    int32_t far;

    if (size >= at + JUMP_BYTES && code[at] == 0xe9) {
        memcpy(&far, code + at + 1, sizeof(far));
        *to = address + at + JUMP_BYTES + (uint64_t)(int64_t)far;
        return true;
    }
    if (size >= at + 2 && code[at] == 0xeb) {
        *to = address + at + 2 + (uint64_t)(int64_t)(int8_t)code[at + 1];
        return true;
    }
    return false;
}

/*
 * Return whether the code is rt_sigreturn(2): mov $15, %rax or %eax, and syscall, the bytes by which unwinders and
 * debuggers detect a signal frame. A C library need not describe it by an FDE (musl does not).
 */
static bool returns_from_signal(const uint8_t *code, size_t size)
{
    static const uint8_t wide[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    static const uint8_t narrow[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};

    return (size >= sizeof(wide) && memcmp(code, wide, sizeof(wide)) == 0) ||
           (size >= sizeof(narrow) && memcmp(code, narrow, sizeof(narrow)) == 0);
}

/* Return the function after its endbr64, if it has one. */
static struct prologue_body body_of(const uint8_t *code, size_t size, uint64_t entry,
                                    struct arch_prologue *out)
{
    size_t before = endbr64_bytes(code, size);

    *out = (struct arch_prologue){.entry = entry, .jump = entry + before};
    return (struct prologue_body){code + before, size - before, before > 0};
}

static enum arch_problem check(const struct prologue_body *body, size_t end,
                               struct arch_prologue *out)
{
    enum arch_problem problem = check_jumps(body, end, out);

    return problem == ARCH_OK ? check_displaced(out) : problem;
}

enum arch_problem arch_prologue_read(const uint8_t *code, size_t size, uint64_t entry,
                                     struct arch_prologue *out)
{
    struct prologue_body body = body_of(code, size, entry, out);
    enum arch_problem problem;
    size_t end = 0;

    if (returns_from_signal(body.code, body.size))
        return ARCH_SIGNAL_RETURN;
    if (body.size < JUMP_BYTES)
        return ARCH_TOO_SHORT;
    problem = read_displaced(&body, out, &end);
    return problem == ARCH_OK ? check(&body, end, out) : problem;
}

enum arch_problem arch_prologue_read_short(const uint8_t *code, size_t size, uint64_t entry,
                                           struct arch_prologue *out)
{
    struct prologue_body body = body_of(code, size, entry, out);
    struct instruction in;

    out->written = ARCH_SHORT_BYTES;
    if (returns_from_signal(body.code, body.size))
        return ARCH_SIGNAL_RETURN;
    if (!instruction_decode(body.code, body.size, &in))
        return ARCH_UNDECODABLE;
    if (in.length < ARCH_SHORT_BYTES || out->jump % WORD > WORD - ARCH_SHORT_BYTES)
        return ARCH_TOO_SHORT;
    out->count = 1;
    out->start[1] = out->length = in.length;
    out->padding = in.nop;
    memcpy(out->bytes, body.code, in.length);
    return check(&body, in.length, out);
}

void arch_pad_window(const struct arch_prologue *prologue, uint64_t *low, uint64_t *high)
{
    uint64_t end = prologue->jump + ARCH_SHORT_BYTES;

    *low = end > -INT8_MIN ? end - (uint64_t)-INT8_MIN : 0;
    *high = end + INT8_MAX;
}

/* ------------------------------------------------------------------ the widening --- */

/* Return whether the instruction means the same in a copy, whether or not the instructions before it are copied. */
static bool is_taken_along(const struct instruction *in, size_t next)
{
    if (in->call || in->breakpoint || in->kind == INSTRUCTION_FIXED ||
        in->kind == INSTRUCTION_COUNTED || in->kind == INSTRUCTION_BEGIN)
        return false;
    return !instruction_branches(in) || (int64_t)next + in->relative >= ARCH_PROLOGUE_BYTES;
}

static bool goes_on(const struct arch_prologue *prologue)
{
    unsigned last = prologue->start[prologue->count - 1];
    struct instruction in;

    return instruction_decode(prologue->bytes + last, prologue->length - last, &in) && !in.ends &&
           !in.call && last + in.length == prologue->length;
}

void arch_prologue_widen(const uint8_t *code, size_t size, struct arch_prologue *prologue)
{
    size_t before = prologue->jump - prologue->entry;

    while (prologue->length < HOOK_BYTES && prologue->count < ARCH_PROLOGUE_COUNT &&
           goes_on(prologue)) {
        size_t at = before + prologue->length;
        struct instruction in;

        if (at >= size || !instruction_decode(code + at, size - at, &in) ||
            prologue->length + in.length > ARCH_PROLOGUE_BYTES ||
            !is_taken_along(&in, prologue->length + in.length))
            return;
        memcpy(prologue->bytes + prologue->length, code + at, in.length);
        prologue->start[prologue->count++] = prologue->length;
        prologue->length += in.length;
        prologue->start[prologue->count] = prologue->length;
    }
}
