/* test_fatal.c - what the command says, and with which exit code, where it cannot go on. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "cli/output/fatal.h"

/* Return the exit code of a process that ends by fatal(), and what it wrote to `fd`. */
static int end_of(int fd, bool json, bool done, char *text, size_t size)
{
    int ends[2], status = 0;
    size_t length = 0;
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        dup2(ends[1], fd);
        fatal_set_json(json);
        if (done)
            fatal_note_done();
        fatal(HP_MEMORY, "no memory left for the command");
    }
    close(ends[1]);
    while ((n = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)n;
    text[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void before_a_change_the_exit_code_is_that_of_the_refusal(void **state)
{
    char text[1024];

    (void)state;
    assert_int_equal(end_of(STDERR_FILENO, false, false, text, sizeof(text)), 1);
    assert_string_equal(text, "hotpatch: HP-MEMORY: no memory left for the command\n"
                              "  raise its memory limit\n");
}

static void after_a_change_the_outcome_is_unknown(void **state)
{
    char text[1024];

    (void)state;
    assert_int_equal(end_of(STDERR_FILENO, false, true, text, sizeof(text)), 6);
    assert_int_equal(end_of(STDOUT_FILENO, true, true, text, sizeof(text)), 6);
    assert_non_null(strstr(text, "\"result\":\"unknown\",\"exit\":6,"));
}

static void json_says_the_same(void **state)
{
    char text[1024];

    (void)state;
    assert_int_equal(end_of(STDOUT_FILENO, true, false, text, sizeof(text)), 1);
    assert_string_equal(text,
                        "{\"hotpatch\":1,\"result\":\"refused\",\"exit\":1,\"errors\":[{\"code\":"
                        "\"HP-MEMORY\",\"text\":\"no memory left for the command\",\"remedy\":"
                        "\"raise its memory limit\"}],\"warnings\":[]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_a_change_the_exit_code_is_that_of_the_refusal),
        cmocka_unit_test(after_a_change_the_outcome_is_unknown),
        cmocka_unit_test(json_says_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
