/*
 * must_hosts.c - programs built in other ways, and what programs do to themselves; see must.h.
 */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/must/must.h"

static const char *everything(struct host *host)
{
    const char *code = load_and_ask(host, "answer2", "answer", "1", "2");
    host_expect(host, "pointer", "2");
    must_apply(host, "load %s", patch_file("calls"));
    host_expect(host, "sum", "1010");
    host_expect(host, "box", "10 2 Box");
    host_expect(host, "mean", "6");
    host_expect(host, "many", "-110");
    must_apply(host, "load %s", patch_file("greeting"));
    host_expect(host, "greeting", "hallo");
    must_apply(host, "load %s", patch_file("provider"));
    host_expect(host, "extra", "1 21");
    must_apply(host, "load %s", patch_file("untyped"));
    host_expect(host, "untyped 5", "7 500");
    must_apply(host, "revert all");
    host_expect(host, "sum", "10");
    host_expect(host, "extra", "0 0");
    assert_unchanged(host);
    return code;
}

#define BUILT(name)                            \
    static const char *name(struct host *host) \
    {                                          \
        return everything(host);               \
    }

BUILT(built_non_pie)
BUILT(built_stripped)
BUILT(built_without_optimisation)
BUILT(built_with_most_optimisation_and_cet)
BUILT(built_with_full_relro)
BUILT(built_by_clang)
BUILT(built_with_lto)
BUILT(built_as_cxx)

static const char *static_program_runs_unpatched(struct host *host)
{
    (void)host;
    struct host *other = host_start_bare("host-static");
    host_expect(other, "answer", "1");
    host_expect(other, "greeting", "hello");
    host_expect(other, "sum", "10");
    host_expect(other, "extra", "0 0");
    host_stop(other);
    return "apply";
}

static const char *without_shim_the_fallbacks_answer(struct host *host)
{
    (void)host;
    struct host *other = host_start_bare("host");
    host_expect(other, "answer", "1");
    host_expect(other, "pointer", "1");
    host_expect(other, "many", "110");
    host_expect(other, "untyped 5", "0 105");
    host_expect(other, "extra", "0 0");
    host_expect(other, "set answer", "-38");
    host_expect(other, "safe-point", "passed");
    host_stop(other);
    return "apply";
}

/* The engine starts on a host thread then, maybe before our own have begun. */
static const char *looks_a_slot_up_in_its_first_line(struct host *host)
{
    (void)host;
    /* TSan ends such a host without a word: its runtime is not through with its start then. */
    if (sanitized_for_threads()) {
        print_message("skipped: TSan's runtime cannot start in such a host\n");
        skip();
    }
    for (int i = 0; i < 10; i++) {
        struct host *other = host_start("host", (const char *[]){"HOST_LOOKS_UP_FIRST=1", NULL});
        const char *code = load_and_ask(other, "answer2", "answer", "1", "2");
        host_kill(other);
        if (strcmp(code, "apply") != 0)
            return code;
    }
    return "apply";
}

static const char *ends_cleanly(struct host *host)
{
    (void)host;
    struct host *other = host_start("host", NULL);
    assert_string_equal(load_and_ask(other, "answer2", "answer", "1", "2"), "apply");
    host_stop(other);
    return "apply";
}

/* ---- what hosts do to themselves ---- */

static const char *forked_child_inherits_layers(struct host *host)
{
    must_apply(host, "load %s", patch_file("answer2"));
    host_become(host, "fork");
    host_expect(host, "answer", "2");
    const char *code = load_and_ask(host, "second", "second", "10", "20");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    return code;
}

static const char *forked_child_before_any_request(struct host *host)
{
    host_become(host, "fork");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

static const char *grandchild(struct host *host)
{
    host_become(host, "fork");
    must_apply(host, "load %s", patch_file("answer2"));
    host_become(host, "fork");
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    return "apply";
}

static const char *daemon_under_its_new_pid(struct host *host)
{
    must_apply(host, "load %s", patch_file("second"));
    host_become(host, "daemonize");
    host_expect(host, "second", "20");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

static const char *closes_all_descriptors(struct host *host)
{
    host_expect(host, "close-all", "3");
    host_expect(host, "close-all", "3");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

static const char *descriptor_numbers_as_without_shim(struct host *host)
{
    must_apply(host, "load %s", patch_file("answer2"));
    must_apply(host, "revert all");
    host_expect(host, "next-descriptor", "3");
    return "apply";
}

static const char *changes_its_user(struct host *host)
{
    if (geteuid() != 0)
        return "apply";
    /* The directory of the test is root's: the new user gets one that it owns. */
    assert_int_equal(chown(host->directory, 65534, 65534), 0);
    host_expect(host, "setuid 65534", "uid");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

static const char *changes_its_root(struct host *host)
{
    if (geteuid() != 0 || sanitized_for_threads()) /* libtsan is not first there */
        return "apply";
    char question[1024];
    const char *root = host_path(host, "root");
    assert_int_equal(mkdir(root, 0755), 0);
    copy_file(patch_file("answer2"), host_path(host, "root/fix.so"));
    /* A line that is written to the FIFO brings no engine. */
    snprintf(question, sizeof(question),
             "cd / && cp -L --parents %s $(ldd %s | sed -n 's/.*=> \\(.*\\) (.*/\\1/p') %s",
             built("libhotpatch_engine.so"), built("libhotpatch_engine.so"), root);
    assert_int_equal(system(question), 0);
    /* The same path inside: HOTPATCH_DIR keeps its meaning, and the harness finds the FIFO. */
    snprintf(question, sizeof(question), "mkdir -p %s%s && mkdir -m 0700 %s%s", root, host->scratch,
             root, host->directory);
    assert_int_equal(system(question), 0);
    host_listen(host); /* the root has no /proc */
    snprintf(question, sizeof(question), "chroot %s", root);
    host_expect(host, question, "chroot");
    assert_int_equal(kill(host->pid, SIGRTMIN + 12), 0);
    snprintf(question, sizeof(question), "%s%s", root, host->directory);
    memcpy(host->directory, question, sizeof(host->directory));
    snprintf(question, sizeof(question), "%s/%d.fifo", host->directory, (int)host->pid);
    ring_until_there(host->pid, question);
    const char *code = outcome(host, "load /fix.so");
    host_expect(host, "answer", strcmp(code, "apply") == 0 ? "2" : "1");
    return code;
}

static const char *load_by_command(struct host *host)
{
    static char code[64];
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    struct output *output = hotpatch(host, "load", pid, patch_file("answer2"), NULL);
    snprintf(code, sizeof(code), "apply");
    if (output->status != 0 && sscanf(output->error, "hotpatch: %63[A-Z0-9-]", code) != 1)
        fail_msg("exit %d: %s", output->status, output->error);
    output_free(output);
    host_expect(host, "answer", strcmp(code, "apply") == 0 ? "2" : "1");
    return code;
}

/* By the command, as root: nothing but it reaches a process there. Without root nobody can go there. */
static const char *load_in_root(struct host *host, mode_t mode, const char *otherwise)
{
    if (geteuid() != 0 || sanitized_for_threads())
        return otherwise;
    char question[300];
    const char *root = host_path(host, "root");
    assert_int_equal(mkdir(root, 0700), 0);
    assert_int_equal(chmod(root, mode), 0);
    snprintf(question, sizeof(question), "chroot %s", root);
    host_expect(host, question, "chroot");
    const char *code = load_by_command(host);
    assert_int_equal(rmdir(root), 0); /* nothing stayed in it */
    return code;
}

static const char *goes_into_an_empty_root(struct host *host)
{
    return load_in_root(host, 0755, "apply");
}

static const char *goes_into_a_root_that_others_can_write_to(struct host *host)
{
    host_listen(host); /* its FIFO stays open, and answers afterwards */
    return load_in_root(host, 0777, "HP-CHROOT");
}

/* By the command, which looks at the filters before it rings. A sanitizer makes calls of its own. */
static const char *load_under_filter(const char *which, const char *action, const char *otherwise)
{
    static const char *const later[] = {"HOTPATCH_LISTEN=first-ring", NULL};
    if (sanitized())
        return otherwise;
    struct host *host = host_start("filtered", later);
    assert_string_equal(host_ask(host, "filter prctl %s %s", which, action), "set");
    const char *code = load_by_command(host);
    host_say(host, "exit 0"); /* where a filter kills for a call of ours, the FIFO stays */
    assert_int_equal(host_wait(host), 0);
    host_kill(host);
    return code;
}

static const char *sets_a_filter_that_allows_what_is_needed(struct host *host)
{
    (void)host;
    return load_under_filter("needed", "kill", "apply");
}

static const char *sets_a_filter_that_fails_what_may_fail(struct host *host)
{
    (void)host;
    return load_under_filter("needed-but:membarrier", "errno", "apply");
}

static const char *sets_a_filter_that_kills_for_a_thread(struct host *host)
{
    (void)host;
    return load_under_filter("needed-but:clone3", "kill", "HP-SANDBOX");
}

static const char *sets_a_filter_that_allows_its_own_calls_alone(struct host *host)
{
    (void)host;
    return load_under_filter("own", "errno", "HP-SANDBOX");
}

static const char *unshares_its_user_namespace(struct host *host)
{
    if (sanitized())
        return "apply"; /* a sanitizer may have a thread of its own */
    const char *heard = host_ask(host, "unshare");
    if (strcmp(heard, "unshared") != 0 && strcmp(heard, "Invalid argument") != 0)
        return "apply"; /* a sandbox around the tests forbids it */
    assert_string_equal(heard, "unshared");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

static const char *clears_its_environment(struct host *host)
{
    host_expect(host, "clear-environment", "0");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

static const char *blocks_every_signal(struct host *host)
{
    host_listen(host); /* nothing rings a thread that blocks the doorbell */
    host_expect(host, "block-signals", "blocked");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

static const char *takes_the_doorbell_signal(struct host *host)
{
    char question[32];
    host_listen(host);
    snprintf(question, sizeof(question), "take-signal %d", SIGRTMIN + 12);
    host_expect(host, question, "0");
    const char *code = load_and_ask(host, "answer2", "answer", "1", "2");
    struct reply *reply = request(host, "status");
    assert_int_equal(json_object_get_int(member(reply->json, "status.signal")), 0);
    reply_free(reply);
    return code;
}

static const char *main_thread_has_exited(struct host *host)
{
    host_say(host, "exit-main");
    assert_string_equal(host_hear(host), "ready");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

static const char *sets_no_new_privileges(struct host *host)
{
    host_expect(host, "no-new-privs", "0");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

static const char *many_threads_call_meanwhile(struct host *host)
{
    host_expect(host, "threads 16", "started");
    for (int i = 0; i < 50; i++) {
        must_apply(host, "load %s", patch_file("answer2"));
        must_apply(host, "load %s", patch_file("answer3"));
        must_apply(host, "revert name=answer");
    }
    host_expect(host, "calls", "some");
    host_expect(host, "stop-threads", "wrong 0");
    host_expect(host, "answer", "1");
    return "apply";
}

const struct must_case must_hosts[] = {
    CASE_IN(built_non_pie, "host-nopie"),
    CASE_IN(built_stripped, "host-stripped"),
    CASE_IN(built_without_optimisation, "host-o0"),
    CASE_IN(built_with_most_optimisation_and_cet, "host-o3"),
    CASE_IN(built_with_full_relro, "host-now"),
    CASE_IN(built_by_clang, "host-clang"),
    CASE_IN(built_with_lto, "host-lto"),
    CASE_IN(built_as_cxx, "host-cxx"),
    CASE(static_program_runs_unpatched),
    CASE(without_shim_the_fallbacks_answer),
    CASE(looks_a_slot_up_in_its_first_line),
    CASE(ends_cleanly),
    CASE(forked_child_inherits_layers),
    CASE(forked_child_before_any_request),
    CASE(grandchild),
    CASE(daemon_under_its_new_pid),
    CASE(closes_all_descriptors),
    CASE(descriptor_numbers_as_without_shim),
    CASE(changes_its_user),
    CASE(changes_its_root),
    CASE(goes_into_an_empty_root),
    CASE(goes_into_a_root_that_others_can_write_to),
    CASE(sets_a_filter_that_allows_what_is_needed),
    CASE(sets_a_filter_that_fails_what_may_fail),
    CASE(sets_a_filter_that_kills_for_a_thread),
    CASE(sets_a_filter_that_allows_its_own_calls_alone),
    CASE(unshares_its_user_namespace),
    CASE(clears_its_environment),
    CASE(blocks_every_signal),
    CASE(takes_the_doorbell_signal),
    CASE(main_thread_has_exited),
    CASE(sets_no_new_privileges),
    CASE(many_threads_call_meanwhile),
    CASES_END,
};
