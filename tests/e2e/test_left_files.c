/*
 * test_left_files.c - files in the runtime directory: forked children make none, whatever ends a process
 * leaves few, and what exec changes is noticed.
 *
 * ROUNDS (default 48) and FORKS (default 500) make them longer.
 *
 * What these tests are worth (each broken on purpose, each failed): no sweep at a start; a sweep in the
 * constructor alone; a FIFO from before an exec taken for another process's.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/harness.h"

#define DOORBELL (SIGRTMIN + 12)
#define FEW 12

static const char *const later[] = {"HOTPATCH_LISTEN=first-ring", NULL};
static const char *const at_start[] = {"HOTPATCH_LISTEN=start", NULL};

static int number_of(const char *variable, int otherwise)
{
    const char *text = getenv(variable);

    return text ? atoi(text) : otherwise;
}

static const char *file_of(struct host *host, pid_t pid, const char *suffix)
{
    static char path[300];

    snprintf(path, sizeof(path), "%s/%d.%s", host->directory, (int)pid, suffix);
    return path;
}

static pid_t make_child(struct host *host)
{
    int pid = 0;

    assert_int_equal(sscanf(host_ask(host, "fork"), "pid %d", &pid), 1);
    return pid;
}

static void ring(struct host *host, pid_t pid)
{
    await_read(pid);
    assert_int_equal(kill(pid, DOORBELL), 0);
    await_file(file_of(host, pid, "json"));
}

static bool is_listed(struct output *output, pid_t pid)
{
    char line[32];

    snprintf(line, sizeof(line), "\n%d ", (int)pid);
    return strstr(output->out, line) != NULL;
}

/* ---- forks ---- */

static void forked_children_leave_no_file(void **state)
{
    struct host *host = host_start("forks", later);
    char question[40];

    (void)state;
    snprintf(question, sizeof(question), "many %d", number_of("FORKS", 500));
    host_expect(host, question, "done");
    assert_int_equal(directory_entries("%s", host->directory), 1); /* its own FIFO */
    host_stop(host);
}

static void a_forked_child_has_no_file_before_its_first_ring(void **state)
{
    struct host *host = host_start("forks", later);
    pid_t child = make_child(host);

    (void)state;
    assert_int_equal(directory_entries("%s", host->directory), 1);
    ring(host, child);
    assert_int_equal(access(file_of(host, child, "fifo"), F_OK), 0);
    host_expect(host, "end exit", "ended");
    assert_int_equal(directory_entries("%s", host->directory), 1);
    host_stop(host);
}

static void the_command_finds_children_that_have_no_file(void **state)
{
    struct host *host = host_start("forks", later);
    pid_t child = make_child(host);
    struct output *output = hotpatch(host, "ps", NULL);

    (void)state;
    if (!is_listed(output, child))
        fail_msg("%d is not in:\n%s", (int)child, output->out);
    output_free(output);
    output = hotpatch(host, "status", pid_text(child), NULL);
    assert_int_equal(output->status, 0);
    output_free(output);
    host_expect(host, "end exit", "ended");
    host_stop(host);
}

/* The calls of each child, by name: the same with and without the library. */
static char *calls_of_children(struct host *host, const char *preload)
{
    char line[1200];
    struct output *output;
    char *text;

    snprintf(
        line, sizeof(line),
        "echo many 3 | strace -f -o %s/trace %s -E HOTPATCH_LISTEN=first-ring %s >/dev/null && "
        "awk 'NR == 1 { first = $1 } $1 != first && $2 ~ /^[a-z]/ { sub(/\\(.*/, \"\", $2); print "
        "$2 }' "
        "%s/trace",
        host->scratch, preload, built("hosts/forks"), host->scratch);
    output = run_program(host, (const char *[]){"sh", "-c", line, NULL});
    if (output->status != 0 || !output->out[0])
        fail_msg("exit %d: %s", output->status, output->error);
    text = strdup(output->out);
    output_free(output);
    return text;
}

static void a_forked_child_makes_no_system_call_of_ours(void **state)
{
    struct host *host;
    char preload[512];
    char *with, *without;

    (void)state;
    if (sanitized())
        skip(); /* a sanitizer's runtime makes calls of its own in a child */
    need_program("strace");
    host = host_start("forks", later);
    snprintf(preload, sizeof(preload), "-E LD_PRELOAD=%s", built("libhotpatch_preload.so"));
    with = calls_of_children(host, preload);
    without = calls_of_children(host, "");
    assert_string_equal(with, without);
    free(with);
    free(without);
    host_stop(host);
}

/* ---- files of dead processes ---- */

static void rung_children_leave_few_files_however_they_end(void **state)
{
    static const char *const ends[] = {"_exit", "kill", "exec", "exit"};
    struct host *host = host_start("forks", later);
    int most = 0, files;

    (void)state;
    for (int i = 0; i < number_of("ROUNDS", 48); i++) {
        char question[32];
        pid_t child = make_child(host);

        ring(host, child);
        snprintf(question, sizeof(question), "end %s", ends[i % 4]);
        host_expect(host, question, "ended");
        files = directory_entries("%s", host->directory);
        most = files > most ? files : most;
    }
    if (most > FEW)
        fail_msg("%d files at one time", most);
    host_stop(host);
}

static void killed_programs_leave_few_files(void **state)
{
    struct host *keeper = host_start("forks", later);
    char directory[300];
    const char *environment[] = {later[0], directory, NULL};
    int most = 0, files;

    (void)state;
    snprintf(directory, sizeof(directory), "HOTPATCH_DIR=%s", keeper->directory);
    for (int i = 0; i < number_of("ROUNDS", 48); i++) {
        struct host *host = host_start("forks", environment);

        if (i % 2)
            ring(host, host->pid);
        host_kill(host);
        files = directory_entries("%s", keeper->directory);
        most = files > most ? files : most;
    }
    if (most > FEW)
        fail_msg("%d files at one time", most);
    host_stop(keeper);
}

/* Of processes that live there are more than a start reads: still all others go. */
static void files_of_dead_processes_go_from_a_large_directory(void **state)
{
    struct host *host = host_start("forks", later);
    char name[300];
    int starts = 0, left = 1;

    (void)state;
    for (int i = 0; i < 400; i++) { /* elsewhere: nothing is known of them */
        snprintf(name, sizeof(name), "%s/%d-7.fifo", host->directory, 1000 + i);
        assert_int_equal(mkfifo(name, 0600), 0);
    }
    for (int i = 0; i < 20; i++) { /* in front, behind and between */
        pid_t child = make_child(host);

        ring(host, child);
        host_expect(host, "end kill", "ended");
    }
    while (left > 0 && starts++ < 4000) {
        struct output *output =
            run_program(host, (const char *[]){"sh", "-c", "LD_PRELOAD=\"$0\" exec true",
                                               built("libhotpatch_preload.so"), NULL});

        output_free(output);
        left = directory_entries("%s", host->directory) - 401;
    }
    assert_int_equal(left, 0);
    host_stop(host);
}

/* ---- exec ---- */

/* A program for host_start(): a shell, with the library in it, that executes the host. */
static const char *script(const char *before)
{
    static char path[64];
    char text[600];

    snprintf(path, sizeof(path), "/tmp/hotpatch-script-XXXXXX");
    close(mkstemp(path));
    snprintf(text, sizeof(text), "#!/bin/sh\n%s\nexec %s\n", before, built("hosts/host"));
    file_write(path, text, strlen(text), 0755);
    return path;
}

static void a_program_is_reached_after_an_exec(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *path = script("");
        struct host *host = host_start(path, i ? later : at_start);
        struct output *output =
            hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL);

        if (output->status != 0)
            fail_msg("exit %d: %s%s", output->status, output->out, output->error);
        output_free(output);
        host_expect(host, "answer", "2");
        assert_int_equal(access(file_of(host, host->pid, "fifo"), F_OK), 0);
        await_file(file_of(host, host->pid, "json"));
        unlink(path);
        host_stop(host);
    }
}

static void a_process_that_executed_a_program_without_the_library_is_not_listed(void **state)
{
    const char *path = script("unset LD_PRELOAD");
    struct host *host = host_start_unarmed(path, later);
    struct output *output;

    (void)state;
    unlink(path);
    assert_int_equal(access(file_of(host, host->pid, "fifo"), F_OK), 0);
    output = hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL);
    assert_non_null(strstr(output->error, "HP-NO-SHIM"));
    output_free(output);
    output = hotpatch(host, "ps", NULL);
    assert_false(is_listed(output, host->pid));
    output_free(output);
    assert_int_not_equal(access(file_of(host, host->pid, "fifo"), F_OK), 0);
    host_expect(host, "answer", "1");
    host_stop(host);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forked_children_leave_no_file),
        cmocka_unit_test(a_forked_child_has_no_file_before_its_first_ring),
        cmocka_unit_test(a_forked_child_makes_no_system_call_of_ours),
        cmocka_unit_test(the_command_finds_children_that_have_no_file),
        cmocka_unit_test(rung_children_leave_few_files_however_they_end),
        cmocka_unit_test(killed_programs_leave_few_files),
        cmocka_unit_test(files_of_dead_processes_go_from_a_large_directory),
        cmocka_unit_test(a_program_is_reached_after_an_exec),
        cmocka_unit_test(a_process_that_executed_a_program_without_the_library_is_not_listed),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
