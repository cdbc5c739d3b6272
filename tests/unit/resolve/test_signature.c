/* test_signature.c - signature_equal(): what is the same type, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "resolve/signature.h"

static void assert_same(const char *a, const char *b)
{
    if (!signature_equal(a, b))
        fail_msg("`%s` and `%s` should be the same", a, b);
}

static void assert_different(const char *a, const char *b)
{
    if (signature_equal(a, b))
        fail_msg("`%s` and `%s` should differ", a, b);
}

static void white_space_does_not_count(void **state)
{
    (void)state;
    assert_same("int (struct counter *c, int n)", "int(struct counter*c,int n)");
    assert_same("const char * (void)", "const  char\t*(void)");
}

static void parameter_names_do_not_count(void **state)
{
    (void)state;
    assert_same("int (struct counter *c, int n)", "int (struct counter *, int)");
    assert_same("int (size_t n, foo_t *f)", "int (size_t, foo_t *other)");
    assert_same("void (int (*callback)(void *context, int))", "void (int (*)(void *, int))");
}

static void top_level_qualifiers_do_not_count(void **state)
{
    (void)state;
    assert_same("int (const int n, char *const s)", "int (int n, char *s)");
    assert_same("int (char *restrict s)", "int (char *s)");
    assert_different("int (const char *s)", "int (char *s)");
    assert_different("int (char *const *s)", "int (char **s)");
}

static void an_array_parameter_is_a_pointer(void **state)
{
    (void)state;
    assert_same("int (char s[])", "int (char *s)");
    assert_same("int (char s[16])", "int (char *s)");
    assert_same("int (int m[3][4])", "int (int (*m)[4])");
    assert_different("int (int m[3][4])", "int (int (*m)[5])");
    assert_same("int (int argc, char *argv[])", "int (int, char **)");
}

static void a_function_parameter_is_a_pointer_to_it(void **state)
{
    (void)state;
    assert_same("int (int f(int))", "int (int (*f)(int))");
}

static void the_order_of_specifiers_does_not_count(void **state)
{
    (void)state;
    assert_same("unsigned long (long unsigned int)", "long unsigned (unsigned long)");
    assert_same("char const * (void)", "const char * (void)");
    assert_same("int (long long)", "int (long int long signed)");
    assert_same("int (short)", "signed (short int)");
    assert_different("int (signed char)", "int (char)");
    assert_different("int (unsigned)", "int (int)");
    assert_different("int (long)", "int (long long)");
}

static void bool_is_underscore_bool(void **state)
{
    (void)state;
    assert_same("bool (_Bool b)", "_Bool (bool)");
}

static void typedefs_count_by_their_spelling(void **state)
{
    (void)state;
    assert_different("int (size_t)", "int (unsigned long)");
    assert_different("int (struct a *)", "int (struct b *)");
    assert_different("int (struct a *)", "int (union a *)");
    assert_different("int (struct a *)", "int (a *)");
}

static void an_empty_list_and_void_are_the_same(void **state)
{
    (void)state;
    assert_same("int ()", "int (void)");
    assert_different("int (void)", "int (int)");
}

static void ellipsis_counts(void **state)
{
    (void)state;
    assert_same("int (const char *format, ...)", "int(const char*,...)");
    assert_different("int (const char *format, ...)", "int (const char *)");
}

static void returned_pointers_to_functions_are_read_inside_out(void **state)
{
    (void)state;
    assert_same("void (*(int s, void (*f)(int)))(int)", "void (*(int, void (*)(int)))(int)");
    assert_different("void (*(int s))(int)", "int (*(int s))(int)");
}

static void types_of_data_compare_likewise(void **state)
{
    (void)state;
    assert_same("const char *", "char const*");
    assert_different("const char *", "char *");
    assert_different("int", "unsigned");
}

static void what_cannot_be_read_compares_as_text(void **state)
{
    (void)state;
    assert_same("int ((((", "int((((");
    assert_different("int ((((", "int (((");
    assert_same("", "");
}

static void endless_nesting_is_survived(void **state)
{
    char text[8000];

    (void)state;
    memset(text, '(', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_same(text, text);
    assert_different(text, "int");
    memcpy(text, "int ", 4);
    memset(text + 4, '*', 4000);
    text[4004] = '\0';
    assert_different(text, "int *");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_does_not_count),
        cmocka_unit_test(parameter_names_do_not_count),
        cmocka_unit_test(top_level_qualifiers_do_not_count),
        cmocka_unit_test(an_array_parameter_is_a_pointer),
        cmocka_unit_test(a_function_parameter_is_a_pointer_to_it),
        cmocka_unit_test(the_order_of_specifiers_does_not_count),
        cmocka_unit_test(bool_is_underscore_bool),
        cmocka_unit_test(typedefs_count_by_their_spelling),
        cmocka_unit_test(an_empty_list_and_void_are_the_same),
        cmocka_unit_test(ellipsis_counts),
        cmocka_unit_test(returned_pointers_to_functions_are_read_inside_out),
        cmocka_unit_test(types_of_data_compare_likewise),
        cmocka_unit_test(what_cannot_be_read_compares_as_text),
        cmocka_unit_test(endless_nesting_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
