/*
 * fuzz_prologue_steps.c - any bytes as a function: its first instructions and their moved copy,
 * each run one by one in a traced child from equal registers and memory, leave the same.
 *
 * The first byte chooses how it is run, the rest is the function. Where nobody may trace nothing is
 * done. What need not leave the same the second time is not run: comparable.h.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "tests/support/stepper.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SPAN = 1 << 20, CODE_BYTES = 256, POINTERS = 1, SHADOW_STACK = 2 };

static struct stepper stepper;

static bool is_started(void)
{
    static bool tried, started;

    if (!tried)
        started = stepper_start(&stepper, SPAN);
    if (!tried && !started)
        fprintf(stderr, "nobody may trace here\n");
    tried = true;
    return started;
}

/* In memory that is the same each time. */
static uint8_t *put_code(const uint8_t *data, size_t size)
{
    uint8_t *code = stepper.image + SPAN / 2;

    memset(code, 0x90, CODE_BYTES);
    memcpy(code, data, size);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t moved[ARCH_MOVED_BYTES], map[ARCH_PROLOGUE_COUNT];
    struct arch_prologue prologue;
    char why[200];
    uint8_t *code;

    if (size < 2 || size > CODE_BYTES || !is_started())
        return 0;
    code = put_code(data + 1, size - 1);
    stepper.shadow_stack = data[0] & SHADOW_STACK;
    if (arch_prologue_read(code, size - 1, (uintptr_t)code, &prologue) != ARCH_OK ||
        arch_move(&prologue, (uintptr_t)stepper.copies, stepper.shadow_stack, moved, sizeof(moved),
                  map) < 0)
        return 0;
    if (step_prologue(&stepper, &prologue, data[0] & POINTERS, why) != STEP_DIFFERENT)
        return 0;
    for (unsigned i = 0; i < prologue.length; i++)
        fprintf(stderr, "%02x ", prologue.bytes[i]);
    fprintf(stderr, "%s\n", why);
    abort();
}
