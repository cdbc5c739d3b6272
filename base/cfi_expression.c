/* cfi_expression.c - see cfi_expression.h. */
#include "base/cfi_expression.h"

#include "base/cfi_reader.h"

enum { STACK_MAX = 32, STEPS_MAX = 256 };

enum {
    OP_ADDR = 0x03,
    OP_DEREF = 0x06,
    OP_CONST1U = 0x08,
    OP_CONST8S = 0x0f,
    OP_CONSTU = 0x10,
    OP_CONSTS = 0x11,
    OP_DUP = 0x12,
    OP_DROP = 0x13,
    OP_OVER = 0x14,
    OP_PICK = 0x15,
    OP_SWAP = 0x16,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_MUL = 0x1e,
    OP_NEG = 0x1f,
    OP_NOT = 0x20,
    OP_OR = 0x21,
    OP_PLUS = 0x22,
    OP_PLUS_UCONST = 0x23,
    OP_SHL = 0x24,
    OP_SHR = 0x25,
    OP_SHRA = 0x26,
    OP_XOR = 0x27,
    OP_BRA = 0x28,
    OP_EQ = 0x29,
    OP_NE = 0x2e,
    OP_SKIP = 0x2f,
    OP_LIT0 = 0x30,
    OP_BREG0 = 0x70,
    OP_BREGX = 0x92,
    OP_DEREF_SIZE = 0x94,
    OP_NOP = 0x96
};

struct evaluation {
    struct cfi_reader reader;
    const struct cfi_frame *frame;
    uint64_t begin;
    uint64_t stack[STACK_MAX];
    unsigned depth;
    bool failed;
};

static void push_value(struct evaluation *machine, uint64_t value)
{
    if (machine->depth == STACK_MAX)
        machine->failed = true;
    else
        machine->stack[machine->depth++] = value;
}

static uint64_t pop(struct evaluation *machine)
{
    if (machine->depth == 0) {
        machine->failed = true;
        return 0;
    }
    return machine->stack[--machine->depth];
}

static void push_register(struct evaluation *machine, uint64_t number, int64_t offset)
{
    if (number >= CFI_REGISTERS || !(machine->frame->known >> number & 1))
        machine->failed = true;
    else
        push_value(machine, machine->frame->value[number] + (uint64_t)offset);
}

static void push_pick(struct evaluation *machine, uint64_t index)
{
    if (index >= machine->depth)
        machine->failed = true;
    else
        push_value(machine, machine->stack[machine->depth - 1 - index]);
}

static void dereference(struct evaluation *machine, uint64_t size)
{
    uint64_t address = pop(machine), value = 0;

    if (size == 0 || size > sizeof(value) ||
        !machine->reader.memory->read(machine->reader.memory->context, address, &value,
                                      (size_t)size))
        machine->failed = true;
    push_value(machine, value);
}

static bool is_true(unsigned operation, int64_t a, int64_t b)
{
    switch (operation) {
    case OP_EQ:
        return a == b;
    case OP_EQ + 1:
        return a >= b;
    case OP_EQ + 2:
        return a > b;
    case OP_EQ + 3:
        return a <= b;
    case OP_EQ + 4:
        return a < b;
    default:
        return a != b;
    }
}

static uint64_t combine(struct evaluation *machine, unsigned operation, uint64_t a, uint64_t b)
{
    switch (operation) {
    case OP_AND:
        return a & b;
    case OP_MINUS:
        return a - b;
    case OP_MUL:
        return a * b;
    case OP_OR:
        return a | b;
    case OP_PLUS:
        return a + b;
    case OP_SHL:
        return b < 64 ? a << b : 0;
    case OP_SHR:
        return b < 64 ? a >> b : 0;
    case OP_SHRA:
        b = b < 63 ? b : 63;
        return a >> b | (a >> 63 && b ? UINT64_MAX << (64 - b) : 0);
    case OP_XOR:
        return a ^ b;
    default:
        machine->failed = true;
        return 0;
    }
}

/* Take a branch. Its offset counts from the next instruction, and its target must lie inside the expression. */
static void branch(struct evaluation *machine, bool taken)
{
    int64_t distance = cfi_signed(&machine->reader, 2);
    uint64_t to = machine->reader.at + (uint64_t)distance;

    if (!taken)
        return;
    if (to < machine->begin || to > machine->reader.end)
        machine->failed = true;
    else
        machine->reader.at = to;
}

static void push_constant(struct evaluation *machine, unsigned operation)
{
    size_t size = (size_t)1 << (operation - OP_CONST1U) / 2;

    if (operation & 1)
        push_value(machine, (uint64_t)cfi_signed(&machine->reader, size));
    else
        push_value(machine, cfi_unsigned(&machine->reader, size));
}

static void run_stack(struct evaluation *machine, unsigned operation)
{
    uint64_t a, b;

    switch (operation) {
    case OP_DUP:
        push_pick(machine, 0);
        break;
    case OP_DROP:
        pop(machine);
        break;
    case OP_OVER:
        push_pick(machine, 1);
        break;
    case OP_PICK:
        push_pick(machine, cfi_unsigned(&machine->reader, 1));
        break;
    default: /* OP_SWAP */
        a = pop(machine);
        b = pop(machine);
        push_value(machine, a);
        push_value(machine, b);
    }
}

static void run_arithmetic(struct evaluation *machine, unsigned operation)
{
    uint64_t b;

    switch (operation) {
    case OP_NEG:
        push_value(machine, 0 - pop(machine));
        break;
    case OP_NOT:
        push_value(machine, ~pop(machine));
        break;
    case OP_PLUS_UCONST:
        b = cfi_uleb(&machine->reader);
        push_value(machine, pop(machine) + b);
        break;
    default:
        b = pop(machine);
        push_value(machine, combine(machine, operation, pop(machine), b));
    }
}

static void run_operation(struct evaluation *machine)
{
    unsigned operation = (unsigned)cfi_unsigned(&machine->reader, 1);
    uint64_t b;

    if (operation >= OP_LIT0 && operation < OP_LIT0 + 32)
        push_value(machine, operation - OP_LIT0);
    else if (operation >= OP_BREG0 && operation < OP_BREG0 + 32)
        push_register(machine, operation - OP_BREG0, cfi_sleb(&machine->reader));
    else if (operation >= OP_CONST1U && operation <= OP_CONST8S)
        push_constant(machine, operation);
    else if (operation >= OP_DUP && operation <= OP_SWAP)
        run_stack(machine, operation);
    else if (operation >= OP_EQ && operation <= OP_NE) {
        b = pop(machine);
        push_value(machine, is_true(operation, (int64_t)pop(machine), (int64_t)b));
    } else if (operation == OP_ADDR)
        push_value(machine, cfi_unsigned(&machine->reader, 8));
    else if (operation == OP_DEREF)
        dereference(machine, 8);
    else if (operation == OP_DEREF_SIZE)
        dereference(machine, cfi_unsigned(&machine->reader, 1));
    else if (operation == OP_CONSTU)
        push_value(machine, cfi_uleb(&machine->reader));
    else if (operation == OP_CONSTS)
        push_value(machine, (uint64_t)cfi_sleb(&machine->reader));
    else if (operation == OP_BREGX) {
        b = cfi_uleb(&machine->reader);
        push_register(machine, b, cfi_sleb(&machine->reader));
    } else if (operation == OP_SKIP)
        branch(machine, true);
    else if (operation == OP_BRA)
        branch(machine, pop(machine) != 0);
    else if (operation >= OP_AND && operation <= OP_XOR)
        run_arithmetic(machine, operation);
    else if (operation != OP_NOP)
        machine->failed = true;
}

bool cfi_evaluate(const struct cfi_memory *memory, const struct cfi_frame *frame, uint64_t at,
                  uint64_t end, const uint64_t *first, uint64_t *result)
{
    struct evaluation machine = {.frame = frame, .begin = at};

    cfi_reader_begin(&machine.reader, memory, at, end);
    if (first)
        push_value(&machine, *first);
    for (unsigned steps = 0; machine.reader.at < end; steps++) {
        if (steps == STEPS_MAX || machine.failed || machine.reader.failed)
            return false;
        run_operation(&machine);
    }
    *result = pop(&machine);
    return !machine.failed && !machine.reader.failed;
}
