/*
 * test_callers.c - what a function must keep for its callers, by hand-written bytes. Programs that gcc
 * makes: test_callers_truth.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/code.h"

enum { RAX = 1, RCX = 2, RDX = 4, RDI = 128, R8 = 256 };

/* lea (%rdi,%rsi), %rax; ret: writes rax alone */
#define LEAF "48 8d 04 37 c3"
/* sub $8, %rsp; mov $5, %ecx; call; then reads ecx; add $8, %rsp; ret: of the function before it */
#define RELIES_ON_RCX "48 83 ec 08 b9 05 00 00 00 e8 b2 ff ff ff 8d 04 08 48 83 c4 08 c3"
/* sub $8, %rsp; call of the function before it; and what follows */
#define CALLS "48 83 ec 08 e8 b7 ff ff ff "
#define RETURNS " 48 83 c4 08 c3"

/* What the first of the functions must keep. */
static struct arch_kept kept_by_first(const char *first, const char *second, const char *third)
{
    const char *const functions[] = {first, second, third};
    struct arch_kept kept;
    struct code code;

    code_make(&code, functions, third ? 3 : 2);
    arch_callers_kept(code.callers, CODE_BASE, &kept, NULL, 0, NULL);
    arch_callers_close(code.callers);
    return kept;
}

static unsigned general(const char *first, const char *second, const char *third)
{
    struct arch_kept kept = kept_by_first(first, second, third);

    assert_true(kept.proved);
    assert_int_equal(kept.unsure_general, 0);
    return kept.general;
}

/* ---- each form of a direct branch ---- */

static void a_call_is_found(void **state)
{
    (void)state;
    assert_int_equal(general(LEAF, RELIES_ON_RCX, NULL), RCX);
}

static void a_call_with_a_prefix_is_found(void **state)
{
    (void)state;
    assert_int_equal(
        general(LEAF, "48 83 ec 08 b9 05 00 00 00 67 e8 b1 ff ff ff 8d 04 08" RETURNS, NULL), RCX);
}

static void a_call_through_a_word_of_the_object_is_found(void **state)
{
    (void)state;
    assert_int_equal(
        general(LEAF, "48 83 ec 08 b9 05 00 00 00 ff 15 b1 7f 00 00 8d 04 08" RETURNS, NULL), RCX);
    /* One that is not bound calls something else. */
    assert_int_equal(
        general(LEAF, "48 83 ec 08 b9 05 00 00 00 ff 15 b9 7f 00 00 8d 04 08" RETURNS, NULL), 0);
}

static void each_tail_jump_is_found(void **state)
{
    static const char *const jumps[] = {
        "e9 bb ff ff ff",       /* jmp rel32 */
        "eb be",                /* jmp rel8 */
        "74 be c3",             /* je rel8 */
        "0f 84 ba ff ff ff c3", /* je rel32 */
        "ff 25 ba 7f 00 00",    /* jmp *word */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(jumps) / sizeof(*jumps); i++)
        assert_int_equal(general(LEAF, jumps[i], RELIES_ON_RCX), RCX);
}

/* ff 25 and padding, which no symbol and no FDE tells of */
static void a_call_through_a_stub_of_the_objects_own_is_found(void **state)
{
    (void)state;
    assert_int_equal(general(LEAF, "?ff 25 ba 7f 00 00 66 90", RELIES_ON_RCX), RCX);
}

static void bytes_inside_an_instruction_are_no_call(void **state)
{
    (void)state;
    /* movabs $..., %rax, which holds e8 b8 ff ff ff at its third byte; lea (%rax,%rcx), %eax */
    assert_int_equal(general(LEAF, "48 b8 90 e8 b8 ff ff ff 90 90 8d 04 08 c3", NULL), 0);
}

/* ---- upwards ---- */

static void what_neither_function_writes_is_asked_of_the_callers_caller(void **state)
{
    (void)state;
    assert_int_equal(general(LEAF, CALLS RETURNS, RELIES_ON_RCX), RCX);
    /* mov $1, %ecx between them */
    assert_int_equal(general(LEAF, CALLS "b9 01 00 00 00" RETURNS, RELIES_ON_RCX), 0);
    /* call *%rbx before the call: it may write everything, arguments of the second function, too */
    assert_int_equal(general(LEAF, "48 83 ec 08 ff d3 e8 b5 ff ff ff" RETURNS, RELIES_ON_RCX), 0);
}

/* ---- which registers ---- */

static void a_function_that_writes_a_register_need_not_keep_it(void **state)
{
    (void)state;
    /* mov $1, %ecx; ret. cmove %edi, %ecx; ret. mov $1, %cl; ret. call *%rdi; ret. */
    assert_int_equal(general("b9 01 00 00 00 c3", RELIES_ON_RCX, NULL) & RCX, 0);
    assert_int_equal(general("0f 44 cf c3", RELIES_ON_RCX, NULL) & RCX, 0);
    assert_int_equal(general("b1 01 c3", RELIES_ON_RCX, NULL) & RCX, 0);
    assert_int_equal(general("48 83 ec 08 ff d7 48 83 c4 08 c3", RELIES_ON_RCX, NULL) & RCX, 0);
}

static void a_register_that_is_pushed_and_popped_is_kept(void **state)
{
    (void)state;
    assert_int_equal(general("51 b9 01 00 00 00 59 c3", RELIES_ON_RCX, NULL) & RCX, RCX);
    /* With a call of something unknown between. */
    assert_int_equal(general("51 ff d7 59 c3", RELIES_ON_RCX, NULL) & RCX, RCX);
}

static void what_is_overwritten_first_is_not_relied_on(void **state)
{
    (void)state;
    assert_int_equal(general(LEAF, CALLS "31 c9 8d 04 08" RETURNS, NULL), 0); /* xor %ecx, %ecx */
    assert_int_equal(general(LEAF, CALLS "19 c9 8d 04 08" RETURNS, NULL), 0); /* sbb %ecx, %ecx */
    /* or $-1, %ecx; setb %cl; movzbl %cl, %eax; lea 0(%rcx), %rcx is a read */
    assert_int_equal(general(LEAF, CALLS "83 c9 ff 8d 04 08" RETURNS, NULL), 0);
    assert_int_equal(general(LEAF, CALLS "0f 92 c1 0f b6 c1" RETURNS, NULL), 0);
    assert_int_equal(general(LEAF, CALLS "48 8d 49 00" RETURNS, NULL), RCX);
    /* nopl 0(%rcx) reads nothing; mov $1, %cl keeps the rest; cmove keeps all */
    assert_int_equal(general(LEAF, CALLS "0f 1f 41 00" RETURNS, NULL), 0);
    assert_int_equal(general(LEAF, CALLS "b1 01 8d 04 08" RETURNS, NULL), RCX);
    assert_int_equal(general(LEAF, CALLS "0f 44 ce 8d 04 08" RETURNS, NULL) & RCX, RCX);
}

static void both_branches_are_followed(void **state)
{
    (void)state;
    /* test %eax, %eax; je to lea (%rax,%r8), %eax */
    assert_int_equal(general(LEAF, CALLS "85 c0 74 05 48 83 c4 08 c3 42 8d 04 00" RETURNS, NULL),
                     R8);
}

static void what_a_function_further_on_reads_counts(void **state)
{
    (void)state;
    /* The third calls the first, then the second, which reads edi: nobody sets it between. */
    assert_int_equal(general(LEAF, "89 f8 c3",
                             "48 83 ec 08 bf 05 00 00 00 e8 72 ff ff ff e8 ad ff ff ff" RETURNS),
                     RDI);
    /* The second does not read it: xor %eax, %eax */
    assert_int_equal(general(LEAF, "31 c0 c3",
                             "48 83 ec 08 bf 05 00 00 00 e8 72 ff ff ff e8 ad ff ff ff" RETURNS),
                     0);
}

static void an_argument_of_an_unknown_function_counts(void **state)
{
    (void)state;
    /* mov $5, %edi; call; call *%rbx */
    assert_int_equal(
        general(LEAF, "48 83 ec 08 bf 05 00 00 00 e8 b2 ff ff ff ff d3" RETURNS, NULL) & RDI, RDI);
}

/* ---- results ---- */

static void a_result_register_that_is_never_written_is_kept(void **state)
{
    (void)state;
    /* mov %esi, (%rdi); ret. sub $8, %rsp; mov $7, %eax; call; add $8, %rsp; ret. */
    assert_int_equal(general("89 37 c3", "48 83 ec 08 b8 07 00 00 00 e8 b2 ff ff ff" RETURNS, NULL),
                     RAX);
}

static void a_result_is_not_kept(void **state)
{
    (void)state;
    assert_int_equal(general("31 c0 c3", CALLS "89 c1" RETURNS, NULL), 0);
}

static void a_result_register_written_on_some_paths_is_unsure(void **state)
{
    struct arch_kept kept;

    (void)state;
    /* test %edi, %edi; je; xor %eax, %eax; ret. The caller: mov %eax, %ecx */
    kept = kept_by_first("85 ff 74 02 31 c0 c3", CALLS "89 c1" RETURNS, NULL);
    assert_int_equal(kept.general, 0);
    assert_int_equal(kept.unsure_general, RAX);
    /* The caller: setne %al; mov %eax, %ecx: of what the function wrote nothing is left. */
    kept = kept_by_first("85 ff 74 02 31 c0 c3", CALLS "0f 95 c0 89 c1" RETURNS, NULL);
    assert_int_equal(kept.unsure_general, 0);
}

static void a_function_that_never_returns_keeps_nothing(void **state)
{
    (void)state;
    assert_int_equal(general("0f 0b", RELIES_ON_RCX, NULL), 0);
}

/* ---- other registers ---- */

static void vector_registers_are_kept_at_the_width_that_is_read(void **state)
{
    struct arch_kept kept;

    (void)state;
    kept = kept_by_first(LEAF, CALLS "44 0f 29 07" RETURNS, NULL); /* movaps %xmm8, (%rdi) */
    assert_int_equal(kept.vector, 1 << 8);
    assert_int_equal(kept.vector_bytes, 16);
    kept = kept_by_first(LEAF, CALLS "c5 7c 29 07" RETURNS, NULL); /* vmovaps %ymm8, (%rdi) */
    assert_int_equal(kept.vector, 1 << 8);
    assert_int_equal(kept.vector_bytes, 32);
    kept = kept_by_first(LEAF, CALLS "62 e1 7c 48 29 0f" RETURNS, NULL); /* %zmm17 */
    assert_int_equal(kept.vector, 1 << 17);
    assert_int_equal(kept.vector_bytes, 64);
}

static void mask_registers_are_kept(void **state)
{
    (void)state;
    /* kmovw %k3, %eax */
    assert_int_equal(kept_by_first(LEAF, CALLS "c5 f8 93 c3" RETURNS, NULL).mask, 1 << 3);
}

static void the_x87_stack_is_kept(void **state)
{
    (void)state;
    /* fstpt (%rdi). fld1; fstpt (%rdi): nothing of before. */
    assert_true(kept_by_first(LEAF, CALLS "db 3f" RETURNS, NULL).x87);
    assert_false(kept_by_first(LEAF, CALLS "d9 e8 db 3f" RETURNS, NULL).x87);
    assert_false(kept_by_first("d9 e8 c3", CALLS "db 3f" RETURNS, NULL).x87);
}

/* ---- the stack ---- */

static void a_call_with_an_odd_stack_is_seen(void **state)
{
    (void)state;
    assert_false(kept_by_first(LEAF, CALLS RETURNS, NULL).align);
    assert_true(kept_by_first(LEAF, "e8 bb ff ff ff c3", NULL).align);
    /* push %rbp; mov %rsp, %rbp; push %rbx; call */
    assert_true(kept_by_first(LEAF, "55 48 89 e5 53 e8 b6 ff ff ff 5b 5d c3", NULL).align);
    /* and $-16, %rsp */
    assert_false(kept_by_first(LEAF, "55 48 89 e5 48 83 e4 f0 e8 b3 ff ff ff c9 c3", NULL).align);
}

static void an_odd_stack_is_handed_on(void **state)
{
    (void)state;
    /* The second is called with an odd stack by the third, and calls or jumps to the first. */
    assert_true(kept_by_first(LEAF, CALLS RETURNS, "e8 bb ff ff ff c3").align);
    assert_true(kept_by_first(LEAF, "eb be", "e8 bb ff ff ff c3").align);
    /* If the second calls what is not known, it is never called so. */
    assert_false(kept_by_first(LEAF, CALLS "ff d3" RETURNS, "e8 bb ff ff ff c3").align);
}

/* ---- limits ---- */

static void what_cannot_be_followed_relies_on_everything(void **state)
{
    struct arch_kept kept;

    (void)state;
    kept = kept_by_first(LEAF, CALLS "ff e3", NULL); /* jmp *%rbx, with a frame */
    assert_false(kept.proved);
    assert_int_equal(kept.general, ARCH_GENERAL_CALLER_SAVED & ~RAX);
}

/* A caller of more instructions than are read: NOPs, then a call and what reads ecx after it. */
static void of_a_caller_that_is_too_large_everything_is_relied_on(void **state)
{
    enum { SIZE = 1 << 17, CALL = SIZE - 16 };
    static uint8_t bytes[SIZE];
    static const uint8_t leaf[] = {0x48, 0x8d, 0x04, 0x37, 0xc3};
    struct arch_function functions[] = {{CODE_BASE, 16}, {CODE_BASE + 16, SIZE - 16}};
    struct arch_code range = {CODE_BASE, SIZE, bytes};
    struct arch_object object = {
        .code = &range, .code_count = 1, .functions = functions, .function_count = 2};
    int32_t offset = -(CALL + 5);
    struct arch_callers *callers;
    struct arch_kept kept;

    (void)state;
    memset(bytes, 0x90, SIZE);
    memcpy(bytes, leaf, sizeof(leaf));
    bytes[CALL] = 0xe8;
    memcpy(bytes + CALL + 1, &offset, sizeof(offset));
    bytes[CALL + 5] = 0xc3;
    callers = arch_callers_open(&object);
    assert_non_null(callers);
    arch_callers_kept(callers, CODE_BASE, &kept, NULL, 0, NULL);
    arch_callers_close(callers);
    assert_false(kept.proved);
    assert_int_equal(kept.general, ARCH_GENERAL_CALLER_SAVED & ~RAX);
}

static void the_callers_are_listed(void **state)
{
    const char *const functions[] = {LEAF, RELIES_ON_RCX, CALLS RETURNS};
    struct arch_caller list[2];
    struct arch_kept kept;
    struct code code;
    size_t count;

    (void)state;
    code_make(&code, functions, 3);
    arch_callers_kept(code.callers, CODE_BASE, &kept, list, 2, &count);
    arch_callers_close(code.callers);
    assert_int_equal(count, 1);
    assert_int_equal(list[0].site, CODE_BASE + CODE_BYTES + 9);
    assert_int_equal(list[0].function, CODE_BASE + CODE_BYTES);
    assert_int_equal(list[0].relies.general, RCX);
}

/* A jump stands where an armed entry's first bytes were. */
static void restore(void *context, uint64_t address, uint8_t *copy, size_t size)
{
    static const uint8_t original[] = {0x48, 0x83, 0xec, 0x08, 0xb9, 0x05};

    (void)context;
    for (size_t i = 0; i < sizeof(original); i++)
        if (CODE_BASE + CODE_BYTES + i - address < size)
            copy[CODE_BASE + CODE_BYTES + i - address] = original[i];
}

static void armed_entries_count_as_what_they_were(void **state)
{
    const char *const functions[] = {LEAF,
                                     "e9 11 11 11 11 cc 00 00 00 e8 b2 ff ff ff 8d 04 08" RETURNS};
    struct arch_kept kept;
    struct code code;

    (void)state;
    code_make(&code, functions, 2);
    arch_callers_close(code.callers);
    code.object.restore = restore;
    code.callers = arch_callers_open(&code.object);
    assert_non_null(code.callers);
    arch_callers_kept(code.callers, CODE_BASE, &kept, NULL, 0, NULL);
    arch_callers_close(code.callers);
    assert_int_equal(kept.general, RCX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_found),
        cmocka_unit_test(a_call_with_a_prefix_is_found),
        cmocka_unit_test(a_call_through_a_word_of_the_object_is_found),
        cmocka_unit_test(each_tail_jump_is_found),
        cmocka_unit_test(a_call_through_a_stub_of_the_objects_own_is_found),
        cmocka_unit_test(bytes_inside_an_instruction_are_no_call),
        cmocka_unit_test(what_neither_function_writes_is_asked_of_the_callers_caller),
        cmocka_unit_test(a_function_that_writes_a_register_need_not_keep_it),
        cmocka_unit_test(a_register_that_is_pushed_and_popped_is_kept),
        cmocka_unit_test(what_is_overwritten_first_is_not_relied_on),
        cmocka_unit_test(both_branches_are_followed),
        cmocka_unit_test(what_a_function_further_on_reads_counts),
        cmocka_unit_test(an_argument_of_an_unknown_function_counts),
        cmocka_unit_test(a_result_register_that_is_never_written_is_kept),
        cmocka_unit_test(a_result_is_not_kept),
        cmocka_unit_test(a_result_register_written_on_some_paths_is_unsure),
        cmocka_unit_test(a_function_that_never_returns_keeps_nothing),
        cmocka_unit_test(vector_registers_are_kept_at_the_width_that_is_read),
        cmocka_unit_test(mask_registers_are_kept),
        cmocka_unit_test(the_x87_stack_is_kept),
        cmocka_unit_test(a_call_with_an_odd_stack_is_seen),
        cmocka_unit_test(an_odd_stack_is_handed_on),
        cmocka_unit_test(what_cannot_be_followed_relies_on_everything),
        cmocka_unit_test(of_a_caller_that_is_too_large_everything_is_relied_on),
        cmocka_unit_test(the_callers_are_listed),
        cmocka_unit_test(armed_entries_count_as_what_they_were),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
