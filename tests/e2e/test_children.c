/*
 * test_children.c - what a program and its children must not notice: descriptor numbers, pipes
 * that end, standard files that are exchanged, and LD_PRELOAD in programs that it is not for.
 *
 * Each is run with the library and without it, side by side.
 *
 * What these tests are worth (each broken on purpose, each failed): the listener in the program's
 * own descriptor table: a shell finds other descriptors, and setuid children are aborted; no ending
 * of our threads before setresgid() with kept capabilities: setpriv(1) dies of SIGABRT.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

static int start(void **state)
{
    /* A sanitizer's own library would have to be in the programs first, and follows descriptors. */
    if (sanitized())
        exit(0);
    *state = host_start("sandbox", NULL);
    return 0;
}

static int stop(void **state)
{
    host_kill(*state);
    return 0;
}

/* The script begins when the library, if it is there, has done all it does at a start. */
static struct output *run_shell(struct host *host, bool with, const char *script)
{
    char line[4096];
    snprintf(line, sizeof(line), "%s%s exec bash -c '%s%s'", with ? "LD_PRELOAD=" : "",
             with ? built("libhotpatch_preload.so") : "",
             with ? "until [ -p $HOTPATCH_DIR/$$.fifo ]; do :; done; " : "", script);
    return run_program(host, (const char *[]){"/bin/sh", "-c", line, NULL});
}

/* Standard output and exit status are the same with and without the library. */
static void same_with_and_without(struct host *host, const char *script, bool errors_too)
{
    struct output *with = run_shell(host, true, script);
    struct output *without = run_shell(host, false, script);
    if (with->status != without->status || strcmp(with->out, without->out) != 0 ||
        (errors_too && strcmp(with->error, without->error) != 0))
        fail_msg("%s\nwith: exit %d\n%s%s\nwithout: exit %d\n%s%s", script, with->status, with->out,
                 with->error, without->status, without->out, without->error);
    assert_int_not_equal(without->status, 127);
    output_free(with);
    output_free(without);
}

/* ---- descriptors ---- */

static void a_shell_uses_descriptor_3_as_ever(void **state)
{
    same_with_and_without(
        *state,
        "cd /proc/self/fd && echo *; "
        "exec 3</etc/passwd; read -r line <&3; echo $line; exec 4<&3 5>/dev/null; "
        "cd /proc/self/fd && echo *; exec 3<&-; exec {fd}</etc/passwd; echo $fd",
        true);
}

static void all_descriptors_can_be_closed_and_used(void **state)
{
    same_with_and_without(*state,
                          "for i in $(seq 3 63); do eval \"exec $i<&-\"; done; "
                          "for i in $(seq 3 63); do eval \"exec $i</dev/null\"; done; "
                          "readlink /proc/self/fd/40; ls /proc/self/fd | wc -l",
                          true);
}

static void pipes_between_children_end(void **state)
{
    same_with_and_without(*state,
                          "seq 1 20000 | sort -rn | head -n 3 | tee >(cat >/dev/null); "
                          "x=$(echo a; sleep 0.01; echo b); echo $x; wait; coproc cat; "
                          "echo hi >&${COPROC[1]}; read -r y <&${COPROC[0]}; echo $y",
                          true);
}

static void signals_and_jobs_are_as_without(void **state)
{
    same_with_and_without(*state,
                          "trap \"echo usr1\" USR1; kill -USR1 $$; (kill -TERM $BASHPID); echo $?; "
                          "sleep 5 & kill $!; wait $!; echo $?; ulimit -n; nice",
                          true);
}

/* Both under the number that the log has, and under those that a program reads and writes. */
static void a_file_in_the_place_of_standard_error_gets_nothing(void **state)
{
    struct host *keeper = *state;
    const char *environment[] = {"HOTPATCH_LOG=debug", NULL};
    const char *victim = host_path(keeper, "victim");
    char question[300];
    struct stat status;
    struct host *host = host_start("sandbox", environment);
    snprintf(question, sizeof(question), "replace-standard-files %s", victim);
    host_expect(host, question, "done");
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
    assert_string_equal(outcome(host, "load /nowhere"), "HP-OPEN");
    must_apply(host, "revert all");
    assert_int_equal(stat(victim, &status), 0);
    assert_int_equal(status.st_size, 0);
    host_stop(host);
}

/* ---- daemons ---- */

static int number_in(const char *path)
{
    char *text = file_text(path);
    int number = atoi(text);

    free(text);
    return number;
}

static int read_pid(const char *path)
{
    int pid = 0;

    await_file(path);
    AWAIT((pid = number_in(path)) > 0, "a number in %s", path);
    return pid;
}

/* Whoever started it reads its output to the end, and the daemon lives on without holding it. */
static void a_daemons_starter_sees_the_end_of_its_output(void **state)
{
    struct host *host = *state;
    char variable[512], pid[16], fifo[300];
    const char *path = host_path(host, "daemon.pid");
    snprintf(variable, sizeof(variable), "LD_PRELOAD=%s", built("libhotpatch_preload.so"));
    struct output *output =
        run_program(host, (const char *[]){"env", variable, built("hosts/sandbox"), path, NULL});
    assert_int_equal(output->status, 0);
    output_free(output);
    int daemon = read_pid(path);
    assert_int_equal(kill(daemon, 0), 0);
    snprintf(fifo, sizeof(fifo), "%s/%d.fifo", host->directory, daemon);
    ring_until_there(daemon, fifo);
    snprintf(pid, sizeof(pid), "%d", daemon);
    output = hotpatch(host, "load", pid, patch_file("answer2"), NULL);
    if (output->status != 0)
        fail_msg("exit %d\n%s%s", output->status, output->out, output->error);
    output_free(output);
    assert_int_equal(kill(daemon, SIGKILL), 0);
}

/* ---- programs that the library is not for ---- */

static void a_static_child_runs_as_before(void **state)
{
    char script[600];
    snprintf(script, sizeof(script), "printf \"answer\\nsum\\n\" | %s", built("hosts/host-static"));
    same_with_and_without(*state, script, true);
}

static void a_setuid_child_runs_as_before(void **state)
{
    char script[600];
    const char *as = geteuid() == 0 ? "setpriv --reuid=65534 --regid=65534 --clear-groups" : "";
    if (access("/bin/su", X_OK) != 0) {
        print_message("skipped: no setuid program here\n");
        skip();
    }
    /* ld.so takes a path with a slash out of LD_PRELOAD there without a word. */
    snprintf(script, sizeof(script), "%s /bin/su --version", as);
    same_with_and_without(*state, script, false);
}

/* Builds a program in the scratch directory; false: the compiler is not here. */
static bool build(struct host *host, const char *command)
{
    char line[4096];
    snprintf(line, sizeof(line), "cd %s && printf \"%%s\" \"$0\" > child.c && %s", host->scratch,
             command);
    static const char source[] =
        "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n#include <fcntl.h>\n"
        "int main(void) { int fd = open(\"/dev/null\", O_RDONLY);\n"
        "printf(\"child %d %d\\n\", fd, getenv(\"HOTPATCH_DIR\") != NULL); return 7; }\n";
    struct output *output =
        run_program(NULL, (const char *[]){"/bin/sh", "-c", line, source, NULL});
    int status = output->status;
    if (status != 0)
        print_message("skipped: %s\n", command);
    output_free(output);
    return status == 0;
}

static void run_child(struct host *host)
{
    char script[600];
    snprintf(script, sizeof(script), "%s", host_path(host, "child"));
    /* The dynamic linker says on standard error that it cannot use the library. */
    same_with_and_without(host, script, false);
}

static void a_musl_child_runs_as_before(void **state)
{
    /* A sanitized shim needs its runtime, which musl's linker does not find. */
    if (sanitized() || !build(*state, "musl-gcc -o child child.c"))
        skip();
    run_child(*state);
}

static void a_static_musl_child_runs_as_before(void **state)
{
    if (!build(*state, "musl-gcc -static -o child child.c"))
        skip();
    run_child(*state);
}

/* Without a 32-bit C library to link against: the one to run with is enough. */
static void a_32_bit_child_runs_as_before(void **state)
{
    if (!build(*state, "gcc -m32 -o child child.c 2>/dev/null ||"
                       " { printf \"int puts(const char *); void exit(int);\\n"
                       "void _start(void) { puts(\\\"child\\\"); exit(7); }\\n\" > child.c &&"
                       " gcc -m32 -nostdlib -fno-pie -no-pie -Wl,-dynamic-linker,/lib/ld-linux.so.2"
                       " -o child child.c /lib32/libc.so.6; }"))
        skip();
    run_child(*state);
}

static void a_child_that_is_excluded_has_no_thread(void **state)
{
    struct host *host = *state;
    struct output *output = run_shell(
        host, true,
        "export HOTPATCH_LISTEN=start; HOTPATCH_EXCLUDE=*/grep grep Threads: /proc/self/status; "
        "grep Threads: /proc/self/status; HOTPATCH_DISABLE=1 grep Threads: /proc/self/status");
    /* The second thread comes a little later. */
    assert_true(strcmp(output->out, "Threads:\t1\nThreads:\t2\nThreads:\t1\n") == 0 ||
                strcmp(output->out, "Threads:\t1\nThreads:\t3\nThreads:\t1\n") == 0);
    output_free(output);
}

static void a_missing_engine_does_not_matter_to_children(void **state)
{
    struct host *host = *state;
    char script[1024];
    copy_file(built("libhotpatch_preload.so"), host_path(host, "libhotpatch_preload.so"));
    snprintf(script, sizeof(script),
             "LD_PRELOAD=%s/libhotpatch_preload.so bash -c \"echo child; exit 7\"", host->scratch);
    same_with_and_without(host, script, true);
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        WITH_HOST(a_shell_uses_descriptor_3_as_ever),
        WITH_HOST(all_descriptors_can_be_closed_and_used),
        WITH_HOST(pipes_between_children_end),
        WITH_HOST(signals_and_jobs_are_as_without),
        WITH_HOST(a_file_in_the_place_of_standard_error_gets_nothing),
        WITH_HOST(a_daemons_starter_sees_the_end_of_its_output),
        WITH_HOST(a_static_child_runs_as_before),
        WITH_HOST(a_setuid_child_runs_as_before),
        WITH_HOST(a_musl_child_runs_as_before),
        WITH_HOST(a_static_musl_child_runs_as_before),
        WITH_HOST(a_32_bit_child_runs_as_before),
        WITH_HOST(a_child_that_is_excluded_has_no_thread),
        WITH_HOST(a_missing_engine_does_not_matter_to_children),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
