/*
 * test_keep_cxx.c - exceptions, backtraces, jumps and threads that end pass a keeping stub: in programs
 * with libgcc as a library, with libgcc and libstdc++ in them, and with libunwind.
 */
#include <stdio.h>

#include "tests/support/directory.h"
#include "tests/support/entries.h"

static void build_host(const char *name, const char *options, const char *libraries)
{
    char command[1024];

    snprintf(command, sizeof(command),
             "g++ -std=gnu++17 -O1 -g -Wall -Wextra -rdynamic -pthread %s -o %s/%s '%s' %s",
             options, directory, name, source_file("tests/hosts/throws_kept.cc"), libraries);
    run_shell(command);
}

/* Programs of users, not sanitized. */
static int build(void **state)
{
    char command[1024];

    assert_int_equal(directory_make(state), 0);
    build_host("shared", "", "");
    build_host("static", "-static-libgcc -static-libstdc++", "");
    build_host("libunwind", "-DHOST_LIBUNWIND", "-lunwind");
    snprintf(command, sizeof(command),
             "g++ -std=gnu++17 -O1 -g -Wall -Wextra -fPIC -shared -I'%s' -o %s/throws_kept.so '%s'",
             source_file("include"), directory, source_file("tests/patches/throws_kept.cc"));
    run_shell(command);
    return 0;
}

/* glibc ends threads by its own libgcc, whose frames libunwind's functions do not know: a program with
 * libunwind crashes then without hotpatch too. */
static void passes_in(const char *name, bool threads)
{
    char program[128];

    if (sanitized())
        skip();
    snprintf(program, sizeof(program), "%s/%s", directory, name);
    start(program);
    host_expect(host, "5", "15");
    must_apply(host, "load %s/throws_kept.so", directory);
    host_expect(host, "5", "16");
    host_expect(host, "12", "caught from 12, 1");
    host_expect(host, "77", "caught of the replacement, 1");
    host_expect(host, "t", "ask_weigh main 349");
    host_expect(host, "j", "jumped");
    if (threads) {
        host_expect(host, "x", "ended 1");
        host_expect(host, "c", "ended 1");
    }
    host_expect(host, "5", "16");
    must_apply(host, "revert all");
    host_expect(host, "5", "15");
    finish();
}

static void with_libgcc_as_a_library(void **state)
{
    (void)state;
    passes_in("shared", true);
}

static void with_libgcc_and_libstdcxx_in_the_program(void **state)
{
    (void)state;
    passes_in("static", true);
}

static void with_libunwind(void **state)
{
    (void)state;
    passes_in("libunwind", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(with_libgcc_as_a_library),
        LIVE(with_libgcc_and_libstdcxx_in_the_program),
        LIVE(with_libunwind),
    };

    return cmocka_run_group_tests_name("keep_cxx", tests, build, directory_remove);
}
