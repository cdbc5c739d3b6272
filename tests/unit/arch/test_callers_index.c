/*
 * test_callers_index.c - which direct branches of an object are found, by hand-written bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/code.h"

/* Does a branch lead to bytes 1 to 15 of function 0? Where from, counted from function 1. */
static int64_t jump_into_first(const char *first, const char *second)
{
    const char *const functions[] = {first, second};
    struct code code;
    uint64_t site, target;
    bool found;

    code_make(&code, functions, 2);
    found = arch_callers_jump_into(code.callers, CODE_BASE + 1, CODE_BASE + 16, &site, &target);
    arch_callers_close(code.callers);
    if (!found)
        return -1;
    assert_int_equal(target, CODE_BASE + 3);
    return (int64_t)(site - CODE_BASE) - CODE_BYTES;
}

/* 48 89 f8: mov %rdi,%rax; c3: ret */
static void jumps_into_another_function_are_found(void **state)
{
    (void)state;
    assert_int_equal(jump_into_first("48 89 f8 c3", "90 eb c0"), 1);
    assert_int_equal(jump_into_first("48 89 f8 c3", "90 74 c0 c3"), 1);
    assert_int_equal(jump_into_first("48 89 f8 c3", "90 e9 bd ff ff ff"), 1);
    assert_int_equal(jump_into_first("48 89 f8 c3", "90 0f 84 bc ff ff ff c3"), 1);
    assert_int_equal(jump_into_first("48 89 f8 c3", "90 e8 bd ff ff ff c3"), 1);
    assert_int_equal(jump_into_first("48 89 f8 c3", "90 67 e8 bc ff ff ff c3"), 1);
}

static void jumps_inside_a_function_lead_into_no_other(void **state)
{
    (void)state;
    assert_int_equal(jump_into_first("eb 01 90 c3", "c3"), -1);
}

/* b8: mov $0x..c0eb..,%eax */
static void bytes_inside_an_instruction_are_no_jump(void **state)
{
    (void)state;
    assert_int_equal(jump_into_first("48 89 f8 c3", "b8 eb c0 00 00 c3"), -1);
}

/* 06 is no instruction: whether the jump behind it is one is not known. */
static void what_cannot_be_decoded_counts(void **state)
{
    (void)state;
    assert_int_equal(jump_into_first("48 89 f8 c3", "06 eb c0"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jumps_into_another_function_are_found),
        cmocka_unit_test(jumps_inside_a_function_lead_into_no_other),
        cmocka_unit_test(bytes_inside_an_instruction_are_no_jump),
        cmocka_unit_test(what_cannot_be_decoded_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
