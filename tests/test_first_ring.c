/*
 * test_first_ring.c - HOTPATCH_LISTEN=first-ring: an idle program has no thread of ours; the first ring of
 * the doorbell makes them on a host thread.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define DOORBELL (SIGRTMIN + 12)

static const char *const later[] = {"HOTPATCH_LISTEN=first-ring", NULL};

static int entries(const char *format, pid_t pid)
{
    char path[64];
    int count = -2; /* . and .. */
    DIR *directory;

    snprintf(path, sizeof(path), format, (int)pid);
    directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static const char *pid_text(pid_t pid)
{
    static char text[16];

    snprintf(text, sizeof(text), "%d", (int)pid);
    return text;
}

static void must(struct output *output, int status)
{
    if (output->status != status)
        fail_msg("exit %d: %s%s", output->status, output->out, output->error);
    output_free(output);
}

/* ---- idle ---- */

static void an_idle_program_has_no_thread_and_no_descriptor_of_ours(void **state)
{
    struct host *host = host_start("host", later);
    struct host *bare = host_start_bare("host");

    (void)state;
    assert_int_equal(entries("/proc/%d/task", host->pid), 1);
    assert_int_equal(entries("/proc/%d/fd", host->pid), entries("/proc/%d/fd", bare->pid));
    host_stop(host);
    host_kill(bare);
}

/* A ring that finds the thread on its way makes nothing; the next one would. */
static void await_reading(pid_t pid)
{
    char path[64], text[8] = "";

    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
    while (strncmp(text, "0 ", 2) != 0) { /* read(2) */
        int file = open(path, O_RDONLY);

        assert_true(file >= 0);
        assert_true(read(file, text, sizeof(text) - 1) > 0);
        close(file);
        sched_yield();
    }
}

static void the_plain_shells_way_is_answered(void **state)
{
    struct host *host = host_start("host", later);

    (void)state;
    await_reading(host->pid);
    assert_int_equal(kill(host->pid, DOORBELL), 0);
    assert_string_equal(outcome(host, "ping"), "apply");
    assert_int_equal(entries("/proc/%d/task", host->pid), 3);
    host_stop(host);
}

static void the_command_rings_by_itself(void **state)
{
    struct host *host = host_start("host", later);

    (void)state;
    host_expect(host, "answer", "1");
    must(hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL), 0);
    host_expect(host, "answer", "2");
    must(hotpatch(host, "revert", pid_text(host->pid), "all", NULL), 0);
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void a_forked_child_is_reached_at_its_first_ring(void **state)
{
    struct host *host = host_start("host", later);
    pid_t parent = host->pid;
    int child = 0;

    (void)state;
    assert_int_equal(sscanf(host_ask(host, "fork"), "pid %d", &child), 1);
    host->pid = child;
    assert_int_equal(entries("/proc/%d/task", child), 1);
    must(hotpatch(host, "load", pid_text(child), patch_file("answer2"), NULL), 0);
    host_expect(host, "answer", "2");
    assert_int_equal(entries("/proc/%d/task", child), 3);
    assert_int_equal(entries("/proc/%d/task", parent), 1);
    host_stop(host);
}

static void a_hosts_own_thread_makes_ours(void **state)
{
    struct host *host = host_start("host", later);

    (void)state;
    host_ask(host, "threads 1");
    assert_string_equal(outcome(host, "ping"), "apply"); /* not rung */
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_program_has_no_thread_and_no_descriptor_of_ours),
        cmocka_unit_test(the_plain_shells_way_is_answered),
        cmocka_unit_test(the_command_rings_by_itself),
        cmocka_unit_test(a_forked_child_is_reached_at_its_first_ring),
        cmocka_unit_test(a_hosts_own_thread_makes_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
