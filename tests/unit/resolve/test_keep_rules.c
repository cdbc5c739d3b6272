/*
 * test_keep_rules.c - from what callers rely on, from the replacement's signature and from the
 * function's own code: how calls are made, or why they cannot be.
 */
#include <string.h>

#include "resolve/keep_rules.h"
#include "tests/support/harness.h"

enum { RAX = 1 << 0, RCX = 1 << 1, RDX = 1 << 2 };

static int64_t own_code_reads;
static bool own_code_asked;

static int64_t stack_read(void *context)
{
    (void)context;
    own_code_asked = true;
    return own_code_reads;
}

static const char *decide(const char *signature, struct arch_kept kept, struct keep *out)
{
    struct keep_facts facts = {"weight", signature, kept, false, stack_read, NULL};

    own_code_asked = false;
    return keep_decide(&facts, out);
}

static void assert_decided(const char *signature, struct arch_kept kept, struct keep *out)
{
    const char *problem = decide(signature, kept, out);

    if (problem)
        fail_msg("%s: %s", signature ? signature : "(none)", problem);
}

static void assert_refused(const char *signature, struct arch_kept kept, const char *text)
{
    struct keep keep;
    const char *problem = decide(signature, kept, &keep);

    if (!problem || !strstr(problem, text))
        fail_msg("%s: %s", signature ? signature : "(none)", problem ? problem : "decided");
}

static void where_nobody_relies_on_anything_nothing_is_asked(void **state)
{
    static const char *const signatures[] = {"int (const char *, ...)", "point (point)", NULL};
    struct keep keep;

    (void)state;
    own_code_reads = -1;
    for (size_t i = 0; i < 3; i++) {
        assert_decided(signatures[i], (struct arch_kept){.proved = true}, &keep);
        assert_false(arch_keeps(&keep.kept));
        assert_false(own_code_asked);
    }
}

static void a_signature_tells_what_lies_on_the_stack(void **state)
{
    struct keep keep;

    (void)state;
    own_code_reads = -1;
    assert_decided("long (long)", (struct arch_kept){.general = RCX}, &keep);
    assert_int_equal(keep.stack_bytes, 0);
    assert_decided("long (int, int, int, int, int, int, int, int)",
                   (struct arch_kept){.general = RCX}, &keep);
    assert_int_equal(keep.stack_bytes, 16);
    assert_false(own_code_asked);
}

static void else_the_own_code_tells(void **state)
{
    struct keep keep;

    (void)state;
    own_code_reads = 12;
    assert_decided(NULL, (struct arch_kept){.align = true}, &keep);
    assert_int_equal(keep.stack_bytes, 16);
    assert_decided("int (point)", (struct arch_kept){.align = true}, &keep);
    assert_int_equal(keep.stack_bytes, 16);
    own_code_reads = -1;
    assert_refused(NULL, (struct arch_kept){.align = true}, "on the stack");
    assert_refused("int (point)", (struct arch_kept){.mask = 2}, "on the stack");
    own_code_reads = ARCH_STACK_ARGUMENTS_MAX + 8;
    assert_refused("int (point)", (struct arch_kept){.x87 = true}, "more arguments");
}

static void variable_arguments_are_refused(void **state)
{
    (void)state;
    own_code_reads = 0;
    assert_refused("int (const char *, ...)", (struct arch_kept){.general = RCX},
                   "variable number");
}

static void a_signature_tells_where_the_result_is(void **state)
{
    struct arch_kept unsure = {.unsure_general = RAX | RDX, .unsure_vector = 3};
    struct keep keep;

    (void)state;
    assert_decided("void (int)", unsure, &keep);
    assert_int_equal(keep.kept.general, RAX | RDX);
    assert_int_equal(keep.kept.vector, 3);
    assert_int_equal(keep.kept.vector_bytes, 16);
    assert_decided("int (int)", unsure, &keep);
    assert_int_equal(keep.kept.general, RDX);
    assert_int_equal(keep.kept.vector, 3);
    assert_decided("double (int)", unsure, &keep);
    assert_int_equal(keep.kept.general, RAX | RDX);
    assert_int_equal(keep.kept.vector, 2);
    assert_decided("__int128 (int)", (struct arch_kept){.unsure_general = RAX | RDX}, &keep);
    assert_false(arch_keeps(&keep.kept));
    assert_refused("point (int)", unsure, "may hold the result");
    assert_refused(NULL, unsure, "may hold the result");
}

static void results_of_unread_code_are_results(void **state)
{
    struct keep_facts facts = {"weight", NULL,       {.general = RCX, .unsure_general = RAX | RDX},
                               true,     stack_read, NULL};
    struct keep keep;

    (void)state;
    own_code_reads = 0;
    assert_null(keep_decide(&facts, &keep));
    assert_int_equal(keep.kept.general, RCX);
    facts.signature = "int (int)";
    assert_null(keep_decide(&facts, &keep));
    assert_int_equal(keep.kept.general, RCX | RDX);
}

static void what_returns_twice_is_refused(void **state)
{
    static const char *const names[] = {"setjmp", "_setjmp", "__sigsetjmp", "vfork", "getcontext"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        struct keep_facts facts = {names[i], "int (void *)", {.general = RCX}, false, NULL, NULL};
        struct keep keep;

        assert_non_null(keep_decide(&facts, &keep));
        facts.kept = (struct arch_kept){0};
        assert_null(keep_decide(&facts, &keep));
    }
    assert_false(keep_returns_twice("setjmp_counter"));
    assert_false(keep_returns_twice("___"));
}

static void what_is_kept_is_listed_by_name(void **state)
{
    struct arch_kept kept = {.general = RCX | 1 << 8,
                             .vector = 1u << 31 | 4,
                             .vector_bytes = 64,
                             .mask = 2,
                             .x87 = true,
                             .align = true};
    char list[128];

    (void)state;
    keep_list(&kept, list, sizeof(list));
    assert_string_equal(list, "rcx, r8, zmm2, zmm31, k1, x87, a stack that is not aligned");
    keep_list(&kept, list, 8); /* cut, not overrun */
    assert_int_equal(strlen(list), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nobody_relies_on_anything_nothing_is_asked),
        cmocka_unit_test(a_signature_tells_what_lies_on_the_stack),
        cmocka_unit_test(else_the_own_code_tells),
        cmocka_unit_test(variable_arguments_are_refused),
        cmocka_unit_test(a_signature_tells_where_the_result_is),
        cmocka_unit_test(results_of_unread_code_are_results),
        cmocka_unit_test(what_returns_twice_is_refused),
        cmocka_unit_test(what_is_kept_is_listed_by_name),
    };

    return cmocka_run_group_tests_name("keep_rules", tests, NULL, NULL);
}
