/* test_plain_text.c - texts that are put together without snprintf(3). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "preload/plain_text.h"

static void parts_follow_each_other(void **state)
{
    char text[32];
    const char *end = text + sizeof(text);
    char *at = text_add_number(text_add(text, end, "/run/user/"), end, 1000);

    (void)state;
    assert_ptr_equal(at, text + strlen(text));
    assert_string_equal(text, "/run/user/1000");
}

static void every_number_is_written_whole(void **state)
{
    char text[32];

    (void)state;
    text_add_number(text, text + sizeof(text), 0);
    assert_string_equal(text, "0");
    text_add_number(text, text + sizeof(text), UINT64_MAX);
    assert_string_equal(text, "18446744073709551615");
}

static void what_does_not_fit_is_left_out(void **state)
{
    char text[8] = "........";
    char *at = text_add(text, text + 4, "abcdef");

    (void)state;
    assert_string_equal(text, "abc");
    assert_ptr_equal(text_add(at, text + 4, "g"), at);
    assert_string_equal(text, "abc");
    assert_memory_equal(text + 4, "....", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_follow_each_other),
        cmocka_unit_test(every_number_is_written_whole),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
