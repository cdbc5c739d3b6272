/*
 * test_diffs.c - unified diffs are read and applied as patch(1) does, and what could be meant for two places is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/build/diff_apply.h"
#include "cli/build/diff_read.h"

static const char lines10[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n";

/* Apply the first file of the diff. Return the text, "failed N" or "ambiguous"; and the first hunk's place in `fit`. */
static const char *patched(const char *diff_text, const char *text, bool reverse,
                           struct diff_fit *fit)
{
    static char result[4096];
    struct diff_fit fits[16] = {{0}};
    struct refusal why = {0};
    struct diff diff;
    size_t size, failed;
    bool ambiguous;
    char *out;

    if (diff_read(&diff, diff_text, strlen(diff_text), "d", &why) != 0) {
        snprintf(result, sizeof(result), "%s", refusal_text(&why, 0));
        refusal_clear(&why);
        return result;
    }
    if (diff_apply(&diff.files[0], text, strlen(text), reverse, &out, &size, &failed, &ambiguous,
                   fits) == 0) {
        snprintf(result, sizeof(result), "%.*s", (int)size, out);
        free(out);
    } else {
        snprintf(result, sizeof(result), ambiguous ? "ambiguous" : "failed %zu", failed);
    }
    if (fit)
        *fit = fits[0];
    diff_free(&diff);
    return result;
}

#define HEAD "--- a/f.c\n+++ b/f.c\n"

static void a_hunk_replaces_its_lines(void **state)
{
    static const char diff[] =
        "Description: x\n" HEAD "@@ -4,3 +4,4 @@ f\n 4\n-5\n+five\n+5b\n 6\n";

    (void)state;
    assert_string_equal(patched(diff, lines10, false, NULL),
                        "1\n2\n3\n4\nfive\n5b\n6\n7\n8\n9\n10\n");
    assert_string_equal(patched(diff, "1\n2\n3\n4\nfive\n5b\n6\n7\n8\n9\n10\n", true, NULL),
                        lines10);
}

static void a_hunk_is_found_at_an_offset(void **state)
{
    struct diff_fit fit;

    (void)state;
    assert_string_equal(patched(HEAD "@@ -2,3 +2,3 @@\n 4\n-5\n+x\n 6\n", lines10, false, &fit),
                        "1\n2\n3\n4\nx\n6\n7\n8\n9\n10\n");
    assert_int_equal(fit.offset, 2);
    assert_int_equal(fit.fuzz, 0);
}

static void lines_of_context_may_differ(void **state)
{
    struct diff_fit fit;

    (void)state;
    assert_string_equal(
        patched(HEAD "@@ -3,7 +3,7 @@\n zzz\n 4\n 5\n-6\n+x\n 7\n 8\n 9\n", lines10, false, &fit),
        "1\n2\n3\n4\n5\nx\n7\n8\n9\n10\n");
    assert_int_equal(fit.fuzz, 1);
}

static void three_lines_of_context_that_differ_are_too_many(void **state)
{
    (void)state;
    assert_string_equal(
        patched(HEAD "@@ -3,7 +3,7 @@\n z\n zz\n zzz\n-6\n+x\n 7\n 8\n 9\n", lines10, false, NULL),
        "failed 0");
}

static void fuzz_that_fits_in_two_places_is_ambiguous(void **state)
{
    (void)state;
    assert_string_equal(patched(HEAD "@@ -1,5 +1,5 @@\n q\n a\n-b\n+x\n c\n d\n",
                                "-\na\nb\nc\n-\na\nb\nc\n-\n", false, NULL),
                        "ambiguous");
}

static void hunks_do_not_go_back(void **state)
{
    (void)state;
    assert_string_equal(
        patched(HEAD "@@ -8,1 +8,1 @@\n-8\n+x\n@@ -9,1 +9,1 @@\n-2\n+y\n", lines10, false, NULL),
        "failed 1");
}

static void the_last_line_may_lack_its_newline(void **state)
{
    (void)state;
    assert_string_equal(patched(HEAD "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n",
                                "a\nb", false, NULL),
                        "a\nc\n");
    assert_string_equal(patched(HEAD "@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n",
                                "a\nb\n", false, NULL),
                        "a\nc");
}

static void carriage_returns_of_the_whole_diff_are_dropped(void **state)
{
    (void)state;
    assert_string_equal(patched("--- a/f.c\r\n+++ b/f.c\r\n@@ -1,2 +1,2 @@\r\n 1\r\n-2\r\n+x\r\n",
                                "1\n2\n", false, NULL),
                        "1\nx\n");
}

static void carriage_returns_of_the_file_are_kept(void **state)
{
    (void)state;
    assert_string_equal(
        patched(HEAD "@@ -1,2 +1,2 @@\n 1\r\n-2\r\n+x\r\n", "1\r\n2\r\n", false, NULL),
        "1\r\nx\r\n");
}

static void an_empty_line_of_context_may_have_lost_its_blank(void **state)
{
    (void)state;
    assert_string_equal(patched(HEAD "@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n", "a\n\nb\n", false, NULL),
                        "a\n\nc\n");
}

static void lines_that_look_like_heads_stay_lines(void **state)
{
    (void)state;
    assert_string_equal(
        patched(HEAD "@@ -1,2 +1,2 @@\n a\n--- b\n+++ c\n", "a\n-- b\n", false, NULL), "a\n++ c\n");
}

static void a_diff_without_a_last_newline_is_read(void **state)
{
    (void)state;
    assert_string_equal(patched(HEAD "@@ -1,1 +1,1 @@\n-1\n+x", "1\n", false, NULL), "x\n");
}

static void names_lose_their_time_stamps(void **state)
{
    struct refusal why = {0};
    struct diff diff;
    const char *text = "diff -ru a/f.c b/f.c\n--- a/f g.c\t2020-01-02 03:04:05.0 +0000\n"
                       "+++ \"b/\\303\\251.c\"\t2020-01-02\n@@ -1 +1 @@\n-1\n+2\n";

    (void)state;
    assert_int_equal(diff_read(&diff, text, strlen(text), "d", &why), 0);
    assert_int_equal(diff.file_count, 1);
    assert_string_equal(diff.files[0].old_path, "a/f g.c");
    assert_string_equal(diff.files[0].new_path, "b/\xc3\xa9.c");
    assert_string_equal(diff_strip(diff.files[0].old_path, 1), "f g.c");
    assert_string_equal(diff_strip("a//b/c", 1), "b/c");
    assert_null(diff_strip("a/b", 2));
    diff_free(&diff);
}

static void new_and_removed_files_are_known(void **state)
{
    struct refusal why = {0};
    struct diff diff;
    const char *text =
        "--- /dev/null\n+++ b/new.c\n@@ -0,0 +1 @@\n+1\n"
        "--- a/old.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-1\n"
        "--- a/n.c\t1970-01-01 01:00:00\n+++ b/n.c\t2020-01-01\n@@ -0,0 +1 @@\n+1\n"
        "--- a/k.c\t1970-01-01 01:00:00\n+++ b/k.c\t2020-01-01\n@@ -1 +1 @@\n-1\n+2\n";

    (void)state;
    assert_int_equal(diff_read(&diff, text, strlen(text), "d", &why), 0);
    assert_int_equal(diff.file_count, 4);
    assert_true(diff.files[0].creates);
    assert_null(diff.files[0].old_path);
    assert_true(diff.files[1].deletes);
    assert_true(diff.files[2].creates);
    assert_false(diff.files[3].creates);
    diff_free(&diff);
}

static void heads_of_git_are_known(void **state)
{
    struct refusal why = {0};
    struct diff diff;
    const char *text =
        "diff --git a/x.c b/y.c\nsimilarity index 100%\nrename from x.c\nrename to y.c\n"
        "diff --git a/m.c b/m.c\nold mode 100644\nnew mode 100755\n"
        "diff --git a/p.png b/p.png\nindex 1..2\nGIT binary patch\nliteral 0\n"
        "diff --git a/e.c b/e.c\nnew file mode 100644\nindex 0..1\n--- /dev/null\n"
        "+++ b/e.c\n@@ -0,0 +1 @@\n+int e;\n";

    (void)state;
    assert_int_equal(diff_read(&diff, text, strlen(text), "d", &why), 0);
    assert_int_equal(diff.file_count, 4);
    assert_true(diff.files[0].moves);
    assert_string_equal(diff.files[0].old_path, "a/x.c");
    assert_string_equal(diff.files[0].new_path, "b/y.c");
    assert_int_equal(diff.files[1].hunk_count, 0);
    assert_true(diff.files[2].binary);
    assert_true(diff.files[3].creates);
    assert_int_equal(diff.files[3].hunk_count, 1);
    diff_free(&diff);
}

static void damaged_diffs_are_refused_with_their_line(void **state)
{
    (void)state;
    assert_string_equal(patched("hello\n", "", false, NULL), "d holds no unified diff");
    assert_string_equal(patched(HEAD "@@ -1,2 +1,2 @@\n a\n", "a\n", false, NULL),
                        "d:3: the hunk has other lines than its head says");
    assert_string_equal(patched(HEAD "@@ -1,2 +1,2 @@\n a\n*b\n", "a\n", false, NULL),
                        "d:5: the hunk ends before its last line");
    assert_string_equal(patched("*** a/f.c\n--- b/f.c\n***************\n", "", false, NULL),
                        "d:1: this is a context diff: hotpatch reads unified ones (diff -u)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hunk_replaces_its_lines),
        cmocka_unit_test(a_hunk_is_found_at_an_offset),
        cmocka_unit_test(lines_of_context_may_differ),
        cmocka_unit_test(three_lines_of_context_that_differ_are_too_many),
        cmocka_unit_test(fuzz_that_fits_in_two_places_is_ambiguous),
        cmocka_unit_test(hunks_do_not_go_back),
        cmocka_unit_test(the_last_line_may_lack_its_newline),
        cmocka_unit_test(carriage_returns_of_the_whole_diff_are_dropped),
        cmocka_unit_test(carriage_returns_of_the_file_are_kept),
        cmocka_unit_test(an_empty_line_of_context_may_have_lost_its_blank),
        cmocka_unit_test(lines_that_look_like_heads_stay_lines),
        cmocka_unit_test(a_diff_without_a_last_newline_is_read),
        cmocka_unit_test(names_lose_their_time_stamps),
        cmocka_unit_test(new_and_removed_files_are_known),
        cmocka_unit_test(heads_of_git_are_known),
        cmocka_unit_test(damaged_diffs_are_refused_with_their_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
