/*
 * test_harmless_ring.c - a first ring neither ends a program nor changes what it sees: stacks without room, errno,
 * filters that end it for a call that it does not make. tests/hosts/rings_itself.c says what each program does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"

static void must_live(const char *way)
{
    char directory[] = "/tmp/hotpatch-rings-XXXXXX", command[64];
    int status = 0;
    pid_t child;

    assert_non_null(mkdtemp(directory));
    child = fork();
    if (child == 0) {
        setenv("LD_PRELOAD", built("libhotpatch_preload.so"), 1);
        setenv("HOTPATCH_DIR", directory, 1);
        setenv("HOTPATCH_LISTEN", "first-ring", 1);
        setenv("HOTPATCH_LOG", "/dev/null", 1);
        execl(built("hosts/rings_itself"), "rings_itself", way, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
    if (status != 0)
        fail_msg("%s: wait status 0x%x", way, (unsigned)status);
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

static void errno_is_unchanged_where_no_thread_can_be_made(void **state)
{
    (void)state;
    must_live("errno");
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
        cmocka_unit_test(errno_is_unchanged_where_no_thread_can_be_made),
        cmocka_unit_test(a_filter_that_kills_for_getsockopt_is_not_asked),
        cmocka_unit_test(a_copied_child_under_a_filter_that_kills_for_kcmp_lives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
