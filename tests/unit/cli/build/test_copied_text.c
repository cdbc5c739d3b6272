/*
 * test_copied_text.c - an edit of a text goes into the copy that a larger text has of it, or is refused with the line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/build/copied_text.h"

static const char source[] = "#include \"a.h\"\n"
                             "static int first_of_all(int x)\n"
                             "{\n"
                             "    return x * 11 + 1000;\n"
                             "}\n"
                             "\n"
                             "int second_of_all(int x)\n"
                             "{\n"
                             "    return first_of_all(x) * 2;\n"
                             "}\n"
                             "\n"
                             "int third_of_all(int x)\n"
                             "{\n"
                             "    return x * 3 + second_of_all(x);\n"
                             "}\n";
static const char before[] = "int some_other_function(int x)\n{\n    return x;\n}\n\n";
static const char after[] = "\nint the_last_function(int x)\n{\n    return x;\n}\n";

/* Replace the first occurrence of a word; malloc'd. */
static char *with(const char *text, const char *old_word, const char *new_word)
{
    const char *at = strstr(text, old_word);
    char *result = NULL;

    assert_non_null(at);
    assert_true(
        asprintf(&result, "%.*s%s%s", (int)(at - text), text, new_word, at + strlen(old_word)) > 0);
    return result;
}

static char *whole_of(const char *copy)
{
    char *result = NULL;

    assert_true(asprintf(&result, "%s%s%s", before, copy, after) > 0);
    return result;
}

/* Edit the whole; the row where it is COPIED_PART. */
static enum copied edited(const char *whole, const char *new_source, char **out, size_t *row)
{
    const struct copied_part parts[3] = {
        {whole, strlen(whole)}, {source, strlen(source)}, {new_source, strlen(new_source)}};
    size_t size;

    *out = NULL;
    return copied_text_edit(&parts[0], &parts[1], &parts[2], out, &size, row);
}

static void every_hunk_goes_into_the_copy(void **state)
{
    char *copy = with(source, "#include", "//#include"), *whole = whole_of(copy);
    char *first = with(source, "1000", "1001"), *both = with(first, "* 3 +", "* 4 +\n     7 +");
    char *wanted_copy = with(both, "#include", "//#include"), *wanted = whole_of(wanted_copy);
    char *out;
    size_t row;

    (void)state;
    assert_int_equal(edited(whole, both, &out, &row), COPIED_EDITED);
    assert_string_equal(out, wanted);
    free(copy);
    free(whole);
    free(first);
    free(both);
    free(wanted_copy);
    free(wanted);
    free(out);
}

static void lines_come_and_go_at_the_end(void **state)
{
    char *whole = whole_of(source), *out, *wanted;
    char *longer = with(source, "second_of_all(x);\n}\n", "second_of_all(x);\n}\nint more;\n");
    size_t row;

    (void)state;
    wanted = whole_of(longer);
    assert_int_equal(edited(whole, longer, &out, &row), COPIED_EDITED);
    assert_string_equal(out, wanted);
    free(whole);
    free(longer);
    free(wanted);
    free(out);
}

static void a_line_that_the_generator_changed_is_named(void **state)
{
    char *copy = with(source, "int second_of_all", "extern int second_of_all");
    char *whole = whole_of(copy),
         *changed = with(source, "int second_of_all(int x)", "int second_of_all(long x)");
    char *out;
    size_t row;

    (void)state;
    assert_int_equal(edited(whole, changed, &out, &row), COPIED_PART);
    assert_int_equal(row, 7);
    free(copy);
    free(whole);
    free(changed);
}

static void a_text_that_is_only_like_it_is_no_copy(void **state)
{
    char *changed = with(source, "1000", "1001"), *out;
    size_t row;

    (void)state;
    assert_int_equal(edited(before, changed, &out, &row), COPIED_NOT);
    assert_int_equal(edited("int second_of_all(int x)\n{\n    return first_of_all(x) * 2;\n}\n"
                            "int third_of_all(int x)\n{\n    return 0;\n}\n"
                            "a\nb\nc\nd\ne\nf\ng\n",
                            changed, &out, &row),
                     COPIED_NOT);
    free(changed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_hunk_goes_into_the_copy),
        cmocka_unit_test(lines_come_and_go_at_the_end),
        cmocka_unit_test(a_line_that_the_generator_changed_is_named),
        cmocka_unit_test(a_text_that_is_only_like_it_is_no_copy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
