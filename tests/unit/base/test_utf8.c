/* test_utf8.c - which bytes are UTF-8, how others are shown, and where a text is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "tests/support/utf8_strict.h"

/* Each number from 0 to 10FFFF that has an encoding, written by its definition. */
static size_t encode(uint32_t point, char *to)
{
    if (point < 0x80)
        return to[0] = (char)point, 1;
    if (point < 0x800)
        return to[0] = (char)(0xc0 | point >> 6), to[1] = (char)(0x80 | (point & 0x3f)), 2;
    if (point < 0x10000)
        return to[0] = (char)(0xe0 | point >> 12), to[1] = (char)(0x80 | (point >> 6 & 0x3f)),
               to[2] = (char)(0x80 | (point & 0x3f)), 3;
    return to[0] = (char)(0xf0 | point >> 18), to[1] = (char)(0x80 | (point >> 12 & 0x3f)),
           to[2] = (char)(0x80 | (point >> 6 & 0x3f)), to[3] = (char)(0x80 | (point & 0x3f)), 4;
}

static void every_character_is_known_but_the_surrogates(void **state)
{
    (void)state;
    for (uint32_t point = 1; point <= 0x110000; point++) {
        char text[5] = "";
        size_t length = encode(point, text);
        bool none = (point >= 0xd800 && point < 0xe000) || point > 0x10ffff;

        text[length] = '\0';
        if (utf8_length(text) != (none ? 0 : length))
            fail_msg("U+%04X has the length %zu", point, utf8_length(text));
    }
}

/* Against the table of RFC 3629, byte by byte. */
static void every_sequence_of_three_bytes_is_judged_as_the_standard_does(void **state)
{
    (void)state;
    for (unsigned bytes = 0x800000; bytes <= 0xffffff; bytes++) {
        const char text[] = {(char)(bytes >> 16), (char)(bytes >> 8), (char)bytes, '\0'};
        size_t length = utf8_length(text);

        if (length > 3 || (length > 0) != (utf8_strict_sequence(text, 3) == length && length))
            fail_msg("%06x has the length %zu", bytes, length);
    }
}

static void a_name_is_recognized_by_what_is_shown_of_it(void **state)
{
    (void)state;
    assert_true(utf8_is_shown_as("", ""));
    assert_true(utf8_is_shown_as("plain", "plain"));
    assert_true(utf8_is_shown_as("\xc3\xa9t\xe9", "\xc3\xa9t\xc3\xa9"));
    assert_true(utf8_is_shown_as("\x80\xff", "\xc2\x80\xc3\xbf"));
    assert_false(utf8_is_shown_as("\xe9", "\xe9"));
    assert_false(utf8_is_shown_as("\xe9", "\xc3\xa8"));
    assert_false(utf8_is_shown_as("\xe9", "\xc3"));
    assert_false(utf8_is_shown_as("name", "names"));
    assert_false(utf8_is_shown_as("names", "name"));
}

static void assert_cut(const char *text, size_t length, const char *expected)
{
    char buffer[64];

    strcpy(buffer, text);
    utf8_mark_cut(buffer, length);
    assert_string_equal(buffer, expected);
}

static void no_character_is_cut(void **state)
{
    (void)state;
    assert_cut("abcdefgh", 8, "abcde...");
    assert_cut("abcd\xc3\xa9gh", 8, "abcd...");
    assert_cut("abc\xc3\xa9zgh", 8, "abc\xc3\xa9...");
    assert_cut("a\xf0\x9f\x98\x80gh", 7, "a...");
    assert_cut("ab\xf0\x9f\x98\x80h", 7, "ab...");
    assert_cut("\x80\x80\x80\x80\x80\x80", 6, "...");
    assert_cut("abc", 3, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_known_but_the_surrogates),
        cmocka_unit_test(every_sequence_of_three_bytes_is_judged_as_the_standard_does),
        cmocka_unit_test(a_name_is_recognized_by_what_is_shown_of_it),
        cmocka_unit_test(no_character_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
