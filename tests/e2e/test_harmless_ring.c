/*
 * test_harmless_ring.c - a first ring neither ends a program nor changes what it sees: stacks without room, errno,
 * filters that end it for a call that it does not make. tests/hosts/rings_itself.c says what each program does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

/* What it has written to its standard error, in a buffer of this function's. */
static const char *must_live(const char *way)
{
    static char log[4096];
    char directory[] = "/tmp/hotpatch-rings-XXXXXX", command[64], path[64], *text;
    int status = 0;
    pid_t child;

    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/log", directory);
    child = fork();
    if (child == 0) {
        setenv("LD_PRELOAD", built("libhotpatch_preload.so"), 1);
        setenv("HOTPATCH_DIR", directory, 1);
        setenv("HOTPATCH_LISTEN", "first-ring", 1);
        dup2(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), STDERR_FILENO);
        execl(built("hosts/rings_itself"), "rings_itself", way, (char *)NULL);
        _exit(127);
    }
    status = await_end(child);
    text = file_text(path);
    snprintf(log, sizeof(log), "%s", text);
    free(text);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
    if (status != 0)
        fail_msg("%s: wait status 0x%x: %s", way, (unsigned)status, log);
    return log;
}

static void a_stack_overflow_while_stepping_reaches_the_hosts_handler(void **state)
{
    (void)state;
    must_live("overflow");
}

static void a_stack_without_room_for_a_step_ends_the_stepping_alone(void **state)
{
    (void)state;
    must_live("deep");
}

static void a_ring_at_which_no_thread_can_be_made_tries_once_and_leaves_errno(void **state)
{
    static const char failure[] = "a thread could not be made";
    const char *log = must_live("errno"), *first = strstr(log, failure);

    (void)state;
    if (!first || strstr(first + 1, failure))
        fail_msg("not one attempt: %s", log);
}

static void a_filter_that_kills_for_getsockopt_is_not_asked(void **state)
{
    (void)state;
    must_live("timeout");
}

static void a_copied_child_under_a_filter_that_kills_for_kcmp_lives(void **state)
{
    (void)state;
    must_live("copied");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stack_overflow_while_stepping_reaches_the_hosts_handler),
        cmocka_unit_test(a_stack_without_room_for_a_step_ends_the_stepping_alone),
        cmocka_unit_test(a_ring_at_which_no_thread_can_be_made_tries_once_and_leaves_errno),
        cmocka_unit_test(a_filter_that_kills_for_getsockopt_is_not_asked),
        cmocka_unit_test(a_copied_child_under_a_filter_that_kills_for_kcmp_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
