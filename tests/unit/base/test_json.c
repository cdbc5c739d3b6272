/* test_json.c - the JSON writer, read back with json-c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "base/json.h"

/* What a string of these bytes comes back as. */
static void assert_comes_back(const char *bytes, const char *expected)
{
    struct json json = {0};
    json_object *parsed;
    char *text;

    json_object_begin(&json, NULL);
    json_string(&json, "s", bytes);
    json_object_end(&json);
    text = json_take(&json);
    parsed = json_tokener_parse(text);
    if (!parsed)
        fail_msg("not JSON: %s", text);
    assert_string_equal(json_object_get_string(json_object_object_get(parsed, "s")), expected);
    json_object_put(parsed);
    free(text);
}

static void a_string_comes_back_as_it_was(void **state)
{
    (void)state;
    assert_comes_back("", "");
    assert_comes_back("plain text", "plain text");
    assert_comes_back("\"quoted\" \\ back\\slash", "\"quoted\" \\ back\\slash");
    assert_comes_back("tab\tline\nbell\a\x7f", "tab\tline\nbell\a\x7f");
    assert_comes_back("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
                      "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
}

static void a_byte_that_is_not_utf8_is_shown_by_its_number(void **state)
{
    (void)state;
    assert_comes_back("caf\xe9.so", "caf\xc3\xa9.so"); /* Latin-1 */
    assert_comes_back("a\xff"
                      "b",
                      "a\xc3\xbf"
                      "b");
    assert_comes_back("\xc3", "\xc3\x83");                                     /* cut off */
    assert_comes_back("\xc0\xaf", "\xc3\x80\xc2\xaf");                         /* overlong */
    assert_comes_back("\xed\xa0\x80", "\xc3\xad\xc2\xa0\xc2\x80");             /* a surrogate */
    assert_comes_back("\xf4\x90\x80\x80", "\xc3\xb4\xc2\x90\xc2\x80\xc2\x80"); /* above 10FFFF */
}

static void such_a_byte_is_an_escape_in_the_text(void **state)
{
    struct json json = {0};
    char *text;

    (void)state;
    json_string(&json, NULL, "\xe9 \xc3\xa9");
    text = json_take(&json);
    assert_string_equal(text, "\"\\u00e9 \xc3\xa9\"");
    free(text);
}

static void members_and_elements_are_separated(void **state)
{
    struct json json = {0};
    char *text;

    (void)state;
    json_object_begin(&json, NULL);
    json_number(&json, "a", -5);
    json_array_begin(&json, "b");
    json_unsigned(&json, NULL, UINT64_MAX);
    json_object_begin(&json, NULL);
    json_object_end(&json);
    json_boolean(&json, NULL, true);
    json_array_end(&json);
    json_string(&json, "c", NULL);
    json_address(&json, "d", 0x1234abcd);
    json_object_end(&json);
    text = json_take(&json);
    assert_string_equal(
        text, "{\"a\":-5,\"b\":[18446744073709551615,{},true],\"c\":null,\"d\":\"0x1234abcd\"}");
    free(text);
}

static void a_taken_document_leaves_an_empty_one(void **state)
{
    struct json json = {0};
    char *text;

    (void)state;
    json_string(&json, NULL, "x");
    text = json_take(&json);
    assert_null(json.text);
    assert_int_equal(json.length, 0);
    free(text);
}

static void a_long_document_is_whole(void **state)
{
    struct json json = {0};
    json_object *parsed;
    char *text;

    (void)state;
    json_array_begin(&json, NULL);
    for (int i = 0; i < 10000; i++)
        json_string(&json, NULL, "ten bytes.");
    json_array_end(&json);
    text = json_take(&json);
    parsed = json_tokener_parse(text);
    assert_int_equal(json_object_array_length(parsed), 10000);
    json_object_put(parsed);
    free(text);
}

static void a_buffer_of_the_callers_is_not_outgrown(void **state)
{
    char buffer[32];
    struct json json = {.text = buffer, .capacity = sizeof(buffer), .fixed = true};

    (void)state;
    json_string(&json, NULL, "0123456789");
    assert_false(json.failed);
    assert_string_equal(buffer, "\"0123456789\"");
    json_string(&json, NULL, "01234567890123456789");
    assert_true(json.failed);
    assert_null(json_take(&json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_string_comes_back_as_it_was),
        cmocka_unit_test(a_byte_that_is_not_utf8_is_shown_by_its_number),
        cmocka_unit_test(such_a_byte_is_an_escape_in_the_text),
        cmocka_unit_test(members_and_elements_are_separated),
        cmocka_unit_test(a_taken_document_leaves_an_empty_one),
        cmocka_unit_test(a_long_document_is_whole),
        cmocka_unit_test(a_buffer_of_the_callers_is_not_outgrown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
