/*
 * test_unique.c - C++ patches with data of which a process has one (STB_GNU_UNIQUE): what the program
 * has is shared with it, what only a patch has is its own.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/directory.h"
#include "tests/support/entries.h"

static void compile(const char *output, const char *source, const char *flags)
{
    char command[1024];

    snprintf(command, sizeof(command),
             "g++ -std=gnu++17 -O1 -g -Wall -Wextra -fPIC -I'%s' -I'%s' %s -o %s/%s '%s'",
             source_file("include"), source_file("tests/hosts"), flags, directory, output,
             source_file(source));
    run_shell(command);
}

static void compile_patch(const char *output, const char *name, int limit, int factor)
{
    char flags[200];

    snprintf(flags, sizeof(flags), "-shared -DNAME='\"%s\"' -DLIMIT=%d -DFACTOR=%d", name, limit,
             factor);
    compile(output, "tests/patches/unique.cc", flags);
}

static int build(void **state)
{
    assert_int_equal(directory_make(state), 0);
    compile("unique", "tests/hosts/unique.cc", "-rdynamic");
    compile("libunique.so", "tests/hosts/libunique.cc", "-shared");
    compile_patch("p.so", "limits", 1, 7);
    compile_patch("q.so", "others", 3, 4);
    return 0;
}

static void start_unique(void)
{
    char program[128];

    if (sanitized())
        skip();
    snprintf(program, sizeof(program), "%s/unique", directory);
    start(program);
    host_expect(host, "answer 0", "0");
}

static void the_next_version_of_a_patch_has_its_own_data(void **state)
{
    (void)state;
    start_unique();
    compile_patch("v.so", "versions", 1, 7);
    must_apply(host, "load %s/v.so", directory);
    host_expect(host, "answer 0", "1177");
    compile_patch("v.so", "versions", 2, 9);
    must_apply(host, "reload");
    host_expect(host, "answer 0", "2299");
    must_apply(host, "revert all");
    host_expect(host, "answer 0", "0");
    compile_patch("v.so", "versions", 5, 6);
    must_apply(host, "load %s/v.so", directory);
    host_expect(host, "answer 0", "5566");
    finish();
}

static void two_patches_have_each_their_own(void **state)
{
    (void)state;
    start_unique();
    must_apply(host, "load %s/p.so", directory);
    host_expect(host, "answer 0", "1177");
    must_apply(host, "load %s/q.so", directory);
    host_expect(host, "answer 0", "3344");
    must_apply(host, "revert name=others");
    host_expect(host, "answer 0", "1177");
    finish();
}

static void what_the_program_has_is_shared_with_it(void **state)
{
    (void)state;
    start_unique();
    must_apply(host, "load %s/p.so", directory);
    host_expect(host, "answer 1", "6");
    host_expect(host, "program", "6");
    must_apply(host, "load %s/q.so", directory);
    host_expect(host, "answer 1", "7");
    host_expect(host, "program", "7");
    finish();
}

static void facets_of_the_programs_locale_are_found(void **state)
{
    (void)state;
    start_unique();
    must_apply(host, "load %s/p.so", directory);
    host_expect(host, "answer 3", "40");
    must_apply(host, "load %s/q.so", directory);
    host_expect(host, "answer 3", "40");
    finish();
}

/* No scope of the patch leads there; ld.so's table of unique symbols does. */
static void what_a_library_has_that_was_opened_for_itself_is_shared_with_it(void **state)
{
    char question[128];

    (void)state;
    start_unique();
    snprintf(question, sizeof(question), "open %s/libunique.so", directory);
    host_expect(host, question, "5");
    must_apply(host, "load %s/p.so", directory);
    host_expect(host, "answer 2", "6");
    host_expect(host, question, "6");
    must_apply(host, "load %s/q.so", directory);
    host_expect(host, "answer 2", "7");
    host_expect(host, question, "7");
    finish();
}

static void a_refused_patch_with_unique_data_leaves_no_mapping(void **state)
{
    (void)state;
    start_unique();
    compile_patch("w.so", "waits", 1, 7);
    struct reply *reply = request(host, "load when=safe-point timeout=1 %s/w.so", directory);
    assert_string_equal(reply->code, "HP-TIMEOUT");
    assert_int_equal(json_object_array_length(member(reply->json, "errors")), 1); /* no HP-UNLOAD */
    reply_free(reply);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_next_version_of_a_patch_has_its_own_data, stop),
        cmocka_unit_test_teardown(two_patches_have_each_their_own, stop),
        cmocka_unit_test_teardown(what_the_program_has_is_shared_with_it, stop),
        cmocka_unit_test_teardown(facets_of_the_programs_locale_are_found, stop),
        cmocka_unit_test_teardown(what_a_library_has_that_was_opened_for_itself_is_shared_with_it,
                                  stop),
        cmocka_unit_test_teardown(a_refused_patch_with_unique_data_leaves_no_mapping, stop),
    };

    return cmocka_run_group_tests_name("unique", tests, build, directory_remove);
}
