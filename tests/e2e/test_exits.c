/*
 * test_exits.c - a host that ends past exit(3) ends as without the shim: same status, same output, and it
 * ends. Each way before a ring, after one, and with threads from the start.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

static const char *const later[] = {"HOTPATCH_LISTEN=first-ring", NULL};
static const char *const at_start[] = {"HOTPATCH_LISTEN=start", NULL};

enum when { BARE, IDLE, RUNG, FROM_START, WHENS };

static const char *const when_names[] = {"bare", "idle", "rung", "threads from the start"};

static struct host *start(enum when when)
{
    struct host *host;
    char pid[16];
    struct output *output;

    if (when == BARE)
        return host_start_bare("filtered");
    host = host_start("filtered", when == FROM_START ? at_start : later);
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    if (when == RUNG) {
        output = hotpatch(host, "load", pid, patch_file("answer2"), NULL);
        assert_int_equal(output->status, 0);
        output_free(output);
    }
    return host;
}

/* Its wait status, but for the core file. */
static int end(enum when when, const char *filter, const char *how)
{
    struct host *host = start(when);
    int status;

    if (filter)
        assert_string_equal(host_ask(host, "%s", filter), "set");
    host_say(host, how);
    status = host_wait(host) & ~0x80;
    assert_string_equal(host_log(host), "");
    host_kill(host);
    return status;
}

static void ends_alike(const char *filter, const char *how)
{
    int bare = end(BARE, filter, how);

    for (enum when when = IDLE; when < WHENS; when++) {
        int status = end(when, filter, how);

        if (status != bare)
            fail_msg("%s, %s: status 0x%x, 0x%x without the shim", how, when_names[when],
                     (unsigned)status, (unsigned)bare);
    }
}

static void a_main_thread_that_ends_by_a_system_call_ends_the_process(void **state)
{
    (void)state;
    ends_alike(NULL, "raw-exit 7");
    ends_alike(NULL, "inline-exit 7");
    ends_alike(NULL, "leave 7");
    ends_alike(NULL, "exit 7");
}

static void a_main_thread_that_another_waits_for_is_seen_to_end(void **state)
{
    (void)state;
    ends_alike(NULL, "thread-exit 7");
}

static void strict_mode_ends_the_process_as_ever(void **state)
{
    (void)state;
    ends_alike("filter strict own kill", "inline-exit 7");
    ends_alike("filter strict own kill", "leave 7");
}

static void a_filter_that_kills_the_thread_ends_the_process(void **state)
{
    (void)state;
    ends_alike("filter prctl own kill-thread", "getuid");
    ends_alike("filter prctl own kill", "getuid");
    ends_alike("filter prctl few kill-thread", "leave 7");
    ends_alike("filter tsync few kill-thread", "leave 7");
    ends_alike("filter prctl own kill", "exit 7");
    ends_alike("filter tsync own kill", "exit 7");
}

static void a_child_that_leaves_under_a_filter_leaves(void **state)
{
    static const char *const filters[] = {
        "prctl own kill-thread", "prctl own kill",  "prctl few kill-thread",
        "syscall few kill",      "strict own kill",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
        struct host *bare = start(BARE);
        char wanted[16];

        snprintf(wanted, sizeof(wanted), "%s", host_ask(bare, "forked %s", filters[i]));
        host_kill(bare);
        for (enum when when = IDLE; when < WHENS; when++) {
            struct host *host = start(when);

            assert_string_equal(host_ask(host, "forked %s", filters[i]), wanted);
            host_stop(host);
        }
    }
}

/* Nothing of it is a failure that somebody has to read of. How far the request has come is as it may. */
static void a_host_that_ends_during_a_request_says_nothing(void **state)
{
    char line[512];
    int length = snprintf(line, sizeof(line), "load %s\n", patch_file("constructor_slow"));

    (void)state;
    for (int i = 0; i < 8; i++) {
        struct host *host = host_start("filtered", i % 2 ? at_start : later);

        host_listen(host);
        send_raw(host, line, (size_t)length);
        if (i >= 4) /* with the engine there, in the constructor */
            await_file(host_path(host, "run/objects"));
        host_say(host, "exit 7");
        assert_int_equal(WEXITSTATUS(host_wait(host)), 7);
        assert_string_equal(host_log(host), "");
        host_kill(host);
    }
}

static bool every_thread_is_traced(pid_t pid)
{
    char path[300];
    bool traced = true;
    DIR *directory;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    directory = opendir(path);
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        char *text;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)pid, entry->d_name);
        text = file_text(path);
        traced = traced && !strstr(text, "TracerPid:\t0\n");
        free(text);
    }
    closedir(directory);
    return traced;
}

/* Delays each renameat2(2) of the process, by which the listener puts its status file in place, by 12 s. */
static pid_t delay_status_files(pid_t pid)
{
    static const char inject[] = "inject=renameat2:delay_enter=12s";
    char number[16];
    char *const argv[] = {"strace", "-qq",          "-f", "-o",   "/dev/null",
                          "-e",     (char *)inject, "-p", number, NULL};
    pid_t tracer;

    snprintf(number, sizeof(number), "%d", (int)pid);
    tracer = fork();
    if (tracer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        unsetenv("LD_PRELOAD");
        execvp(argv[0], argv);
        _exit(127);
    }
    AWAIT(every_thread_is_traced(pid), "every thread traced");
    return tracer;
}

/* Our locks stay in it as they were when it was made: here that of the files, held until the new status file gets its
 * name. Five that waited for it, 2 s each, and 1 s before they were made, would take longer than that. */
static void a_child_made_past_fork_ends_while_a_request_is_answered(void **state)
{
    static const char load[] = "load fail=puts=0 nth=1000000\n";
    char unnamed[300];
    struct host *host;
    pid_t tracer;

    (void)state;
    need_program("strace");
    host = host_start("forks", later);
    must_apply(host, "load fail=puts=0 nth=1000000"); /* what the first request needs is there */
    snprintf(unnamed, sizeof(unnamed), "%s/%d.json.tmp", host->directory, (int)host->pid);
    tracer = delay_status_files(host->pid);
    send_raw(host, load, sizeof(load) - 1);
    await_file(unnamed);
    host_expect(host, "bare 5", "done");
    assert_int_equal(access(unnamed, F_OK), 0);
    assert_int_equal(kill(tracer, SIGINT), 0);
    await_end(tracer);
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_main_thread_that_ends_by_a_system_call_ends_the_process),
        cmocka_unit_test(a_main_thread_that_another_waits_for_is_seen_to_end),
        cmocka_unit_test(strict_mode_ends_the_process_as_ever),
        cmocka_unit_test(a_filter_that_kills_the_thread_ends_the_process),
        cmocka_unit_test(a_child_that_leaves_under_a_filter_leaves),
        cmocka_unit_test(a_host_that_ends_during_a_request_says_nothing),
        cmocka_unit_test(a_child_made_past_fork_ends_while_a_request_is_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
