/* test_symbol_spec.c - how targets are spelled, and which objects OBJECT: names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "resolve/symbol_spec.h"

static void assert_parts(const char *text, const char *object, const char *name, const char *file,
                         const char *version)
{
    struct symbol_spec target;

    assert_int_equal(symbol_spec_parse(text, &target), 0);
    assert_string_equal(target.object, object);
    assert_string_equal(target.name, name);
    assert_string_equal(target.file, file);
    assert_string_equal(target.version, version);
}

static void every_part_is_found(void **state)
{
    (void)state;
    assert_parts("parse", "", "parse", "", "");
    assert_parts("libfoo.so.1:parse@reader.c", "libfoo.so.1", "parse", "reader.c", "");
    assert_parts("exe:rename", "exe", "rename", "", "");
    assert_parts("memcpy@GLIBC_2.14", "", "memcpy", "", "GLIBC_2.14");
    assert_parts("memcpy@@GLIBC_2.14", "", "memcpy", "", "GLIBC_2.14");
    assert_parts("counter.add", "", "counter.add", "", "");
}

static void double_colons_belong_to_the_name(void **state)
{
    (void)state;
    assert_parts("ns::Class::method", "", "ns::Class::method", "", "");
    assert_parts("libx.so:ns::method", "libx.so", "ns::method", "", "");
}

static void what_lacks_a_part_is_refused(void **state)
{
    static const char *const wrong[] = {"", ":", "a:", ":a", "@x", "a@", "a:@b", "a@@"};
    struct symbol_spec target;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        if (symbol_spec_parse(wrong[i], &target) == 0)
            fail_msg("`%s` was taken for a target", wrong[i]);
}

static void a_part_that_is_too_long_is_refused(void **state)
{
    char text[TARGET_NAME_MAX + 2];
    struct symbol_spec target;

    (void)state;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(symbol_spec_parse(text, &target), -1);
    text[TARGET_NAME_MAX - 1] = '\0';
    assert_int_equal(symbol_spec_parse(text, &target), 0);
}

static bool matches(const char *text, bool is_program)
{
    struct symbol_spec target;

    assert_int_equal(symbol_spec_parse(text, &target), 0);
    return symbol_spec_object_matches(&target, is_program, "/usr/lib/libbl-2.so", "libbl.so.1",
                                      "net");
}

static void objects_match_whole_and_never_by_suffix(void **state)
{
    (void)state;
    assert_true(matches("f", false));
    assert_true(matches("libbl.so.1:f", false));
    assert_true(matches("libbl-2.so:f", false));
    assert_true(matches("net:f", false));
    assert_false(matches("bl.so.1:f", false));
    assert_false(matches("xlibbl.so.1:f", false));
    assert_false(matches("libbl.so:f", false));
    assert_false(matches("exe:f", false));
    assert_true(matches("exe:f", true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_found),
        cmocka_unit_test(double_colons_belong_to_the_name),
        cmocka_unit_test(what_lacks_a_part_is_refused),
        cmocka_unit_test(a_part_that_is_too_long_is_refused),
        cmocka_unit_test(objects_match_whole_and_never_by_suffix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
