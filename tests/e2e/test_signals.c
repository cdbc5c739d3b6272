/*
 * test_signals.c - hosts with their own ways with signals: that wait for all, that take the doorbell's, that
 * have small stacks, that share their memory with a child. A ring harms none of them.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/session/ring.h"
#include "tests/support/harness.h"

#define DOORBELL (SIGRTMIN + 12)

static const char *const later[] = {"HOTPATCH_LISTEN=first-ring", NULL};

static int threads_of(pid_t pid)
{
    return (int)process_status_number(pid, 0, "Threads:");
}

static void await_threads(pid_t pid, int count)
{
    AWAIT(threads_of(pid) == count, "%d threads, not %d", count, threads_of(pid));
}

/* False while it runs. */
static bool is_in_call(pid_t pid, long number)
{
    char path[64], *text, *end;
    bool there;

    snprintf(path, sizeof(path), "/proc/%d/syscall", pid);
    text = read_small_file(path, NULL);
    there = text && strtol(text, &end, 10) == number && end != text;
    free(text);
    return there;
}

static void await_call(pid_t pid, long number)
{
    AWAIT(is_in_call(pid, number), "process %d in call %ld", pid, number);
}

static bool has_pending(pid_t pid)
{
    uint64_t own = 0, shared = 0;

    process_mask(pid, 0, "SigPnd:", &own);
    process_mask(pid, 0, "ShdPnd:", &shared);
    return ((own | shared) >> (DOORBELL - 1)) & 1;
}

static void await_taken(pid_t pid)
{
    AWAIT(!has_pending(pid), "the ring taken");
}

/* The plain shell's way: it waits for its next question, which is a safe moment. */
static void first_ring(struct host *host)
{
    await_call(host->pid, SYS_read);
    assert_int_equal(kill(host->pid, DOORBELL), 0);
    await_threads(host->pid, 3);
    assert_string_equal(outcome(host, "ping"), "apply");
}

static enum ring ring_by_command(pid_t pid)
{
    struct refusal ignored = {0};
    struct process process;
    enum ring what;

    assert_int_equal(process_open(pid, &process, &ignored), 0);
    what = ring(&process, DOORBELL, 0);
    process_close(&process);
    return what;
}

/* ---- stopped ---- */

static pid_t await_listener(pid_t pid)
{
    pid_t listener;

    AWAIT((listener = process_listener(pid, DOORBELL)) != 0,
          "a thread that waits for the doorbell");
    return listener;
}

static void await_stop(pid_t pid)
{
    int status;

    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
}

/* Rings of a real-time signal are all queued, and count against the user's RLIMIT_SIGPENDING. */
static void a_stopped_process_gets_no_ring_in_its_queue(void **state)
{
    struct host *host = host_start("signals", later);
    uint64_t pending = 0;
    pid_t listener;

    (void)state;
    first_ring(host);
    listener = await_listener(host->pid);
    await_stop(host->pid);
    assert_int_equal(ring_by_command(host->pid), RING_NOT_NOW);
    assert_true(process_mask(host->pid, listener, "SigPnd:", &pending));
    assert_false((pending >> (DOORBELL - 1)) & 1);
    assert_false(has_pending(host->pid));
    kill(host->pid, SIGCONT);
    host_expect(host, "action", "default");
    host_stop(host);
}

/* ---- waiting for all signals ---- */

static void a_host_that_waits_for_all_signals_takes_no_ring_for_its_own(void **state)
{
    static const char *const functions[] = {"sigwait", "sigwaitinfo", "sigtimedwait", "signalfd"};
    struct host *host = host_start("signals", later);
    char question[32];

    (void)state;
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        snprintf(question, sizeof(question), "wait %s", functions[i]);
        host_expect(host, question, "waiting");
        kill(host->pid, DOORBELL);
        kill(host->pid, SIGRTMAX); /* of two that are pending the lower one is taken first */
        assert_string_equal(host_hear(host), "took 64");
    }
    first_ring(host);
    host_stop(host);
}

static void the_command_rings_no_thread_that_blocks_the_doorbell_or_waits_for_it(void **state)
{
    static const struct {
        const char *question;
        long call;
    } waits[] = {{"wait sigwait", SYS_rt_sigtimedwait},
                 {"wait signalfd", SYS_read},
                 {"wait raw", SYS_rt_sigtimedwait}};
    struct host *host = host_start("signals", later);

    (void)state;
    for (size_t i = 0; i < sizeof(waits) / sizeof(*waits); i++) {
        host_expect(host, waits[i].question, "waiting");
        await_call(host->pid, waits[i].call);
        assert_int_equal(ring_by_command(host->pid), RING_NOT_NOW);
        assert_false(has_pending(host->pid));
        kill(host->pid, SIGRTMAX);
        assert_string_equal(host_hear(host), "took 64");
    }
    await_call(host->pid, SYS_read);
    assert_int_equal(ring_by_command(host->pid), RING_THREAD);
    await_threads(host->pid, 3);
    host_stop(host);
}

/* ---- the doorbell's own action ---- */

static void a_host_sees_the_default_action_and_setting_it_changes_nothing(void **state)
{
    struct host *host = host_start("signals", later);
    uint64_t caught = 0;

    (void)state;
    host_expect(host, "action", "default");
    host_expect(host, "default", "default");
    host_expect(host, "action", "default");
    assert_true(process_mask(host->pid, 0, "SigCgt:", &caught));
    assert_true((caught >> (DOORBELL - 1)) & 1);
    assert_int_equal(threads_of(host->pid), 1);
    first_ring(host);
    host_stop(host);
}

static void a_host_that_takes_the_doorbell_has_the_threads_from_then_on(void **state)
{
    static const char *const functions[] = {"sigaction",  "signal",      "sigset",
                                            "bsd_signal", "sysv_signal", "syscall"};
    char question[32];

    (void)state;
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        struct host *host = host_start("signals", later);

        assert_int_equal(threads_of(host->pid), 1);
        snprintf(question, sizeof(question), "take %s", functions[i]);
        host_expect(host, question, "ok");
        await_threads(host->pid, 3);
        host_expect(host, "action", "other");
        kill(host->pid, DOORBELL);
        assert_string_equal(host_hear(host), "mine");
        assert_string_equal(outcome(host, "ping"), "apply");
        host_stop(host);
    }
}

static void a_host_without_a_doorbell_has_the_threads_from_the_start(void **state)
{
    static const char *const none[] = {"HOTPATCH_LISTEN=first-ring", "HOTPATCH_SIGNAL=none", NULL};
    struct host *host = host_start("signals", none);

    (void)state;
    await_threads(host->pid, 3);
    assert_string_equal(outcome(host, "ping"), "apply");
    host_stop(host);
}

/* ---- memory that a child shares ---- */

static void a_ring_of_a_child_that_shares_the_memory_is_noted_and_no_more(void **state)
{
    static const char *const ways[] = {"vfork", "clone"};

    (void)state;
    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        struct host *host = host_start("signals", later);
        int child = 0;

        assert_int_equal(sscanf(host_ask(host, "%s", ways[i]), "child %d", &child), 1);
        await_call(child, SYS_read);
        assert_int_equal(ring_by_command(child), RING_NOT_NOW);
        assert_int_equal(kill(child, DOORBELL), 0);
        await_taken(child);
        await_call(child, SYS_read);
        assert_int_equal(threads_of(child), 1);
        host_expect(host, "", "ended 7");
        assert_int_equal(threads_of(host->pid), 1);
        first_ring(host);
        host_stop(host);
    }
}

/* ---- small stacks ---- */

static void a_host_with_a_small_alternate_stack_lives_through_its_rings(void **state)
{
    static const int sizes[] = {2048, 2816, 4096, 8192};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        struct host *host = host_start("signals", later);

        assert_string_equal(host_ask(host, "small %d", sizes[i]), "ok");
        first_ring(host);
        await_call(host->pid, SYS_read);
        kill(host->pid, DOORBELL);
        await_taken(host->pid);
        assert_string_equal(outcome(host, "ping"), "apply");
        host_stop(host);
    }
}

static int ring_thread(pid_t pid, pid_t tid)
{
    return (int)syscall(SYS_tgkill, pid, tid, DOORBELL);
}

static void a_thread_with_the_smallest_stack_takes_a_ring(void **state)
{
    struct host *host = host_start("signals", later);
    char path[64];
    struct dirent *entry;
    DIR *tasks;

    (void)state;
    host_expect(host, "thread 16384", "thread");
    await_threads(host->pid, 4);
    snprintf(path, sizeof(path), "/proc/%d/task", host->pid);
    tasks = opendir(path);
    assert_non_null(tasks);
    for (int i = 0; i < 20; i++) {
        rewinddir(tasks);
        while ((entry = readdir(tasks)))
            if (atoi(entry->d_name) > 0)
                ring_thread(host->pid, atoi(entry->d_name));
    }
    closedir(tasks);
    assert_string_equal(outcome(host, "ping"), "apply");
    host_expect(host, "action", "default");
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_rings_no_thread_that_blocks_the_doorbell_or_waits_for_it),
        cmocka_unit_test(a_host_without_a_doorbell_has_the_threads_from_the_start),
        cmocka_unit_test(a_ring_of_a_child_that_shares_the_memory_is_noted_and_no_more),
        cmocka_unit_test(a_host_with_a_small_alternate_stack_lives_through_its_rings),
    };
    /* The shim of a sanitizer's build has none of the functions that the sanitizer has too. */
    const struct CMUnitTest stand_ins[] = {
        cmocka_unit_test(a_stopped_process_gets_no_ring_in_its_queue),
        cmocka_unit_test(a_host_that_waits_for_all_signals_takes_no_ring_for_its_own),
        cmocka_unit_test(a_host_sees_the_default_action_and_setting_it_changes_nothing),
        cmocka_unit_test(a_host_that_takes_the_doorbell_has_the_threads_from_then_on),
        cmocka_unit_test(a_thread_with_the_smallest_stack_takes_a_ring),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    return failed + (sanitized() ? 0 : cmocka_run_group_tests(stand_ins, NULL, NULL));
}
