/*
 * test_doctor.c - what doctor says of a process: after its listener is ready, or with the reason why none can be.
 * ROUNDS=200: as often it looks at processes that have just started.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

static const char *pid_text(pid_t pid)
{
    static char text[4][16];
    static unsigned next;
    char *here = text[next++ % 4];

    snprintf(here, sizeof(text[0]), "%d", pid);
    return here;
}

/* `said` and `not_said`: in what it prints, or NULL. */
static void doctor_must(struct host *host, const char *target, int status, const char *said,
                        const char *not_said)
{
    struct output *output = hotpatch(host, "doctor", target, NULL);

    if (output->status != status || (said && !strstr(output->out, said)) ||
        (not_said && strstr(output->out, not_said)))
        fail_msg("doctor %s: exit status %d\n%s%s", target, output->status, output->out,
                 output->error);
    output_free(output);
}

static void an_idle_process_is_rung_and_judged_with_its_listener(void **state)
{
    struct host *host = host_start("host", NULL);

    (void)state;
    doctor_must(host, pid_text(host->pid), 0, "2 of the library's 2 threads run", "none yet");
    doctor_must(host, pid_text(host->pid), 0, "ok    answer     it answers requests", "no    ");
    host_stop(host);
}

static void a_process_without_the_library_is_not_rung(void **state)
{
    struct host *host = host_start_bare("host");

    (void)state;
    doctor_must(host, pid_text(host->pid), 3, "(HP-NO-SHIM: ", "answer");
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void a_process_that_never_listens_is_told_once(void **state)
{
    static const char *const never[] = {"HOTPATCH_LISTEN=never", NULL};
    struct host *host = host_start_unarmed("host", never);

    (void)state;
    doctor_must(host, pid_text(host->pid), 1, "(HP-NEVER: ", "answer");
    host_stop(host);
}

static void stop(struct host *host)
{
    int status;

    assert_int_equal(kill(host->pid, SIGSTOP), 0);
    assert_int_equal(waitpid(host->pid, &status, WUNTRACED), host->pid);
    assert_true(WIFSTOPPED(status));
}

static void a_stopped_process_is_refused_as_long_as_it_is_stopped(void **state)
{
    struct host *host = host_start("host", NULL);
    const char *pid = pid_text(host->pid);

    (void)state;
    stop(host);
    doctor_must(host, pid, 4, "(HP-DEADLINE: ", NULL);
    doctor_must(host, pid, 4, "it is stopped", "HP-NOT-LISTENING");
    assert_int_equal(kill(host->pid, SIGCONT), 0);
    doctor_must(host, pid, 0, "it answers requests", "stopped");
    host_stop(host);
}

/* By the name of a program that no other suite runs, nor another run of this one. */
static void of_several_each_is_judged(void **state)
{
    struct host *other = host_start("host", NULL), *first, *second;
    char target[32];
    const char *program;
    struct file copy = file_read(built("hosts/host"));
    char directory[300];
    const char *const shared[] = {directory, NULL};

    (void)state;
    snprintf(target, sizeof(target), "@doctor%d", (int)getpid());
    program = host_path(other, target + 1);
    file_write(program, copy.bytes, copy.size, 0700);
    file_free(&copy);
    snprintf(directory, sizeof(directory), "HOTPATCH_DIR=%s", other->directory);
    first = host_start(program, shared);
    second = host_start(program, shared);
    doctor_must(other, target, 0, "it answers requests", "(HP-DEADLINE");
    stop(second);
    doctor_must(other, target, 5, "(HP-DEADLINE: ", NULL);
    assert_int_equal(kill(second->pid, SIGCONT), 0);
    host_stop(first);
    host_stop(second);
    unlink(program);
    host_stop(other);
}

static void a_zombie_has_ended(void **state)
{
    pid_t child = fork();
    siginfo_t info;

    (void)state;
    if (child == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    struct output *output = hotpatch(NULL, "doctor", pid_text(child), NULL);
    assert_int_equal(output->status, 3);
    assert_non_null(strstr(output->error, "HP-NO-PROCESS"));
    assert_non_null(strstr(output->error, "has ended"));
    output_free(output);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* `start` by a shell, and doctor at once. */
static void just_started_must(struct host *host, const char *start, int status, const char *said)
{
    char line[4096];
    struct output *output;

    snprintf(line, sizeof(line),
             "%s </dev/zero >/dev/null & %s doctor $!; s=$?; kill $!; wait $! 2>/dev/null; exit $s",
             start, built("hotpatch"));
    output = run_program(host, (const char *[]){"/bin/sh", "-c", line, NULL});
    if (output->status != status || !strstr(output->out, said))
        fail_msg("%s: exit status %d\n%s%s", start, output->status, output->out, output->error);
    output_free(output);
}

static void a_process_that_has_just_started_is_never_misjudged(void **state)
{
    const char *text = getenv("ROUNDS");
    int rounds = text ? atoi(text) : 5;
    struct host *host;
    char preloaded[600], run[600], never[700];

    (void)state;
    if (sanitized_for_threads()) /* the shell cannot be given a shim with TSan, nor can the command */
        skip();
    host = host_start("host", NULL);
    snprintf(preloaded, sizeof(preloaded), "LD_PRELOAD=%s %s", built("libhotpatch_preload.so"),
             built("hosts/host"));
    snprintf(never, sizeof(never), "HOTPATCH_LISTEN=never %s", preloaded);
    snprintf(run, sizeof(run), "%s run %s", built("hotpatch"), built("hosts/host"));
    for (int i = 0; i < rounds; i++) {
        just_started_must(host, preloaded, 0, "it answers requests");
        just_started_must(host, run, 0, "it answers requests");
        just_started_must(host, never, 1, "(HP-NEVER: ");
        just_started_must(host, built("hosts/host"), 3, "(HP-NO-SHIM: ");
    }
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_process_is_rung_and_judged_with_its_listener),
        cmocka_unit_test(a_process_without_the_library_is_not_rung),
        cmocka_unit_test(a_process_that_never_listens_is_told_once),
        cmocka_unit_test(a_stopped_process_is_refused_as_long_as_it_is_stopped),
        cmocka_unit_test(of_several_each_is_judged),
        cmocka_unit_test(a_zombie_has_ended),
        cmocka_unit_test(a_process_that_has_just_started_is_never_misjudged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
