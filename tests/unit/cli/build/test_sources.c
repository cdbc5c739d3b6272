/* test_sources.c - texts of sources: what is edited against what a binary was built from. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/build/sources.h"
#include "tests/support/directory.h"
#include "tests/support/files.h"
#include "tests/support/harness.h"

static struct sources *sources;

static void put(const char *name, const char *text)
{
    file_write(directory_path(name), text, strlen(text), 0644);
}

static size_t add(const char *name)
{
    return sources_add(sources, directory_path(name));
}

static int begin(void **state)
{
    struct build_owner owner;

    (void)state;
    owner_is_caller(&owner);
    sources = sources_new(&owner);
    put("a.c", "a");
    put("b.c", "b");
    unlink(directory_path("c.c"));
    return 0;
}

static int end(void **state)
{
    (void)state;
    sources_free(sources);
    return 0;
}

static void a_path_is_in_the_list_once(void **state)
{
    (void)state;
    assert_int_equal(add("a.c"), 0);
    assert_int_equal(add("b.c"), 1);
    assert_int_equal(add("a.c"), 0);
    assert_int_equal(sources_count(sources), 2);
    assert_string_equal(sources_path(sources, 1), directory_path("b.c"));
}

static void only_other_contents_are_a_change(void **state)
{
    (void)state;
    add("a.c");
    put("a.c", "a");
    assert_false(sources_refresh(sources, 0));
    put("a.c", "x");
    assert_true(sources_refresh(sources, 0));
    assert_false(sources_refresh(sources, 0));
    unlink(directory_path("a.c"));
    assert_true(sources_refresh(sources, 0));
    assert_false(sources_there(sources, 0));
}

static void an_edit_has_both_texts_of_the_files_that_differ(void **state)
{
    struct unedited *unedited = unedited_new();
    struct edit_file *files;
    size_t count;

    (void)state;
    unedited_add(unedited, sources, add("a.c"));
    unedited_add(unedited, sources, add("b.c"));
    put("b.c", "changed");
    sources_refresh(sources, 1);
    files = unedited_edit(unedited, sources, &count);
    assert_int_equal(count, 1);
    assert_string_equal(files[0].path, directory_path("b.c"));
    assert_int_equal(files[0].old_size, 1);
    assert_memory_equal(files[0].old_text, "b", 1);
    assert_int_equal(files[0].new_size, 7);
    assert_memory_equal(files[0].new_text, "changed", 7);
    free(files);
    put("b.c", "b");
    sources_refresh(sources, 1);
    free(unedited_edit(unedited, sources, &count));
    assert_int_equal(count, 0);
    unedited_free(unedited);
}

static void a_file_of_another_binary_is_no_edit(void **state)
{
    struct unedited *first = unedited_new(), *second = unedited_new();

    (void)state;
    unedited_add(first, sources, add("a.c"));
    unedited_add(second, sources, add("b.c"));
    put("a.c", "changed");
    sources_refresh(sources, 0);
    assert_true(unedited_differs(first, sources, 0));
    assert_false(unedited_differs(second, sources, 0));
    unedited_free(first);
    unedited_free(second);
}

static void a_new_file_has_no_old_text_and_a_removed_one_no_new(void **state)
{
    struct unedited *unedited = unedited_new();
    struct edit_file *files;
    size_t count;

    (void)state;
    unedited_add(unedited, sources, add("c.c"));
    unedited_add(unedited, sources, add("a.c"));
    put("c.c", "");
    unlink(directory_path("a.c"));
    sources_refresh(sources, 0);
    sources_refresh(sources, 1);
    files = unedited_edit(unedited, sources, &count);
    assert_int_equal(count, 2);
    assert_null(files[0].old_text);
    assert_non_null(files[0].new_text);
    assert_int_equal(files[0].new_size, 0);
    assert_non_null(files[1].old_text);
    assert_null(files[1].new_text);
    free(files);
    unedited_free(unedited);
}

static void a_large_file_is_read_whole(void **state)
{
    char *text = malloc(100001);
    struct unedited *unedited = unedited_new();
    struct edit_file *files;
    size_t count;

    (void)state;
    memset(text, 'x', 100000);
    text[100000] = 0;
    unedited_add(unedited, sources, add("a.c"));
    put("a.c", text);
    sources_refresh(sources, 0);
    files = unedited_edit(unedited, sources, &count);
    assert_int_equal(count, 1);
    assert_int_equal(files[0].new_size, 100000);
    free(files);
    free(text);
    unedited_free(unedited);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_path_is_in_the_list_once),
        TEST(only_other_contents_are_a_change),
        TEST(an_edit_has_both_texts_of_the_files_that_differ),
        TEST(a_file_of_another_binary_is_no_edit),
        TEST(a_new_file_has_no_old_text_and_a_removed_one_no_new),
        TEST(a_large_file_is_read_whole),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
