/*
 * test_line_marks.c - an edit keeps the line numbers of what it does not touch, and no mark stands where it is not legal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/build/line_marks.h"
#include "cli/build/line_match.h"

static const char *marked(const char *old_text, const char *new_text)
{
    static char result[8192];
    size_t size;
    char *text = line_marks_add(old_text, strlen(old_text), new_text, strlen(new_text), &size);

    snprintf(result, sizeof(result), "%.*s", (int)size, text);
    free(text);
    return result;
}

static void equal_texts_get_no_mark(void **state)
{
    (void)state;
    assert_string_equal(marked("a\nb\n", "a\nb\n"), "a\nb\n");
    assert_string_equal(marked("a\nb\n", "a\nx\n"), "a\nx\n");
}

static void lines_after_a_hunk_keep_their_numbers(void **state)
{
    (void)state;
    assert_string_equal(marked("a;\nb;\nc;\n", "a;\nn;\nm;\nb;\nc;\n"),
                        "a;\nn;\nm;\n#line 2\nb;\nc;\n");
    assert_string_equal(marked("a;\nb;\nc;\n", "a;\nc;\n"), "a;\n#line 3\nc;\n");
}

static void each_hunk_has_its_mark(void **state)
{
    (void)state;
    assert_string_equal(marked("a;\nb;\nc;\nd;\n", "n;\na;\nb;\nd;\n"),
                        "n;\n#line 1\na;\nb;\n#line 4\nd;\n");
}

static void a_mark_waits_for_the_end_of_a_macro(void **state)
{
    (void)state;
    assert_string_equal(
        marked("#define M \\\n  x \\\n  y\nf();\n", "#define M \\\n  n \\\n  x \\\n  y\nf();\n"),
        "#define M \\\n  n \\\n  x \\\n  y\n#line 4\nf();\n");
}

static void a_mark_waits_for_the_end_of_comments_strings_and_arguments(void **state)
{
    (void)state;
    assert_string_equal(marked("/*\nb\n*/\nf;\n", "/*\nn\nb\n*/\nf;\n"),
                        "/*\nn\nb\n*/\n#line 4\nf;\n");
    assert_string_equal(marked("f(1,\n2);\ng;\n", "f(1,\nn,\n2);\ng;\n"),
                        "f(1,\nn,\n2);\n#line 3\ng;\n");
    assert_string_equal(marked("s = \"a\\\nb\";\ng;\n", "s = \"a\\\nn\\\nb\";\ng;\n"),
                        "s = \"a\\\nn\\\nb\";\n#line 3\ng;\n");
}

static void a_mark_waits_for_the_end_of_a_raw_string(void **state)
{
    (void)state;
    assert_string_equal(marked("s = R\"(a\nb\n)\";\ng;\n", "s = R\"(a\nn\nb\n)\";\ng;\n"),
                        "s = R\"(a\nn\nb\n)\";\n#line 4\ng;\n");
    assert_string_equal(marked("s = u8R\"x(a\n)\"\n#if\n)x\"; h;\ng;\n",
                               "s = u8R\"x(a\nn\n)\"\n#if\n)x\"; h;\ng;\n"),
                        "s = u8R\"x(a\nn\n)\"\n#if\n)x\"; h;\n#line 5\ng;\n");
    /* No raw strings. */
    assert_string_equal(marked("s = OR\"(a\";\ng;\n", "n;\ns = OR\"(a\";\ng;\n"),
                        "n;\n#line 1\ns = OR\"(a\";\ng;\n");
    assert_string_equal(marked("s = R\" (a\";\nb;\ng;\n", "s = R\" (a\";\nb;\nn;\ng;\n"),
                        "s = R\" (a\";\nb;\nn;\n#line 3\ng;\n");
}

static void quotes_in_comments_and_parentheses_in_strings_do_not_count(void **state)
{
    (void)state;
    assert_string_equal(marked("// don't (\n/* \" ( */\ns = \"(\"; c = '(';\nf;\n",
                               "n;\n// don't (\n/* \" ( */\ns = \"(\"; c = '(';\nf;\n"),
                        "n;\n#line 1\n// don't (\n/* \" ( */\ns = \"(\"; c = '(';\nf;\n");
}

static void parentheses_that_branches_leave_open_end_with_the_function(void **state)
{
    (void)state;
    assert_string_equal(marked("#if A\nif (x\n#else\nif (y\n#endif\n) z;\n}\nf;\n",
                               "#if A\nif (x\n#else\nif (y\n#endif\n) z;\nn;\n}\nf;\n"),
                        "#if A\nif (x\n#else\nif (y\n#endif\n) z;\nn;\n}\n#line 8\nf;\n");
}

/* The first mark does not count where the group is skipped. */
static void a_mark_in_a_group_is_repeated_after_the_group(void **state)
{
    (void)state;
    assert_string_equal(marked("#if A\na;\nb;\n#endif\nc;\n", "#if A\na;\nn;\nb;\n#endif\nc;\n"),
                        "#if A\na;\nn;\n#line 3\nb;\n#endif\n#line 5\nc;\n");
}

static void the_numbers_of_generated_sources_are_kept(void **state)
{
    (void)state;
    assert_string_equal(marked("#line 10 \"g.y\"\na;\nb;\n#line 3 \"g.c\"\nc;\n",
                               "#line 10 \"g.y\"\na;\nn;\nb;\n#line 3 \"g.c\"\nc;\n"),
                        "#line 10 \"g.y\"\na;\nn;\n#line 11\nb;\n#line 3 \"g.c\"\nc;\n");
}

static void texts_without_a_last_newline_are_kept(void **state)
{
    (void)state;
    assert_string_equal(marked("a;\nb;", "n;\na;\nb;"), "n;\n#line 1\na;\nb;");
}

/* Match the lines of two texts of one letter per line. */
static const char *matches(const char *old_letters, const char *new_letters)
{
    static char result[200];
    char old_text[200] = "", new_text[200] = "";
    struct line_rows old_rows, new_rows;
    size_t *match, size = 0;

    for (; *old_letters; old_letters++)
        snprintf(old_text + strlen(old_text), 3, "%c\n", *old_letters);
    for (; *new_letters; new_letters++)
        snprintf(new_text + strlen(new_text), 3, "%c\n", *new_letters);
    line_rows_split(&old_rows, old_text, strlen(old_text));
    line_rows_split(&new_rows, new_text, strlen(new_text));
    match = line_match(&old_rows, &new_rows);
    for (size_t i = 0; i < new_rows.count; i++)
        result[size++] = match[i] == LINE_UNMATCHED ? '-' : (char)('0' + match[i]);
    result[size] = '\0';
    free(match);
    line_rows_free(&old_rows);
    line_rows_free(&new_rows);
    return result;
}

static void the_longest_common_lines_are_matched(void **state)
{
    (void)state;
    assert_string_equal(matches("abcd", "abcd"), "0123");
    assert_string_equal(matches("abcd", "acxd"), "02-3");
    assert_string_equal(matches("", "ab"), "--");
    assert_string_equal(matches("ab", ""), "");
    assert_string_equal(matches("abcabba", "cbabac"), "2-346-");
}

/* Every pair of texts of up to 5 lines over 2 letters: the matched lines are equal and ascend. */
static void matches_are_equal_lines_in_order(void **state)
{
    char old_letters[6], new_letters[6];

    (void)state;
    for (unsigned a = 0; a < 64; a++)
        for (unsigned b = 0; b < 64; b++) {
            char last = '0' - 1;
            const char *match;

            snprintf(old_letters, sizeof(old_letters), "%c%c%c%c%c", 'a' + (a & 1),
                     'a' + (a >> 1 & 1), 'a' + (a >> 2 & 1), 'a' + (a >> 3 & 1),
                     'a' + (a >> 4 & 1));
            snprintf(new_letters, sizeof(new_letters), "%c%c%c%c%c", 'a' + (b & 1),
                     'a' + (b >> 1 & 1), 'a' + (b >> 2 & 1), 'a' + (b >> 3 & 1),
                     'a' + (b >> 4 & 1));
            old_letters[a >> 5 ? 5 : 4] = '\0';
            new_letters[b >> 5 ? 5 : 4] = '\0';
            match = matches(old_letters, new_letters);
            for (size_t i = 0; match[i]; i++) {
                if (match[i] == '-')
                    continue;
                assert_true(match[i] > last);
                last = match[i];
                assert_int_equal(old_letters[match[i] - '0'], new_letters[i]);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_texts_get_no_mark),
        cmocka_unit_test(lines_after_a_hunk_keep_their_numbers),
        cmocka_unit_test(each_hunk_has_its_mark),
        cmocka_unit_test(a_mark_waits_for_the_end_of_a_macro),
        cmocka_unit_test(a_mark_waits_for_the_end_of_comments_strings_and_arguments),
        cmocka_unit_test(a_mark_waits_for_the_end_of_a_raw_string),
        cmocka_unit_test(quotes_in_comments_and_parentheses_in_strings_do_not_count),
        cmocka_unit_test(parentheses_that_branches_leave_open_end_with_the_function),
        cmocka_unit_test(a_mark_in_a_group_is_repeated_after_the_group),
        cmocka_unit_test(the_numbers_of_generated_sources_are_kept),
        cmocka_unit_test(texts_without_a_last_newline_are_kept),
        cmocka_unit_test(the_longest_common_lines_are_matched),
        cmocka_unit_test(matches_are_equal_lines_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
