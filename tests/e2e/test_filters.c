/*
 * test_filters.c - seccomp filters that the host sets, or was started under: a ring does not end the host, and
 * requests are answered where the filter allows it. The library makes no system calls but those it says it needs.
 * See also unit/preload/test_bpf.c and unit/base/test_seccomp_facts.c.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/harness.h"

#define DOORBELL (SIGRTMIN + 12)

static const char *const later[] = {"HOTPATCH_LISTEN=first-ring", NULL};
static const char *const at_start[] = {"HOTPATCH_LISTEN=start", NULL};

static void assert_refused(struct host *host, const char *text)
{
    output_must(hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL), 1,
                "HP-SANDBOX", NULL);
    output_must(hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL), 1, text,
                NULL);
    host_expect(host, "answer", "1");
}

static void assert_patched(struct host *host)
{
    output_must(hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL), 0, NULL,
                NULL);
    host_expect(host, "answer", "2");
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0, NULL, NULL);
    output_must(hotpatch(host, "slots", pid_text(host->pid), NULL), 0, NULL, NULL);
    output_must(hotpatch(host, "revert", pid_text(host->pid), "all", NULL), 0, NULL, NULL);
    host_expect(host, "answer", "1");
}

static void assert_exits(struct host *host, int status)
{
    char line[16];

    snprintf(line, sizeof(line), "exit %d", status);
    host_say(host, line);
    assert_int_equal(host_wait(host), status << 8);
    assert_string_equal(host_log(host), "");
    host_kill(host);
}

static void refused_and_alive(const char *const *when, const char *how, const char *which,
                              const char *action, const char *text)
{
    struct host *host = host_start("filtered", when);

    assert_string_equal(host_ask(host, "filter %s %s %s", how, which, action), "set");
    assert_int_equal(kill(host->pid, DOORBELL), 0); /* a plain shell's */
    host_expect(host, "answer", "1");
    assert_refused(host, text);
    assert_exits(host, 7);
}

static void a_ring_does_not_end_a_program_that_its_filter_would_end(void **state)
{
    static const char *const ways[] = {"prctl", "syscall", "tsync"};
    static const char *const actions[] = {"kill", "kill-thread", "trap", "errno"};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 4; j++)
            refused_and_alive(later, ways[i], "own", actions[j], "refuses clone3");
    refused_and_alive(later, "prctl", "needed-but:close_range", "kill", "refuses close_range");
    refused_and_alive(later, "prctl", "needed-but:membarrier", "kill", "refuses membarrier");
    refused_and_alive(later, "tsync", "needed-but:ppoll", "errno", "refuses ppoll");
}

static void threads_that_a_filter_would_kill_end_before_it(void **state)
{
    (void)state;
    refused_and_alive(at_start, "tsync", "own", "kill", "refuses clone3");
    refused_and_alive(at_start, "tsync", "needed-but:ppoll", "kill-thread", "refuses ppoll");
    refused_and_alive(at_start, "prctl", "own", "kill", "seccomp filter");
    refused_and_alive(at_start, "syscall", "own", "errno", "seccomp filter");
}

static void the_calls_that_are_needed_are_enough(void **state)
{
    static const char *const ways[] = {"prctl", "syscall", "tsync"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct host *host = host_start("filtered", later);

        assert_string_equal(host_ask(host, "filter %s needed kill", ways[i]), "set");
        assert_patched(host);
        assert_exits(host, 7);
    }
}

static void threads_go_on_under_a_filter_that_only_fails_calls(void **state)
{
    struct host *host = host_start("filtered", at_start);

    (void)state;
    assert_patched(host);
    assert_string_equal(host_ask(host, "filter tsync needed-but:prctl errno"), "set");
    assert_patched(host);
    assert_exits(host, 7);
}

static void a_call_that_may_fail_may_be_refused(void **state)
{
    struct host *host = host_start("filtered", later);

    (void)state;
    assert_string_equal(host_ask(host, "filter prctl needed-but:membarrier errno"), "set");
    assert_patched(host);
    assert_exits(host, 7);
}

static void a_filter_from_before_the_start_is_no_hindrance(void **state)
{
    static const char *const environment[] = {"HOTPATCH_LISTEN=first-ring", "FILTERED_UNDER=needed",
                                              NULL};
    struct host *host = host_start("filtered", environment);

    (void)state;
    assert_patched(host);
    host_stop(host);
}

static void what_an_inherited_filter_fails_is_not_complained_of(void **state)
{
    static const char *const under[] = {"FILTERED_UNDER=needed-but:mknodat",
                                        "FILTERED_UNDER=needed-but:close_range"};
    static const char *const when[] = {"HOTPATCH_LISTEN=first-ring", "HOTPATCH_LISTEN=start"};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct host *host =
            host_start_unarmed("filtered", (const char *[]){when[i / 2], under[i % 2], NULL});

        host_expect(host, "answer", "1");
        assert_exits(host, 7);
    }
}

static void a_filter_set_past_libc_is_refused_by_the_command(void **state)
{
    struct host *host = host_start("filtered", later);

    (void)state;
    assert_string_equal(host_ask(host, "filter inline own kill"), "set");
    assert_refused(host, "instruction of its own");
    host_say(host, sanitized() ? "inline-exit 7" : "leave 7");
    assert_int_equal(host_wait(host), 7 << 8);
    host_kill(host);
}

static void strict_mode_is_refused_by_the_command(void **state)
{
    struct host *host = host_start("filtered", later);

    (void)state;
    assert_string_equal(host_ask(host, "filter strict own kill"), "set");
    assert_refused(host, "strict");
    host_say(host, "inline-exit 7");
    assert_int_equal(host_wait(host), 7 << 8);
    host_kill(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_go_on_under_a_filter_that_only_fails_calls),
        cmocka_unit_test(a_filter_set_past_libc_is_refused_by_the_command),
        cmocka_unit_test(strict_mode_is_refused_by_the_command),
    };
    /* A sanitizer's runtime makes system calls of its own that these filters kill, also at the end of the program,
     * and its prctl(2) comes before the shim's, which then does not see what the program sets. */
    const struct CMUnitTest killing[] = {
        cmocka_unit_test(a_ring_does_not_end_a_program_that_its_filter_would_end),
        cmocka_unit_test(threads_that_a_filter_would_kill_end_before_it),
        cmocka_unit_test(the_calls_that_are_needed_are_enough),
        cmocka_unit_test(a_call_that_may_fail_may_be_refused),
        cmocka_unit_test(a_filter_from_before_the_start_is_no_hindrance),
        cmocka_unit_test(what_an_inherited_filter_fails_is_not_complained_of),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    return failed + (sanitized() ? 0 : cmocka_run_group_tests(killing, NULL, NULL));
}
