/* test_signature_call.c - what a signature says about a call: result and arguments on the stack. */

#include "resolve/injection_result.h"
#include "resolve/signature_call.h"
#include "tests/support/harness.h"

enum { RAX = 1 << 0, RDX = 1 << 2, XMM0 = 1, XMM1 = 2 };

static void the_result_is_where_the_abi_has_it(void **state)
{
    static const struct {
        const char *text;
        uint16_t general;
        uint32_t vector;
    } rows[] = {
        {"void (int)", 0, 0},
        {"int (void)", RAX, 0},
        {"unsigned long long (int)", RAX, 0},
        {"_Bool (int)", RAX, 0},
        {"char *(int)", RAX, 0},
        {"const struct list *(int)", RAX, 0},
        {"enum color (int)", RAX, 0},
        {"size_t (int)", RAX, 0},
        {"std::uint32_t (int)", RAX, 0},
        {"int (*(int a))(char)", RAX, 0},
        {"float (int)", 0, XMM0},
        {"double (int)", 0, XMM0},
        {"long double (int)", 0, 0},
        {"_Complex float (int)", 0, XMM0},
        {"_Complex double (int)", 0, XMM0 | XMM1},
        {"unsigned __int128 (int)", RAX | RDX, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct signature_call call = signature_call(rows[i].text);

        if (!call.result_known || call.result_general != rows[i].general ||
            call.result_vector != rows[i].vector)
            fail_msg("%s", rows[i].text);
    }
}

/* What a fault cannot return. */
static void a_result_of_more_than_one_word_is_told(void **state)
{
    static const char *const more[] = {
        "float (int)",           "double (void)",
        "long double (int)",     "_Complex float (int)",
        "_Complex double (int)", "unsigned __int128 (int)",
        "struct point (int)",    "const struct point (int)",
        "union u (void)",
    };
    static const char *const one[] = {"void (int)",     "int (void)",       "char *(int)",
                                      "double *(void)", "enum e (void)",    "struct point *(int)",
                                      "point (int)",    "float_list (void)"};

    (void)state;
    for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
        if (!signature_call(more[i]).result_not_one_word)
            fail_msg("%s", more[i]);
    for (size_t i = 0; i < sizeof(one) / sizeof(*one); i++)
        if (signature_call(one[i]).result_not_one_word)
            fail_msg("%s", one[i]);
    assert_false(signature_call(NULL).result_not_one_word);
}

static void faults_of_libcs_and_libms_functions_are_judged_by_name(void **state)
{
    (void)state;
    assert_non_null(injection_unfit_result(NULL, "libm.so.6", "sqrt"));
    assert_non_null(injection_unfit_result(NULL, "libm.so.6", "powf"));
    assert_non_null(injection_unfit_result(NULL, "libc.so.6", "strtod"));
    assert_non_null(injection_unfit_result("double (int)", NULL, "f"));
    assert_null(injection_unfit_result(NULL, "libm.so.6", "lrint"));
    assert_null(injection_unfit_result(NULL, "libm.so.6", "fetestexcept"));
    assert_null(injection_unfit_result(NULL, "libc.so.6", "rename"));
    assert_null(injection_unfit_result(NULL, "libx.so", "sqrt"));
    assert_null(injection_unfit_result(NULL, NULL, "sqrt"));
    assert_null(injection_unfit_result("int (void)", "libm.so.6", "sqrt"));
}

static void a_type_that_may_be_a_structure_is_not_known(void **state)
{
    static const char *const texts[] = {
        "struct point (int)",
        "point (int)",
        "union u (void)",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (signature_call(texts[i]).result_known || signature_call(texts[i]).arguments_known)
            fail_msg("%s", texts[i]);
    assert_false(signature_call("int (struct point p)").arguments_known);
    assert_false(signature_call("int (int, robj x)").arguments_known);
    assert_true(signature_call("int (robj x)").result_known);
    assert_false(signature_call(NULL).arguments_known);
    assert_false(signature_call("int (").arguments_known);
    assert_false(signature_call("int").result_known);
}

static void arguments_beyond_the_registers_are_counted(void **state)
{
    static const struct {
        const char *text;
        uint32_t bytes;
    } rows[] = {
        {"int (void)", 0},
        {"int (int, int, int, int, int, int)", 0},
        {"int (int, int, int, int, int, int, char)", 8},
        {"int (int, int, int, int, int, int, char, short *, float)", 16},
        {"void (double, double, double, double, double, double, double, double, double)", 8},
        {"void (int, double, long double)", 16},
        /* Behind one of eight bytes there is a gap. */
        {"void (int, int, int, int, int, int, int, long double, int)", 40},
        {"void (int, int, int, int, int, __int128, int)", 16},
        {"void (int, int, int, int, __int128)", 0},
        {"void (_Complex double, _Complex double, _Complex double, _Complex double)", 0},
        {"void (double, _Complex double, _Complex double, _Complex double, _Complex double)", 16},
        {"void (_Complex long double)", 32},
        {"int (int (*)(int), char **argv, char *[], int (int))", 0},
        {"int (int &, T &&)", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct signature_call call = signature_call(rows[i].text);

        if (!call.arguments_known || call.variadic || call.stack_bytes != rows[i].bytes)
            fail_msg("%s: %u", rows[i].text, call.stack_bytes);
    }
}

static void a_variadic_signature_is_told(void **state)
{
    struct signature_call call = signature_call("int (const char *format, ...)");

    (void)state;
    assert_true(call.variadic);
    assert_false(call.arguments_known);
    assert_true(call.result_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_is_where_the_abi_has_it),
        cmocka_unit_test(a_type_that_may_be_a_structure_is_not_known),
        cmocka_unit_test(a_result_of_more_than_one_word_is_told),
        cmocka_unit_test(faults_of_libcs_and_libms_functions_are_judged_by_name),
        cmocka_unit_test(arguments_beyond_the_registers_are_counted),
        cmocka_unit_test(a_variadic_signature_is_told),
    };

    return cmocka_run_group_tests_name("signature_call", tests, NULL, NULL);
}
