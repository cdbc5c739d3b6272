/*
 * test_hunk_lines.c - hunks whose line numbers come again have names, and each number means one line of the edited text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/build/hunk_lines.h"
#include "cli/build/line_marks.h"

static struct hunk_lines lines;

static int forget(void **state)
{
    (void)state;
    hunk_lines_free(&lines);
    return 0;
}

static const char *marked(const char *old_text, const char *new_text)
{
    static char result[8192];
    size_t size;
    char *text;

    hunk_lines_free(&lines);
    text =
        hunk_lines_mark(&lines, 7, old_text, strlen(old_text), new_text, strlen(new_text), &size);
    snprintf(result, sizeof(result), "%.*s", (int)size, text);
    free(text);
    return result;
}

static uint64_t line_of(unsigned name, uint64_t number)
{
    const struct line_map map = {.runs = lines.runs, .run_count = lines.run_count};

    return line_map_find(&map, name, number);
}

static void edits_that_keep_the_number_of_lines_have_no_runs(void **state)
{
    (void)state;
    assert_string_equal(marked("a;\nb;\n", "a;\nx;\n"), "a;\nx;\n");
    assert_int_equal(lines.run_count, 0);
    assert_string_equal(marked("a;\nb;\n", "a;\nb;\n"), "a;\nb;\n");
    assert_int_equal(lines.run_count, 0);
    assert_string_equal(marked("a;\n", "a;\nb;\n"), "a;\nb;\n");
    assert_int_equal(lines.run_count, 0);
}

static void a_hunk_that_adds_lines_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(marked("a;\nb;\nc;\n", "a;\nn;\nm;\nb;\nc;\n"),
                        "a;\n#line 2 __HOTPATCH_LINES_7_1\nn;\nm;\n"
                        "#line 2 __HOTPATCH_LINES_7_0\nb;\nc;\n");
    assert_int_equal(lines.name_count, 2);
    assert_int_equal(line_of(0, 1), 1);
    assert_int_equal(line_of(1, 2), 2);
    assert_int_equal(line_of(1, 3), 3);
    assert_int_equal(line_of(0, 2), 4);
    assert_int_equal(line_of(0, 3), 5);
}

static void lines_that_replace_others_need_no_name(void **state)
{
    (void)state;
    /* n and m have the numbers of b and c. */
    assert_string_equal(marked("a;\nb;\nc;\nd;\n", "a;\nn;\nm;\nk;\nd;\n"),
                        "a;\nn;\nm;\n#line 4 __HOTPATCH_LINES_7_1\nk;\n"
                        "#line 4 __HOTPATCH_LINES_7_0\nd;\n");
    assert_int_equal(line_of(0, 3), 3);
    assert_int_equal(line_of(1, 4), 4);
    assert_int_equal(line_of(0, 4), 5);
}

static void a_hunk_that_removes_lines_has_no_name_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(marked("a;\nb;\nc;\n", "a;\nc;\n"),
                        "a;\n#line 3 __HOTPATCH_LINES_7_0\nc;\n");
    assert_int_equal(lines.name_count, 1);
    assert_int_equal(line_of(0, 1), 1);
    assert_int_equal(line_of(0, 3), 2);
}

static void hunks_share_a_name_where_their_numbers_differ(void **state)
{
    (void)state;
    marked("a;\nb;\nc;\nd;\n", "a;\nn;\nb;\nc;\nm;\nd;\n");
    assert_int_equal(lines.name_count, 2);
    assert_int_equal(line_of(1, 2), 2);
    assert_int_equal(line_of(1, 4), 5);
    assert_int_equal(line_of(0, 4), 6);
    marked("a;\nb;\nc;\nd;\n", "a;\nn;\nn2;\nn3;\nb;\nm;\nc;\nd;\n");
    assert_int_equal(lines.name_count, 3);
    assert_int_equal(line_of(1, 3), 3);
    assert_int_equal(line_of(2, 3), 6);
    assert_int_equal(line_of(0, 3), 7);
}

static void a_name_begins_where_a_mark_is_legal(void **state)
{
    (void)state;
    assert_string_equal(marked("f(1,\n2);\ng;\n", "f(1,\nn,\n2);\ng;\n"),
                        "#line 1 __HOTPATCH_LINES_7_1\nf(1,\nn,\n2);\n"
                        "#line 3 __HOTPATCH_LINES_7_0\ng;\n");
    assert_int_equal(line_of(1, 3), 3);
    assert_int_equal(line_of(0, 3), 4);
}

static void a_name_in_a_group_is_repeated_after_the_group(void **state)
{
    (void)state;
    assert_string_equal(marked("#if A\na;\nb;\n#endif\nc;\n", "#if A\na;\nn;\nb;\n#endif\nc;\n"),
                        "#if A\na;\n#line 3 __HOTPATCH_LINES_7_1\nn;\n"
                        "#line 3 __HOTPATCH_LINES_7_0\nb;\n#endif\n"
                        "#line 5 __HOTPATCH_LINES_7_0\nc;\n");
    /* Only one of the branches is compiled: each has a mark. */
    assert_string_equal(
        marked("#if A\na;\n#endif\nb;\n", "#if A\na;\nn;\n#else\nm;\nk;\n#endif\nb;\n"),
        "#if A\na;\n#line 3 __HOTPATCH_LINES_7_1\nn;\n#else\n"
        "#line 5 __HOTPATCH_LINES_7_1\nm;\nk;\n#line 3 __HOTPATCH_LINES_7_0\n#endif\n"
        "#line 4 __HOTPATCH_LINES_7_0\nb;\n");
}

static void generated_sources_keep_their_plain_marks(void **state)
{
    (void)state;
    assert_string_equal(marked("#line 10 \"g.y\"\na;\nb;\n", "#line 10 \"g.y\"\na;\nn;\nb;\n"),
                        "#line 10 \"g.y\"\na;\nn;\n#line 11\nb;\n");
    assert_int_equal(lines.run_count, 0);
}

static void too_many_names_are_none(void **state)
{
    char old_text[400] = "", new_text[4000] = "";

    (void)state;
    for (int i = 0; i < 20; i++) {
        snprintf(old_text + strlen(old_text), 20, "old%d;\n", i);
        for (int k = 0; k < 20; k++)
            snprintf(new_text + strlen(new_text), 20, "n;\n");
        snprintf(new_text + strlen(new_text), 20, "old%d;\n", i);
    }
    assert_null(strstr(marked(old_text, new_text), "HOTPATCH"));
    assert_int_equal(lines.run_count, 0);
}

/* Write a text of lines that are letters, with lines of numbers between them. */
static void random_texts(unsigned seed, char *old_text, char *new_text)
{
    *old_text = *new_text = '\0';
    for (int i = 0; i < 26; i++) {
        seed = seed * 1103515245 + 12345;
        if (seed >> 16 & 3)
            sprintf(old_text + strlen(old_text), "%c%s\n", 'a' + i, seed & 0x400000 ? "(" : ")");
        if (seed >> 18 & 3)
            sprintf(new_text + strlen(new_text), "%c%s\n", 'a' + i, seed & 0x400000 ? "(" : ")");
        for (unsigned k = seed >> 24 & 3; k-- > 1;)
            sprintf(new_text + strlen(new_text), "%d\n", i);
    }
}

/* Check that name and number of each line, as a compiler counts, are mapped to that line. */
static void check_lines(const char *text, const char *new_text)
{
    unsigned name = 0;
    uint64_t number = 1, line = 1;

    while (*text) {
        size_t length = strcspn(text, "\n") + 1;

        if (sscanf(text, "#line %lu __HOTPATCH_LINES_7_%u", &number, &name) == 0) {
            assert_memory_equal(text, new_text, length);
            new_text += length;
            if (lines.run_count)
                assert_int_equal(line_of(name, number), line);
            number++;
            line++;
        }
        text += length;
    }
    assert_string_equal(new_text, "");
}

static void each_number_means_one_line(void **state)
{
    char old_text[400], new_text[800];
    size_t named = 0;

    (void)state;
    for (unsigned seed = 1; seed < 2000; seed++) {
        random_texts(seed * 2654435761U, old_text, new_text);
        check_lines(marked(old_text, new_text), new_text);
        named += lines.name_count > 1;
    }
    assert_true(named > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_that_keep_the_number_of_lines_have_no_runs),
        cmocka_unit_test(a_hunk_that_adds_lines_has_a_name),
        cmocka_unit_test(lines_that_replace_others_need_no_name),
        cmocka_unit_test(a_hunk_that_removes_lines_has_no_name_of_its_own),
        cmocka_unit_test(hunks_share_a_name_where_their_numbers_differ),
        cmocka_unit_test(a_name_begins_where_a_mark_is_legal),
        cmocka_unit_test(a_name_in_a_group_is_repeated_after_the_group),
        cmocka_unit_test(generated_sources_keep_their_plain_marks),
        cmocka_unit_test(too_many_names_are_none),
        cmocka_unit_test(each_number_means_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, forget);
}
