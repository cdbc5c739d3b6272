/*
 * test_one_thread.c - programs that insist on one thread, and those that make namespaces, do what they do
 * without the shim.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/harness.h"

static int start(void **state)
{
    if (sanitized())
        exit(0);                       /* the programs are not built with it */
    *state = host_start("host", NULL); /* lends its runtime directory */
    return 0;
}

static int stop(void **state)
{
    host_kill(*state);
    return 0;
}

/* `listen`: value of HOTPATCH_LISTEN; NULL: without the shim. */
static struct output *run(struct host *host, const char *listen, const char *command)
{
    char preload[512], setting[64];
    const char *argv[] = {"env", preload, setting, "sh", "-c", command, NULL};

    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s",
             listen ? built("libhotpatch_preload.so") : "");
    snprintf(setting, sizeof(setting), "HOTPATCH_LISTEN=%s", listen ? listen : "first-ring");
    return run_program(host, argv);
}

/* Return whether the command works here at all. */
static bool same_with_and_without(struct host *host, const char *listen, const char *command)
{
    struct output *without = run(host, NULL, command), *with = run(host, listen, command);
    bool works = without->status == 0;

    if (with->status != without->status || strcmp(with->out, without->out) != 0 ||
        strcmp(with->error, without->error) != 0)
        fail_msg("%s, %s\nwith: exit %d\n%s%s\nwithout: exit %d\n%s%s", command, listen,
                 with->status, with->out, with->error, without->status, without->out,
                 without->error);
    output_free(with);
    output_free(without);
    return works;
}

static void a_program_that_counts_its_threads_has_one(void **state)
{
    static const char *const ways[] = {"list", "links", "status", "child-links"};
    char command[512];

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        snprintf(command, sizeof(command), "exec %s %s", built("hosts/single"), ways[i]);
        assert_true(same_with_and_without(*state, "first-ring", command));
    }
}

static void system_calls_that_only_libc_may_make_are_made_by_libc(void **state)
{
    char command[512];

    snprintf(command, sizeof(command), "exec %s", built("hosts/dispatch"));
    if (!same_with_and_without(*state, "first-ring", command))
        skip(); /* this kernel has no syscall user dispatch */
}

static void a_program_that_counts_its_threads_makes_its_namespace(void **state)
{
    char command[512];

    snprintf(command, sizeof(command), "exec %s zone", built("hosts/single"));
    if (!same_with_and_without(*state, "first-ring", command))
        skip(); /* no user namespaces here */
}

/* Each by itself: both values of HOTPATCH_LISTEN, whose wrappers end our threads for the call. */
static void works_alike(struct host *host, const char *command)
{
    bool works = same_with_and_without(host, "first-ring", command);

    same_with_and_without(host, "start", command);
    if (!works)
        skip(); /* not permitted here */
}

static void a_user_namespace_is_made_as_ever(void **state)
{
    works_alike(*state, "unshare -U sh -c \"id -u; true\"; unshare -Ur id -u");
}

static void a_pid_namespace_is_made_as_ever(void **state)
{
    works_alike(*state, "unshare -pf sh -c \"true; echo \\$\\$\"");
}

static void a_user_and_a_pid_namespace_are_made_as_ever(void **state)
{
    works_alike(*state,
                "unshare -Urpf --mount-proc sh -c \"true; echo \\$\\$\"; unshare -Urnpf true");
}

/* setns(2) to a mount namespace fails where a second thread shares the root and working directories. */
static void namespaces_of_another_process_are_entered_as_ever(void **state)
{
    works_alike(*state, "nsenter -t $PPID -m -n -u -i sh -c \"true; echo entered\"");
}

static void an_unshare_while_the_listener_starts_is_as_ever(void **state)
{
    assert_true(same_with_and_without(*state, "start", built("hosts/late")));
}

static void bubblewrap_makes_its_jail(void **state)
{
    need_program("bwrap");
    works_alike(*state, "bwrap --ro-bind / / --proc /proc --dev /dev --unshare-all sh -c "
                        "\"true; id -u; echo in\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_that_counts_its_threads_has_one),
        cmocka_unit_test(a_program_that_counts_its_threads_makes_its_namespace),
        cmocka_unit_test(system_calls_that_only_libc_may_make_are_made_by_libc),
        cmocka_unit_test(a_user_namespace_is_made_as_ever),
        cmocka_unit_test(a_pid_namespace_is_made_as_ever),
        cmocka_unit_test(a_user_and_a_pid_namespace_are_made_as_ever),
        cmocka_unit_test(namespaces_of_another_process_are_entered_as_ever),
        cmocka_unit_test(an_unshare_while_the_listener_starts_is_as_ever),
        cmocka_unit_test(bubblewrap_makes_its_jail),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
