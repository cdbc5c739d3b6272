/* test_text.c - lists of names in a room that is bounded, and sentences in one that is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/refusal.h"
#include "base/text.h"
#include "base/utf8.h"

static void a_list_has_each_name_once(void **state)
{
    char list[64] = "";

    (void)state;
    text_list_add(list, sizeof(list), "one");
    text_list_add(list, sizeof(list), "two");
    text_list_add(list, sizeof(list), "one");
    text_list_add(list, sizeof(list), "on");
    assert_string_equal(list, "one, two, on");
}

static void what_has_no_room_ends_in_dots_and_ends_the_list(void **state)
{
    char list[16] = "";

    (void)state;
    text_list_add(list, sizeof(list), "one");
    text_list_add(list, sizeof(list), "a_long_name");
    assert_string_equal(list, "one, a_long_...");
    text_list_add(list, sizeof(list), "x");
    assert_string_equal(list, "one, a_long_...");
}

static void a_name_that_fits_is_not_cut(void **state)
{
    char text[9];

    (void)state;
    utf8_fit(text, sizeof(text), "12345678");
    assert_string_equal(text, "12345678");
    utf8_fit(text, sizeof(text), "123456789");
    assert_string_equal(text, "12345...");
    utf8_fit(text, sizeof(text), "1234\xc3\xa4\xc3\xa4\xc3\xa4");
    assert_string_equal(text, "1234...");
}

/* A page of it; the reason comes behind the name. */
static void a_refusal_is_whole(void **state)
{
    static char name[8192];
    struct refusal why = {0};

    (void)state;
    memset(name, 'n', sizeof(name) - 1);
    refuse(&why, HP_NO_TARGET, "%s: is\nmissing", name);
    assert_int_equal(strlen(why.items[0].text), sizeof(name) - 1 + strlen(": is missing"));
    assert_string_equal(why.items[0].text + sizeof(name) - 1, ": is missing");
    refusal_clear(&why);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_has_each_name_once),
        cmocka_unit_test(what_has_no_room_ends_in_dots_and_ends_the_list),
        cmocka_unit_test(a_name_that_fits_is_not_cut),
        cmocka_unit_test(a_refusal_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
