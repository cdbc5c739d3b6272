/*
 * test_step.c - which instructions are executed with the trap flag set, which signal one raises, and what a repeated string instruction
 * is shortened by.
 */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "base/step_instruction.h"
#include "base/step_string.h"
#include "tests/support/harness.h"

#define MAY(...)                                               \
    (step_instruction_may_trap((const uint8_t[]){__VA_ARGS__}, \
                               sizeof((const uint8_t[]){__VA_ARGS__})))

static void what_stores_or_loses_the_flag_is_not_stepped(void **state)
{
    (void)state;
    assert_false(MAY(0x0f, 0x05));             /* syscall */
    assert_false(MAY(0x0f, 0x34));             /* sysenter */
    assert_false(MAY(0x9c));                   /* pushf */
    assert_false(MAY(0x66, 0x9c));             /* pushfw */
    assert_false(MAY(0x9d));                   /* popf */
    assert_false(MAY(0xcc));                   /* int3 */
    assert_false(MAY(0xcd, 0x80));             /* int $0x80 */
    assert_false(MAY(0x48, 0xcf));             /* iretq */
    assert_false(MAY(0xf1));                   /* int1 */
    assert_false(MAY(0x48, 0xcb));             /* far ret */
    assert_false(MAY(0xff, 0x2d, 0, 0, 0, 0)); /* far jmp */
    assert_false(MAY(0x8e, 0xd0));             /* mov %eax, %ss */
    assert_false(MAY(0xc7, 0xf8, 0, 0, 0, 0)); /* xbegin */
    assert_false(MAY(0xf3, 0x0f, 0x01, 0xec)); /* uiret */
    assert_false(MAY(0x66));                   /* the opcode is not known */
}

static void other_instructions_are_stepped(void **state)
{
    (void)state;
    assert_true(MAY(0x90));
    assert_true(MAY(0xc3));                                        /* ret */
    assert_true(MAY(0xe8, 0x9c, 0, 0, 0));                         /* call */
    assert_true(MAY(0xff, 0x25, 0, 0, 0, 0));                      /* jmp *slot */
    assert_true(MAY(0x48, 0xc7, 0xc0, 0x0f, 0x05, 0x9c, 0x9d));    /* mov $x, %rax */
    assert_true(MAY(0x8e, 0xd8));                                  /* mov %eax, %ds */
    assert_true(MAY(0x62, 0xf1, 0x7c, 0x48, 0x10, 0x07, 0, 0, 0)); /* an EVEX move */
    assert_true(MAY(0x0f, 0xa2));                                  /* cpuid */
}

static void a_step_is_known_where_the_processor_does_not_say_so(void **state)
{
    (void)state;
    assert_true(step_instruction_raised(TRAP_TRACE));
    assert_true(step_instruction_raised(TRAP_BRKPT));
    assert_false(step_instruction_raised(SI_KERNEL)); /* int3 */
    assert_false(step_instruction_raised(6));         /* TRAP_PERF */
    assert_false(step_instruction_raised(SI_USER));
    assert_false(step_instruction_raised(SI_TKILL));
    assert_false(step_instruction_raised(SI_QUEUE));
}

static ucontext_t string_state(const void *to, const void *from, size_t rounds)
{
    ucontext_t context = {0};

    context.uc_mcontext.gregs[REG_RDI] = (greg_t)to;
    context.uc_mcontext.gregs[REG_RSI] = (greg_t)from;
    context.uc_mcontext.gregs[REG_RCX] = (greg_t)rounds;
    context.uc_mcontext.gregs[REG_RAX] = 0x1122334455667788;
    return context;
}

static const uint8_t stosb[] = {0xf3, 0xaa}, movsq[] = {0xf3, 0x48, 0xa5};

static void a_long_store_is_done_but_for_its_last_round(void **state)
{
    unsigned char to[100];
    ucontext_t context = string_state(to, NULL, sizeof(to));

    (void)state;
    memset(to, 0, sizeof(to));
    step_string_shorten(&context, stosb, sizeof(stosb));
    assert_int_equal(context.uc_mcontext.gregs[REG_RCX], 1);
    assert_ptr_equal(context.uc_mcontext.gregs[REG_RDI], to + 99);
    assert_int_equal(to[0], 0x88);
    assert_int_equal(to[98], 0x88);
    assert_int_equal(to[99], 0);
}

static void a_long_copy_is_done_but_for_its_last_round(void **state)
{
    uint64_t from[50], to[50];
    ucontext_t context = string_state(to, from, 50);

    (void)state;
    for (int i = 0; i < 50; i++)
        from[i] = (uint64_t)i * 7;
    step_string_shorten(&context, movsq, sizeof(movsq));
    assert_int_equal(context.uc_mcontext.gregs[REG_RCX], 1);
    assert_ptr_equal(context.uc_mcontext.gregs[REG_RSI], from + 49);
    assert_ptr_equal(context.uc_mcontext.gregs[REG_RDI], to + 49);
    assert_memory_equal(to, from, 49 * sizeof(*to));
}

static void bytes_that_a_copy_repeats_are_left_to_the_processor(void **state)
{
    uint64_t bytes[50] = {1};
    ucontext_t context = string_state(bytes + 1, bytes, 49);

    (void)state;
    step_string_shorten(&context, movsq, sizeof(movsq));
    assert_int_equal(context.uc_mcontext.gregs[REG_RCX], 49);
    assert_int_equal(bytes[1], 0);
}

static void memory_that_cannot_be_written_is_left_to_the_processor(void **state)
{
    char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ucontext_t context = string_state(pages, NULL, 8192);

    (void)state;
    assert_int_equal(mprotect(pages + 4096, 4096, PROT_NONE), 0);
    step_string_shorten(&context, stosb, sizeof(stosb));
    assert_int_equal(context.uc_mcontext.gregs[REG_RCX], 4096);
    assert_ptr_equal(context.uc_mcontext.gregs[REG_RDI], pages + 4096);
    munmap(pages, 8192);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stores_or_loses_the_flag_is_not_stepped),
        cmocka_unit_test(other_instructions_are_stepped),
        cmocka_unit_test(a_step_is_known_where_the_processor_does_not_say_so),
        cmocka_unit_test(a_long_store_is_done_but_for_its_last_round),
        cmocka_unit_test(a_long_copy_is_done_but_for_its_last_round),
        cmocka_unit_test(bytes_that_a_copy_repeats_are_left_to_the_processor),
        cmocka_unit_test(memory_that_cannot_be_written_is_left_to_the_processor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
