/*
 * stepper.c - see stepper.h.
 */
#include "tests/support/stepper.h"

#include "tests/support/comparable.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <Zydis/Zydis.h>

#include <cmocka.h>

enum {
    COPIES = STEPPER_COPIES,
    SCRATCH = STEPPER_SCRATCH,
    STACK_AT = SCRATCH - (1 << 13),
    STEPS = 100,
    PUSH_BYTES = 6,
    XSAVE_MAX = 1 << 14,
    XSAVE_HEADER = 512, /* after the legacy region: which parts are not in their initial state */
    /* bytes of each place that a prologue refers to relative to itself */
    XSAVE_PARTS = 576,
    WATCHED = 64,
    STEPPING_FLAGS = 0x10100 /* TF and RF: the debugger's */
};

/* The XSAVE area (Intel SDM 1, 13.4). It has all parts of the vector registers, since the flags that an instruction
 * raises may depend on their upper halves. */
struct vectors {
    size_t size;
    union {
        struct user_fpregs_struct legacy;
        uint8_t bytes[XSAVE_MAX];
    };
};

/* The state of one side after its steps. */
struct state {
    struct user_regs_struct registers;
    struct vectors vectors;
    siginfo_t fault; /* si_signo 0: none */
    bool through;
    uint8_t scratch[SCRATCH];
    uint8_t watched[ARCH_PROLOGUE_COUNT][WATCHED];
};

/* A run of one prologue: the state that both sides begin with. */
struct run {
    const struct stepper *stepper;
    const struct arch_prologue *prologue;
    uint8_t *watched[ARCH_PROLOGUE_COUNT];
    uint32_t undefined; /* flags */
    struct state before;
};

/* --------------------------------------------------------------- the initial state --- */

static void set_registers(struct run *run, bool pointers)
{
    struct user_regs_struct *to = &run->before.registers;
    unsigned long long *each[] = {&to->rax, &to->rbx, &to->rcx, &to->rdx, &to->rsi,
                                  &to->rdi, &to->rbp, &to->r8,  &to->r9,  &to->r10,
                                  &to->r11, &to->r12, &to->r13, &to->r14, &to->r15};
    uintptr_t scratch = (uintptr_t)run->stepper->scratch;

    assert_int_equal(ptrace(PTRACE_GETREGS, run->stepper->child, NULL, to), 0);
    for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++)
        *each[i] = pointers ? scratch + SCRATCH / 2 + i * 1040 : i % 5;
    to->rsp = scratch + STACK_AT;
    to->fs_base = to->gs_base = scratch + SCRATCH / 4;
    to->eflags = pointers ? 0x202 : 0x246; /* IF only; with ZF and PF */
    to->orig_rax = (unsigned long long)-1;
}

static void read_vectors(pid_t child, struct vectors *to)
{
    struct iovec area = {to->bytes, sizeof(to->bytes)};

    memset(to->bytes, 0, sizeof(to->bytes));
    assert_int_equal(ptrace(PTRACE_GETREGSET, child, NT_X86_XSTATE, &area), 0);
    to->size = area.iov_len;
}

static void write_vectors(pid_t child, struct vectors *from)
{
    struct iovec area = {from->bytes, from->size};

    assert_int_equal(ptrace(PTRACE_SETREGSET, child, NT_X86_XSTATE, &area), 0);
}

static void set_vectors(struct run *run)
{
    struct vectors *to = &run->before.vectors;

    read_vectors(run->stepper->child, to);
    for (unsigned i = 0; i < sizeof(to->legacy.xmm_space) / sizeof(to->legacy.xmm_space[0]); i++)
        to->legacy.xmm_space[i] = 0x3f800000U + i;
    to->bytes[XSAVE_HEADER] |= 3; /* x87, SSE */
}

static bool same_vectors(const struct vectors *a, const struct vectors *b)
{
    struct user_fpregs_struct left = a->legacy, right = b->legacy;

    /* Of the last x87 instruction: its address, its opcode, the address of its operand. */
    left.rip = right.rip = 0;
    left.rdp = right.rdp = 0;
    left.fop = right.fop = 0;
    return memcmp(&left, &right, XSAVE_HEADER) == 0 &&
           memcmp(a->bytes + XSAVE_PARTS, b->bytes + XSAVE_PARTS, sizeof(a->bytes) - XSAVE_PARTS) ==
               0;
}

/* Fill the scratch memory with pointers into itself, so that loaded values can be dereferenced. */
static void set_scratch(struct run *run)
{
    uintptr_t scratch = (uintptr_t)run->stepper->scratch;

    for (size_t i = 0; i < SCRATCH / 8; i++) {
        uint64_t word = scratch + SCRATCH / 4 + (i * 72) % (SCRATCH / 2);
        memcpy(run->before.scratch + 8 * i, &word, 8);
    }
}

static bool decode(const struct arch_prologue *prologue, unsigned i, ZydisDecodedInstruction *in)
{
    ZydisDecoder decoder;

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return ZYAN_SUCCESS(
        ZydisDecoderDecodeInstruction(&decoder, NULL, prologue->bytes + prologue->start[i],
                                      (ZyanUSize)(prologue->length - prologue->start[i]), in));
}

/* Return the address that instruction `i` refers to relative to itself; 0: none. */
static uintptr_t referred(const struct arch_prologue *prologue, unsigned i)
{
    ZydisDecodedInstruction in;

    if (!decode(prologue, i, &in) || !(in.attributes & ZYDIS_ATTRIB_HAS_MODRM) ||
        in.raw.modrm.mod != 0 || in.raw.modrm.rm != 5)
        return 0;
    return prologue->jump + prologue->start[i] + in.length + (uint64_t)in.raw.disp.value;
}

/* Find the addresses that are referred to: in the image, or, if there are none, elsewhere. */
static void set_watched(struct run *run)
{
    const struct stepper *stepper = run->stepper;

    for (unsigned i = 0; i < run->prologue->count; i++) {
        uintptr_t at = referred(run->prologue, i);

        run->watched[i] = NULL;
        if (at < (uintptr_t)stepper->image ||
            at + WATCHED > (uintptr_t)stepper->scratch - STEPPER_GAP) /* the image's end */
            continue;
        run->watched[i] = stepper->image + (at - (uintptr_t)stepper->image);
        memcpy(run->before.watched[i], run->watched[i], WATCHED);
    }
}

/* Return whether the prologue refers to the copies. No program has data there, and one side would read what the other
 * has written. */
static bool refers_to_copies(const struct stepper *stepper, const struct arch_prologue *prologue)
{
    for (unsigned i = 0; i < prologue->count; i++) {
        uintptr_t at = referred(prologue, i);

        if (at + WATCHED > (uintptr_t)stepper->copies && at < (uintptr_t)stepper->copies + COPIES)
            return true;
    }
    return false;
}

static void restore_memory(const struct run *run)
{
    if (memcmp(run->stepper->scratch, run->before.scratch, SCRATCH) != 0)
        memcpy(run->stepper->scratch, run->before.scratch, SCRATCH);
    for (unsigned i = run->prologue->count; i-- > 0;) {
        if (run->watched[i])
            memcpy(run->watched[i], run->before.watched[i], WATCHED);
    }
}

/* Return whether every instruction has the same result the second time. `undefined` gets the flags that are undefined
 * after one of them: the run may end there, by a fault. */
static bool is_comparable(const struct arch_prologue *prologue, uint32_t *undefined)
{
    uint32_t now = 0;

    *undefined = 0;
    for (unsigned i = 0; i < prologue->count; i++) {
        ZydisDecodedInstruction in;
        uint32_t read;

        if (!decode(prologue, i, &in) || comparable_not(&in))
            return false;
        now = comparable_undefined_flags(&in, now, &read);
        *undefined |= now;
        if (read)
            return false;
    }
    return true;
}

/* ------------------------------------------------------------------- the steps --- */

static void record(const struct run *run, struct state *after)
{
    pid_t child = run->stepper->child;

    assert_int_equal(ptrace(PTRACE_GETREGS, child, NULL, &after->registers), 0);
    read_vectors(child, &after->vectors);
    memcpy(after->scratch, run->stepper->scratch, SCRATCH);
    for (unsigned i = 0; i < run->prologue->count; i++) {
        if (run->watched[i])
            memcpy(after->watched[i], run->watched[i], WATCHED);
    }
}

/* Run one instruction. Return false if it raised a signal. */
static bool step(pid_t child, siginfo_t *fault)
{
    int status;

    assert_int_equal(ptrace(PTRACE_SINGLESTEP, child, NULL, NULL), 0);
    status = stepper_await(child);
    assert_true(WIFSTOPPED(status));
    if (WSTOPSIG(status) == SIGTRAP)
        return true;
    assert_int_equal(ptrace(PTRACE_GETSIGINFO, child, NULL, fault), 0);
    return false;
}

static uint64_t rip_of(pid_t child)
{
    errno = 0;
    return (uint64_t)ptrace(PTRACE_PEEKUSER, child, offsetof(struct user_regs_struct, rip), NULL);
}

/* Return whether `rip` is at one of the displaced instructions. The inside of the last instruction does not count; a
 * jump may reach it. */
static bool is_displaced(const struct arch_prologue *prologue, uint64_t rip)
{
    for (unsigned i = 0; i < prologue->count; i++) {
        if (rip == prologue->jump + prologue->start[i])
            return true;
    }
    return false;
}

/* Step from `begin` until the code is left. `length` 0: the original. */
static void run_side(struct run *run, uint64_t begin, uint64_t length, struct state *after)
{
    struct user_regs_struct registers = run->before.registers;
    pid_t child = run->stepper->child;

    restore_memory(run);
    registers.rip = begin;
    after->fault.si_signo = 0;
    after->through = false;
    assert_int_equal(ptrace(PTRACE_SETREGS, child, NULL, &registers), 0);
    write_vectors(child, &run->before.vectors);
    for (int i = 0; i < STEPS && !after->through; i++) {
        if (!step(child, &after->fault))
            break;
        after->through =
            length ? rip_of(child) - begin >= length : !is_displaced(run->prologue, rip_of(child));
    }
    record(run, after);
    restore_memory(run);
}

/* ---------------------------------------------------------------- the comparison --- */

static void expect_same_fault(const struct arch_prologue *prologue, uint64_t copy,
                              const uint8_t *map, const struct state *original,
                              struct state *relocated, char *why)
{
    uint64_t offset = original->registers.rip - prologue->jump;
    bool same_place = original->fault.si_addr == relocated->fault.si_addr;

    /* SIGILL and SIGFPE report the instruction's own address. */
    if ((uintptr_t)original->fault.si_addr == original->registers.rip)
        same_place = (uintptr_t)relocated->fault.si_addr == relocated->registers.rip;
    if (original->fault.si_signo != relocated->fault.si_signo ||
        original->fault.si_code != relocated->fault.si_code || !same_place)
        snprintf(why, 200, "signal %d code %d at %p became %d, %d, %p", original->fault.si_signo,
                 original->fault.si_code, original->fault.si_addr, relocated->fault.si_signo,
                 relocated->fault.si_code, relocated->fault.si_addr);
    for (unsigned i = 0; i < prologue->count; i++) {
        if (prologue->start[i] == offset && relocated->registers.rip == copy + map[i])
            relocated->registers.rip = original->registers.rip;
    }
}

/* Ignore the order of push and read. A call that has become "push; jmp there" pushes before it reads its target. The
 * read may raise a signal after the push, or the push before. */
static void forgive_push(const struct arch_prologue *prologue, uint64_t copy, const uint8_t *map,
                         const struct state *original, struct state *relocated,
                         const uint8_t *scratch)
{
    unsigned last = prologue->count - 1;
    uint64_t push = copy + map[last], at = relocated->registers.rsp - (uintptr_t)scratch, behind;
    ZydisDecodedInstruction in;

    if (!decode(prologue, last, &in) || in.meta.category != ZYDIS_CATEGORY_CALL ||
        original->registers.rip != prologue->jump + prologue->start[last])
        return;
    if (relocated->registers.rip == push &&
        relocated->registers.rsp - 1 - (uintptr_t)relocated->fault.si_addr < 8)
        relocated->fault = original->fault;
    if (relocated->registers.rip != push + PUSH_BYTES ||
        relocated->registers.rsp != original->registers.rsp - 8 || at > SCRATCH - 8)
        return;
    memcpy(&behind, relocated->scratch + at, 8);
    if (behind != prologue->jump + prologue->length)
        return;
    memcpy(relocated->scratch + at, original->scratch + at, 8);
    relocated->registers.rsp = original->registers.rsp;
    relocated->registers.rip = push;
}

static void forgive_at(uint64_t at, const struct arch_prologue *prologue, uint64_t goes_on,
                       const struct state *original, struct state *relocated)
{
    uint64_t here, there;

    if (at > SCRATCH - 8)
        return;
    memcpy(&here, original->scratch + at, 8);
    memcpy(&there, relocated->scratch + at, 8);
    if (here == prologue->jump + prologue->length && there == goes_on)
        memcpy(relocated->scratch + at, &here, 8);
}

/* Ignore the return address. A call that is a call in the copy, too, leaves the copy's address on the stack. A call to
 * an invalid address may have written it before the fault, below the stack pointer. */
static void forgive_return_address(const struct arch_prologue *prologue, uint64_t goes_on,
                                   const struct state *original, struct state *relocated,
                                   const uint8_t *scratch)
{
    uint64_t at = original->registers.rsp - (uintptr_t)scratch;

    forgive_at(at, prologue, goes_on, original, relocated);
    forgive_at(at - 8, prologue, goes_on, original, relocated);
}

static void compare(const struct run *run, const struct state *original, struct state *relocated,
                    char *why)
{
    struct user_regs_struct left = original->registers, right = relocated->registers;

    left.eflags &= ~(unsigned long long)(STEPPING_FLAGS | run->undefined);
    right.eflags &= ~(unsigned long long)(STEPPING_FLAGS | run->undefined);
    if (memcmp(&left, &right, sizeof(left)) != 0)
        snprintf(why, 200, "registers differ: rip %llx, %llx; rax %llx, %llx; flags %llx, %llx",
                 left.rip, right.rip, left.rax, right.rax, left.eflags, right.eflags);
    else if (!same_vectors(&original->vectors, &relocated->vectors))
        snprintf(why, 200, "vector registers differ");
    else if (memcmp(original->scratch, relocated->scratch, SCRATCH) != 0)
        snprintf(why, 200, "memory differs");
    for (unsigned i = 0; i < run->prologue->count; i++) {
        if (run->watched[i] && memcmp(original->watched[i], relocated->watched[i], WATCHED) != 0)
            snprintf(why, 200, "memory of the program differs");
    }
}

enum step_outcome step_prologue(const struct stepper *stepper, const struct arch_prologue *prologue,
                                bool pointers, char *why)
{
    static struct run run;
    static struct state original, relocated;
    static unsigned turn;
    uint8_t map[ARCH_PROLOGUE_COUNT];
    uint8_t *copy = stepper->copies + (size_t)(turn++ % (COPIES / ARCH_MOVED_BYTES)) * 256;
    ssize_t length =
        arch_move(prologue, (uintptr_t)copy, stepper->shadow_stack, copy, ARCH_MOVED_BYTES, map);

    why[0] = '\0';
    if (length < 0) {
        snprintf(why, 200, "not moved");
        return STEP_DIFFERENT;
    }
    if (!is_comparable(prologue, &run.undefined) || refers_to_copies(stepper, prologue))
        return STEP_SKIPPED;
    run.stepper = stepper;
    run.prologue = prologue;
    set_registers(&run, pointers);
    set_vectors(&run);
    set_scratch(&run);
    set_watched(&run);
    run_side(&run, prologue->jump, 0, &original);
    run_side(&run, (uintptr_t)copy + map[0], (uint64_t)length - map[0], &relocated);
    if (!original.through && original.fault.si_signo == 0)
        return STEP_SKIPPED;
    if (original.fault.si_signo != 0 && relocated.fault.si_signo != 0)
        forgive_push(prologue, (uintptr_t)copy, map, &original, &relocated, stepper->scratch);
    if (original.fault.si_signo != 0)
        expect_same_fault(prologue, (uintptr_t)copy, map, &original, &relocated, why);
    forgive_return_address(prologue, (uintptr_t)copy + (uintptr_t)length - 5, &original, &relocated,
                           stepper->scratch);
    compare(&run, &original, &relocated, why);
    if (why[0])
        return STEP_DIFFERENT;
    return original.fault.si_signo ? STEP_FAULTED : STEP_EQUAL;
}
