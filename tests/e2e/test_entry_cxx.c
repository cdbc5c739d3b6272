/*
 * test_entry_cxx.c - entry slots of a C++ program: exceptions, backtraces and the unwinding of a
 * thread that ends go through replacements, through moved prologues and moved calls.
 */
#include <stdio.h>

#include "tests/support/directory.h"
#include "tests/support/entries.h"

/* A program of users, not sanitized. */
static int build(void **state)
{
    char command[1024];

    assert_int_equal(directory_make(state), 0);
    snprintf(command, sizeof(command),
             "g++ -std=gnu++17 -O2 -g -Wall -Wextra -rdynamic -pthread -o %s/throws '%s'",
             directory, source_file("tests/hosts/throws.cc"));
    run_shell(command);
    snprintf(command, sizeof(command),
             "g++ -std=gnu++17 -O2 -g -Wall -Wextra -fPIC -shared -I'%s' -o %s/wraps.so '%s'",
             source_file("include"), directory, source_file("tests/patches/wraps.cc"));
    run_shell(command);
    return 0;
}

static void start_wrapped(void)
{
    char program[128];

    if (sanitized())
        skip();
    snprintf(program, sizeof(program), "%s/throws", directory);
    start(program);
    must_apply(host, "load %s/wraps.so", directory);
}

static void revert_and_finish(void)
{
    must_apply(host, "revert all");
    host_expect(host, "bottom 3", "3");
    host_expect(host, "call_first 12", "caught from 12, 0");
    finish();
}

static void calls_through_wrappers_return(void **state)
{
    (void)state;
    start_wrapped();
    host_expect(host, "bottom 3", "103");
    host_expect(host, "call_first 3", "203");
    host_expect(host, "in_frame 3", "203");
    host_expect(host, "catches 3", "203");
    revert_and_finish();
}

static void an_exception_goes_through_a_moved_prologue(void **state)
{
    (void)state;
    start_wrapped();
    host_expect(host, "bottom 12", "caught from 12, 0");
    host_expect(host, "in_frame 13", "caught from 13, 1");
    host_expect(host, "catches 14", "-1");
    revert_and_finish();
}

static void an_exception_goes_through_a_moved_call(void **state)
{
    (void)state;
    start_wrapped();
    host_expect(host, "call_first 12", "caught from 12, 0");
    revert_and_finish();
}

static void an_exception_of_a_replacement_reaches_the_program(void **state)
{
    (void)state;
    start_wrapped();
    host_expect(host, "in_frame 77", "caught of the replacement, 0");
    host_expect(host, "call_first 77", "caught of the replacement, 0");
    revert_and_finish();
}

/* ? are the replacements: nobody exports them. */
static void a_backtrace_shows_every_frame(void **state)
{
    (void)state;
    start_wrapped();
    host_expect(host, "call_first t", "bottom ? call_next call_first ? main 0");
    host_expect(host, "in_frame t", "bottom ? in_frame ? main 0");
    must_apply(host, "revert all");
    host_expect(host, "call_first t", "bottom call_next call_first main 0");
    finish();
}

static void a_thread_that_ends_cleans_up_on_its_way(void **state)
{
    (void)state;
    start_wrapped();
    host_expect(host, "in_frame x", "ended 2");
    host_expect(host, "call_first x", "ended 1");
    revert_and_finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(calls_through_wrappers_return),
        LIVE(an_exception_goes_through_a_moved_prologue),
        LIVE(an_exception_goes_through_a_moved_call),
        LIVE(an_exception_of_a_replacement_reaches_the_program),
        LIVE(a_backtrace_shows_every_frame),
        LIVE(a_thread_that_ends_cleans_up_on_its_way),
    };

    return cmocka_run_group_tests_name("entry_cxx", tests, build, directory_remove);
}
