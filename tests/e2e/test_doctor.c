/*
 * test_doctor.c - what doctor says of a process: after its listener is ready, or with the reason why none can be; and
 * how much of a program's code it finds functions for.
 * ROUNDS=200: as often it looks at processes that have just started.
 */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "elf/functions_read.h"
#include "elf/text_share.h"
#include "tests/support/harness.h"
#include "tests/support/objects.h"

/* `said` and `not_said`: in what it prints, or NULL. */
static void doctor_must(struct host *host, const char *target, int status, const char *said,
                        const char *not_said)
{
    output_must(hotpatch(host, "doctor", target, NULL), status, said, not_said);
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
    static const char told[] = "was started with HOTPATCH_LISTEN=never";
    struct host *host = host_start_unarmed("host", never);
    struct output *output;
    const char *at;

    (void)state;
    output = hotpatch(host, "doctor", pid_text(host->pid), NULL);
    at = strstr(output->out, told);
    assert_non_null(at);
    assert_null(strstr(at + 1, told));
    output_must(output, 1, "(HP-NEVER: ", "answer");
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
    const char *pid = pid_text(host->pid), *listen = getenv("HOTPATCH_LISTEN");

    (void)state;
    if (listen && strcmp(listen, "start") == 0)
        host_listen(host); /* else its listener may be stopped before it has opened the FIFO */
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

/* ---- how much of the code is known ---- */

static struct text_share share_of(const char *path)
{
    struct file file = file_read(path);
    struct functions *functions = object_functions(&file);
    struct text_share share;

    assert_int_equal(functions_text_share(functions, &share), 0);
    functions_close(functions);
    file_free(&file);
    return share;
}

static void must_have_line(const char *subject, const char *path, const char *level)
{
    struct output *output = hotpatch(NULL, "doctor", subject, NULL);
    struct text_share share = share_of(path);
    char line[300];

    snprintf(line, sizeof line,
             "\n%-4s  text       the functions cover %llu of %llu bytes of .text (", level,
             (unsigned long long)share.covered, (unsigned long long)share.bytes);
    assert_int_equal(output->status, 0);
    if (!strstr(output->out, line))
        fail_msg("no line \"%s\":\n%s", line + 1, output->out);
    output_free(output);
}

static void doctor_says_how_much_of_a_file_is_covered(void **state)
{
    (void)state;
    must_have_line("bash", "/usr/bin/bash", "ok");
    must_have_line(built("hosts/host"), built("hosts/host"), "ok");
}

static void doctor_warns_where_most_of_the_code_is_unknown(void **state)
{
    const char *path = object_path(PROGRAM "-s -fno-asynchronous-unwind-tables",
                                   "int main(void) { return 0; }\n"
                                   "__asm__(\".text\\n.skip 100000,0x90\\n\");\n");

    (void)state;
    must_have_line(path, path, "warn");
}

static void doctor_says_how_much_of_a_processs_program_is_covered(void **state)
{
    struct host *host = host_start("host", NULL);
    char pid[16];

    (void)state;
    snprintf(pid, sizeof pid, "%d", host->pid);
    must_have_line(pid, built("hosts/host"), "ok");
    host_stop(host);
}

static void json_has_the_share_as_numbers(void **state)
{
    struct output *output = hotpatch(NULL, "doctor", "--json", built("hosts/host"), NULL);
    struct text_share share = share_of(built("hosts/host"));
    json_object *document = json_tokener_parse(output->out), *of = member(document, "text_share");

    (void)state;
    assert_string_equal(member_text(of, "of"), ".text");
    assert_int_equal(json_object_get_int64(member(of, "bytes")), share.bytes);
    assert_int_equal(json_object_get_int64(member(of, "covered")), share.covered);
    assert_in_range(json_object_get_double(member(of, "percent")), 1, 100);
    json_object_put(document);
    output_free(output);
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
        cmocka_unit_test(doctor_says_how_much_of_a_file_is_covered),
        cmocka_unit_test(doctor_warns_where_most_of_the_code_is_unknown),
        cmocka_unit_test(doctor_says_how_much_of_a_processs_program_is_covered),
        cmocka_unit_test(json_has_the_share_as_numbers),
    };

    return cmocka_run_group_tests(tests, objects_setup, objects_teardown);
}
