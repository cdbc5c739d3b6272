/*
 * bpf.c - see bpf.h. The instructions: linux/filter.h, and seccomp_check_filter() in the kernel's kernel/seccomp.c,
 * which lists those that a seccomp filter may have.
 */
#include "preload/bpf.h"

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/sys.h"

enum {
    STEPS_MAX = 20000,
    DEPTH_MAX = 32
}; /* steps of all paths together; this must also fit a small stack */

struct bpf_word {
    uint32_t value;
    bool known;
};

struct bpf_machine {
    const struct bpf_call *call;
    struct bpf_word a, x, memory[BPF_MEMWORDS];
};

static struct bpf_word known(uint32_t value)
{
    return (struct bpf_word){value, true};
}

/* Return 32 bits of struct seccomp_data, little endian. */
static struct bpf_word load_word_of(const struct bpf_call *call, uint32_t offset)
{
    size_t from = offsetof(struct seccomp_data, args), index;

    if (offset == offsetof(struct seccomp_data, nr))
        return known((uint32_t)call->number);
    if (offset == offsetof(struct seccomp_data, arch))
        return known(sys_call_machine);
    if (offset < from || offset >= sizeof(struct seccomp_data) || offset % 4 != 0)
        return (struct bpf_word){0, false};
    index = (offset - from) / 8;
    return (struct bpf_word){(uint32_t)(call->arguments[index] >> (offset % 8 * 8)),
                             call->known & (1u << index)};
}

/* Compute one ALU operation. A division by zero ends the program with 0, SECCOMP_RET_KILL_THREAD. An unknown value is
 * counted as worse. */
static struct bpf_word compute(uint16_t operation, struct bpf_word a, struct bpf_word b)
{
    uint32_t shift = b.value & 31;
    bool both = a.known && b.known;

    switch (operation) {
    case BPF_ADD:
        return (struct bpf_word){a.value + b.value, both};
    case BPF_SUB:
        return (struct bpf_word){a.value - b.value, both};
    case BPF_MUL:
        return (struct bpf_word){a.value * b.value, both};
    case BPF_DIV:
        return (struct bpf_word){b.value ? a.value / b.value : 0, both && b.value};
    case BPF_AND:
        return (struct bpf_word){a.value & b.value, both};
    case BPF_OR:
        return (struct bpf_word){a.value | b.value, both};
    case BPF_XOR:
        return (struct bpf_word){a.value ^ b.value, both};
    case BPF_LSH:
        return (struct bpf_word){a.value << shift, both && b.value < 32};
    case BPF_RSH:
        return (struct bpf_word){a.value >> shift, both && b.value < 32};
    case BPF_NEG:
        return (struct bpf_word){-a.value, a.known};
    default:
        return (struct bpf_word){0, false};
    }
}

static bool jump_holds(uint16_t operation, uint32_t a, uint32_t b)
{
    switch (operation) {
    case BPF_JEQ:
        return a == b;
    case BPF_JGT:
        return a > b;
    case BPF_JGE:
        return a >= b;
    default:
        return (a & b) != 0; /* BPF_JSET */
    }
}

static struct bpf_word loaded(const struct bpf_machine *machine, const struct sock_filter *step)
{
    switch (BPF_MODE(step->code)) {
    case BPF_IMM:
        return known(step->k);
    case BPF_LEN:
        return known(sizeof(struct seccomp_data));
    case BPF_MEM:
        return step->k < BPF_MEMWORDS ? machine->memory[step->k] : (struct bpf_word){0, false};
    case BPF_ABS:
        return load_word_of(machine->call, step->k);
    default:
        return (struct bpf_word){0, false};
    }
}

static struct bpf_word operand(const struct bpf_machine *machine, const struct sock_filter *step)
{
    return BPF_SRC(step->code) == BPF_X ? machine->x : known(step->k);
}

/* Execute one instruction that is neither a jump nor a return. */
static void execute_step(struct bpf_machine *machine, const struct sock_filter *step)
{
    switch (BPF_CLASS(step->code)) {
    case BPF_LD:
        machine->a = loaded(machine, step);
        break;
    case BPF_LDX:
        machine->x = loaded(machine, step);
        break;
    case BPF_ST:
    case BPF_STX:
        if (step->k < BPF_MEMWORDS)
            machine->memory[step->k] = BPF_CLASS(step->code) == BPF_ST ? machine->a : machine->x;
        break;
    case BPF_ALU:
        machine->a = compute(BPF_OP(step->code), machine->a, operand(machine, step));
        break;
    default: /* BPF_MISC */
        if (BPF_MISCOP(step->code) == BPF_TAX)
            machine->x = machine->a;
        else
            machine->a = machine->x;
        break;
    }
}

struct limits {
    unsigned count, steps, depth;
};

static uint32_t run_filter(const struct sock_filter *code, struct bpf_machine machine, uint64_t at,
                           struct limits *limits);

/* Return the severity of a result: allowed, failed, or anything else. */
static unsigned severity(uint32_t answer)
{
    uint32_t action = answer & SECCOMP_RET_ACTION_FULL;

    return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ? 0
           : action == SECCOMP_RET_ERRNO                            ? 1
                                                                    : 2;
}

/* Run both paths of a jump that depends on an unknown value. Return the worse result. */
static uint32_t run_both(const struct sock_filter *code, const struct bpf_machine *machine,
                         uint64_t at, struct limits *limits)
{
    uint32_t left, right;

    if (limits->depth == 0)
        return BPF_UNKNOWN;
    limits->depth--;
    left = run_filter(code, *machine, at + 1 + code[at].jt, limits);
    right = run_filter(code, *machine, at + 1 + code[at].jf, limits);
    limits->depth++;
    return severity(left) > severity(right) ? left : right;
}

/* Run the program from `at`. It ends, because all jumps go forward. */
static uint32_t run_filter(const struct sock_filter *code, struct bpf_machine machine, uint64_t at,
                           struct limits *limits)
{
    for (; at < limits->count && limits->steps > 0; at++, limits->steps--) {
        const struct sock_filter *step = &code[at];
        struct bpf_word with = operand(&machine, step);

        if (BPF_CLASS(step->code) == BPF_RET) {
            struct bpf_word result = BPF_RVAL(step->code) == BPF_A ? machine.a : known(step->k);

            return result.known ? result.value : BPF_UNKNOWN;
        }
        if (BPF_CLASS(step->code) != BPF_JMP)
            execute_step(&machine, step);
        else if (BPF_OP(step->code) == BPF_JA)
            at += step->k;
        else if (machine.a.known && with.known)
            at += jump_holds(BPF_OP(step->code), machine.a.value, with.value) ? step->jt : step->jf;
        else
            return run_both(code, &machine, at, limits);
    }
    return BPF_UNKNOWN;
}

uint32_t bpf_run(const struct sock_filter *code, unsigned count, const struct bpf_call *call)
{
    const struct bpf_machine machine = {.call = call, .a = known(0), .x = known(0)};
    struct limits limits = {count, STEPS_MAX, DEPTH_MAX};

    return run_filter(code, machine, 0, &limits);
}
