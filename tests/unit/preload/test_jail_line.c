/* test_jail_line.c - the words of answers to a listener in a jail. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "preload/jail_line.h"

static void an_answer_has_its_number_error_and_text(void **state)
{
    struct jail_line line;

    (void)state;
    assert_true(jail_line_parse("7 0 /.hotpatch-a b.so", &line));
    assert_int_equal(line.number, 7);
    assert_int_equal(line.error, 0);
    assert_string_equal(line.text, "/.hotpatch-a b.so");
    assert_true(jail_line_parse("4294967295 13", &line));
    assert_int_equal(line.number, UINT32_MAX);
    assert_int_equal(line.error, EACCES);
    assert_string_equal(line.text, "");
}

static void what_is_no_answer_is_none(void **state)
{
    static const char *const lines[] = {
        "",       " 0 x",       "7",         "7 ",       "7 x", "-7 0 x", "4294967296 0",
        "7 4096", "0x7 0 text", "7  0 text", "7 +0 text"};
    struct jail_line line;

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        if (jail_line_parse(lines[i], &line))
            fail_msg("\"%s\" is taken for an answer", lines[i]);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_has_its_number_error_and_text),
        cmocka_unit_test(what_is_no_answer_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
