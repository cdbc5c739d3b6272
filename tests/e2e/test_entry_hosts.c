/*
 * test_entry_hosts.c - entry slots in what programs do to themselves: libraries that come and go,
 * children, threads, blocked signals, sandboxes, debuggers.
 */
#include "tests/support/entries.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- loads and reverts while others run ---- */

/* Functions that all threads go through are armed, switched and brought back. */
static void switch_under_threads(const char *threads)
{
    assert_string_equal(host_ask(host, "%s", threads), "started");
    for (int i = 0; i < 10; i++) {
        must_apply(host, "load %s", patch_file("answer2"));
        host_expect(host, "answer", "2");
        must_apply(host, "load %s", patch_file("entry_shapes"));
        host_expect(host, "shape straddles_page", "5");
        must_apply(host, "load replace=exported_answer=nine %s", patch_file("entry_plain"));
        host_expect(host, "exported", "9");
        must_apply(host, "load %s", patch_file("answer3"));
        host_expect(host, "answer", "3");
        must_apply(host, "revert all");
        assert_unchanged(host);
    }
    host_expect(host, "stop-threads", "wrong 0");
}

/* One instruction, several in one word, and a first one that is longer than a byte. */
static void switch_under_mute_threads(const char *threads)
{
    host_expect(host, threads, "started");
    for (int i = 0; i < 10; i++) {
        must_apply(host, "load %s", patch_file("answer2"));
        host_expect(host, "answer", "2");
        must_apply(host, "load replace=padded=three replace=branches=nine %s",
                   patch_file("entry_plain"));
        host_expect(host, "shape padded", "3");
        host_expect(host, "shape branches", "9");
        must_apply(host, "revert all");
        assert_unchanged(host);
    }
    host_expect(host, "stop-threads", "wrong 0");
}

/* ---- libraries that come and go ---- */

static void a_patched_library_stays_loaded(void **state)
{
    (void)state;
    start("entries");
    open_library();
    must_replace("libentries.so:in_library", "two");
    host_expect(host, "dlclose", "closed");
    open_library();
    host_expect(host, "call in_library", "2");
    must_apply(host, "revert all");
    host_expect(host, "call in_library", "40");
    finish();
}

/* It was held while threads were waited for. */
static void a_library_of_a_refused_patch_can_leave(void **state)
{
    struct picture left;

    (void)state;
    start("entries");
    open_library();
    host_expect(host, "spinners-without-signals 1", "started");
    assert_string_equal(
        outcome(host, "load replace=libentries.so:in_library=two replace=straddles_page=two %s",
                patch_file("entry_plain")),
        "HP-SIGTRAP-BLOCKED");
    host_expect(host, "call in_library", "40");
    host_expect(host, "dlclose", "closed");
    left = picture_take(host->pid);
    assert_null(strstr(left.maps, "libentries.so"));
    picture_free(&left);
    host_expect(host, "stop-threads", "wrong 0");
    open_library();
    there_and_back("libentries.so:in_library", "call in_library", "40", "2");
    finish();
}

static void an_unpatched_library_can_leave(void **state)
{
    (void)state;
    start("entries");
    for (int i = 0; i < 5; i++) {
        open_library();
        host_expect(host, "call in_library", "40");
        must_apply(host, "load dry-run=1 replace=libentries.so:in_library=two %s",
                   patch_file("entry_plain"));
        host_expect(host, "dlclose", "closed");
        struct picture left = picture_take(host->pid);

        assert_null(strstr(left.maps, "libentries.so"));
        picture_free(&left);
        assert_string_equal(replace("libentries.so:in_library", "two"), "HP-NO-TARGET");
    }
    finish();
}

/* ---- children ---- */

static void a_child_inherits_layers_and_is_patched_apart(void **state)
{
    struct picture parent;
    pid_t child, parent_pid;

    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("answer2"));
    parent_pid = host->pid;
    host_become(host, "fork");
    parent = picture_take(parent_pid);
    assert_int_equal(picture_changes(&parent, host->pid), 0);
    host_expect(host, "answer", "2");
    must_apply(host, "load replace=second=two %s", patch_file("entry_plain"));
    host_expect(host, "second", "2");
    must_apply(host, "revert name=answer");
    host_expect(host, "answer", "1");
    assert_int_equal(picture_changes(&parent, parent_pid), 0);
    assert_int_not_equal(picture_changes(&parent, host->pid), 0);
    child = host->pid;
    host->pid = parent_pid; /* whose requests its own threads still take */
    assert_string_equal(status_of("answer", "live_module"), "answer");
    host->pid = child;
    picture_free(&parent);
    finish();
}

/* Each child is forked at another moment of a load or a revert. */
static void children_forked_while_entries_switch_get_right_answers(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "threads 1", "started");
    switch_under_threads("forkers 2");
    finish();
}

static void children_forked_by_mute_threads_get_right_answers(void **state)
{
    (void)state;
    start("entries");
    switch_under_mute_threads("forkers-without-signals 1");
    finish();
}

static void forks_do_not_wait_until_threads_let_an_entry_be_armed(void **state)
{
    char line[512];

    (void)state;
    start("entries");
    host_expect(host, "spinners-without-signals 1", "started");
    snprintf(line, sizeof(line), "load timeout=20000 replace=straddles_page=two %s\n",
             patch_file("entry_plain"));
    send_raw(host, line, strlen(line));
    host_expect(host, "fork-rounds 20", "20 ended");
    host_expect(host, "shape straddles_page", "1"); /* the load still waits */
    host_expect(host, "stop-threads", "wrong 0");
    must_apply(host, "ping");
    host_expect(host, "shape straddles_page", "2");
    host_expect(host, "fork-rounds 2", "2 ended");
    finish();
}

/* By clone(2), _Fork(3) and syscall(2). */
static void children_made_past_fork_find_no_lock_held(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "raw-calls", "right");
    host_expect(host, "copiers 1", "started");
    for (int i = 0; i < 20; i++) {
        must_apply(host, "load %s", patch_file("constructor_slow"));
        host_expect(host, "answer", "2");
        must_apply(host, "revert all");
    }
    host_expect(host, "stop-threads", "wrong 0");
    finish();
}

/* Which go through these on their way to execve(2), in memory that they share with the program. */
static void programs_start_while_what_starts_them_is_wrapped(void **state)
{
    static const char *const functions[] = {"execve",      "sigaction", "sigprocmask", "close",
                                            "posix_spawn", "_exit",     "waitpid",     "fork"};

    (void)state;
    if (sanitized())
        skip(); /* some are the sanitizer's own */
    start("entries");
    host_expect(host, "spawners 2", "started");
    for (int i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof(functions) / sizeof(functions[0]); k++)
            must_apply(host, "load fail=libc.so.6:%s=0 nth=1000000000", functions[k]);
        must_apply(host, "revert all");
    }
    host_expect(host, "stop-threads", "wrong 0");
    finish();
}

static void a_daemon_inherits_layers(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("answer2"));
    host_become(host, "daemonize");
    host_expect(host, "answer", "2");
    must_apply(host, "load replace=second=two %s", patch_file("entry_plain"));
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    host_expect(host, "second", "10");
    finish();
}

/* ---- threads and signals ---- */

static void threads_go_through_switches(void **state)
{
    (void)state;
    start("entries");
    switch_under_threads("threads 4");
    finish();
}

/* A thread that is being made blocks every signal for a moment; where one is always seen so, the load
 * is refused in time and can be repeated. */
static void threads_come_and_go_through_switches(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "breeders 3", "started");
    for (int i = 0, refused = 0; i < 10; i++) {
        const char *code = outcome(host, "load %s", patch_file("entry_shapes"));

        if (strcmp(code, "apply") != 0) {
            assert_string_equal(code, "HP-SIGTRAP-BLOCKED");
            assert_true(refused++ < 20);
            i--;
            continue;
        }
        host_expect(host, "shape straddles_page", "5");
        host_expect(host, "shape branches", "5");
        must_apply(host, "revert all");
        host_expect(host, "shape straddles_page", "1");
    }
    host_expect(host, "stop-threads", "wrong 0");
    finish();
}

static void threads_go_through_switches_at_4_mb(void **state)
{
    (void)state;
    start("entries-nopie");
    switch_under_threads("threads 4");
    finish();
}

static void threads_go_through_switches_behind_endbr64(void **state)
{
    (void)state;
    start("entries-cet");
    switch_under_threads("threads 4");
    finish();
}

static void threads_that_block_sigtrap_live_on(void **state)
{
    (void)state;
    start("entries");
    switch_under_mute_threads("threads-without-sigtrap 2");
    finish();
}

static void threads_that_block_every_signal_live_on(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "sleepers-without-signals 1", "started");
    switch_under_mute_threads("threads-without-signals 2");
    finish();
}

/* It never sleeps, so nobody can tell that it is not among the bytes that would change. */
static void a_thread_that_blocks_every_signal_and_never_sleeps_is_named(void **state)
{
    struct picture before;
    struct reply *reply;

    (void)state;
    start("entries");
    host_expect(host, "spinners-without-signals 1", "started");
    before = picture_take(host->pid);
    reply =
        request(host, "load timeout=200 replace=straddles_page=two %s", patch_file("entry_plain"));
    assert_string_equal(reply->code, "HP-SIGTRAP-BLOCKED");
    assert_int_equal(reply->exit_code, 4);
    assert_non_null(strstr(reply->text, "(entries)"));
    reply_free(reply);
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    host_expect(host, "stop-threads", "wrong 0");
    there_and_back("straddles_page", "shape straddles_page", "1", "2");
    finish();
}

static void the_programs_own_handler_gets_its_traps(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "take-sigtrap", "taken");
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "trap", "1");
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    switch_under_threads("threads 4");
    host_expect(host, "trap", "2");
    finish();
}

static void a_handler_that_comes_later_gets_its_traps(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load replace=second=two %s", patch_file("entry_plain"));
    host_expect(host, "take-sigtrap", "taken");
    must_apply(host, "revert all");
    switch_under_threads("threads 4");
    host_expect(host, "trap", "1");
    finish();
}

/* ---- sandboxes ---- */

static void patch_in_a_sandbox(const char *question, const char *answer)
{
    start("entries");
    open_library();
    const char *got = host_ask(host, "%s", question);

    if (strcmp(got, answer) != 0) {
        print_message("%s: %s\n", question, got); /* a kernel that does not have it */
        finish();
        skip();
    }
    switch_under_threads("threads 2");
    there_and_back("libentries.so:in_library", "call in_library", "40", "2");
    finish();
}

static void a_program_under_mdwe_is_patched(void **state)
{
    (void)state;
    patch_in_a_sandbox("mdwe", "set");
}

/* Neither ld.so nor pthread_create(3) can do without mprotect: a fault needs no file. */
static void a_program_without_mprotect_is_patched(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "threads 2", "started");
    must_apply(host, "load dry-run=1 fail=answer=7"); /* the engine itself is a file */
    host_expect(host, "forbid-mprotect", "forbidden");
    for (int i = 0; i < 10; i++) {
        must_apply(host, "begin\nload fail=answer=7\nload fail=straddles_page=6\ncommit");
        host_expect(host, "answer", "7");
        host_expect(host, "shape straddles_page", "6");
        must_apply(host, "revert all");
        host_expect(host, "answer", "1");
        host_expect(host, "shape straddles_page", "1");
    }
    host_expect(host, "stop-threads", "wrong 0");
    finish();
}

static void a_program_that_may_not_make_code_is_patched(void **state)
{
    (void)state;
    patch_in_a_sandbox("forbid-exec", "forbidden");
}

/* ---- debuggers ---- */

static pid_t attach_gdb(const char *mark)
{
    char pid[16], touch[300];
    pid_t gdb;

    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    snprintf(touch, sizeof(touch), "shell touch %s", mark);
    gdb = fork();
    if (gdb == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execlp("gdb", "gdb", "-nx", "-batch", "-p", pid, "-ex", touch, "-ex", "continue", "-ex",
               "detach", (char *)NULL);
        _exit(127);
    }
    assert_true(gdb > 0);
    await_file(mark);
    return gdb;
}

static void a_program_under_gdb_is_patched(void **state)
{
    pid_t gdb;

    (void)state;
    if (sanitized())
        skip();
    need_program("gdb");
    start("entries");
    gdb = attach_gdb(host_path(host, "attached"));
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    assert_unchanged(host);
    kill(gdb, SIGINT);
    await_end(gdb);
    host_expect(host, "answer", "1");
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_patched_library_stays_loaded),
        LIVE(a_library_of_a_refused_patch_can_leave),
        LIVE(an_unpatched_library_can_leave),
        LIVE(a_child_inherits_layers_and_is_patched_apart),
        LIVE(children_forked_while_entries_switch_get_right_answers),
        LIVE(children_forked_by_mute_threads_get_right_answers),
        LIVE(forks_do_not_wait_until_threads_let_an_entry_be_armed),
        LIVE(children_made_past_fork_find_no_lock_held),
        LIVE(programs_start_while_what_starts_them_is_wrapped),
        LIVE(a_daemon_inherits_layers),
        LIVE(threads_go_through_switches),
        LIVE(threads_come_and_go_through_switches),
        LIVE(threads_go_through_switches_at_4_mb),
        LIVE(threads_go_through_switches_behind_endbr64),
        LIVE(threads_that_block_sigtrap_live_on),
        LIVE(threads_that_block_every_signal_live_on),
        LIVE(a_thread_that_blocks_every_signal_and_never_sleeps_is_named),
        LIVE(the_programs_own_handler_gets_its_traps),
        LIVE(a_handler_that_comes_later_gets_its_traps),
        LIVE(a_program_under_mdwe_is_patched),
        LIVE(a_program_without_mprotect_is_patched),
        LIVE(a_program_that_may_not_make_code_is_patched),
        LIVE(a_program_under_gdb_is_patched),
    };

    return cmocka_run_group_tests_name("entry_hosts", tests, NULL, NULL);
}
