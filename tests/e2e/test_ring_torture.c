/*
 * test_ring_torture.c - first rings at random instants, in loops of what takes the locks that making a thread
 * takes too. tests/hosts/rung.c says what a round is.
 *
 * ROUNDS: of each loop (a few, where it is not set). What the rings took is in this program's log.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

#define NAIVE "naive/libhotpatch_preload.so"
#define JEMALLOC "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
#define TCMALLOC "/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4"

struct torture {
    const char *program; /* NULL: rung */
    const char *loop;
    const char *shim;     /* NULL: the one that is tested */
    const char *preload;  /* a further library, or NULL */
    const char *variable; /* NAME=VALUE, or NULL */
    const char *rounds;   /* NULL: ROUNDS */
    bool later;
    bool debugged; /* gdb follows the child that is rung */
};

static const char *rounds(void)
{
    const char *value = getenv("ROUNDS");

    return value ? value : "6";
}

static void execute_under_gdb(const char *program, const char *loop, const char *count)
{
    char preload[1100], handle[64];

    /* For the program alone, and not for gdb. */
    snprintf(preload, sizeof(preload), "set environment LD_PRELOAD %s", getenv("LD_PRELOAD"));
    snprintf(handle, sizeof(handle), "handle SIG%d nostop noprint pass", SIGRTMIN + 12);
    unsetenv("LD_PRELOAD");
    execlp("gdb", "gdb", "-nx", "-batch", "-ex", "set startup-with-shell off", "-ex", preload,
           "-ex", handle, "-ex", "set follow-fork-mode child", "-ex", "run", "--args", program,
           loop, count, (char *)NULL);
    _exit(127);
}

/* In the child. */
static void execute(const struct torture *torture, const char *directory)
{
    const char *count = torture->rounds ? torture->rounds : rounds();
    char preload[1024];

    snprintf(preload, sizeof(preload), "%s%s%s",
             built("%s", torture->shim ? torture->shim : "libhotpatch_preload.so"),
             torture->preload ? ":" : "", torture->preload ? torture->preload : "");
    setenv("LD_PRELOAD", preload, 1);
    setenv("HOTPATCH_DIR", directory, 1);
    setenv("HOTPATCH_LISTEN", "first-ring", 1);
    if (torture->variable)
        putenv(strdup(torture->variable));
    if (torture->debugged)
        execute_under_gdb(built("hosts/rung"), torture->loop, count);
    execl(built("hosts/%s", torture->program ? torture->program : "rung"), "rung", torture->loop,
          count, torture->later ? "later" : NULL, (char *)NULL);
    _exit(127);
}

/* Its exit status; `said` gets what it prints. */
static int run(const struct torture *torture, char *said, size_t size)
{
    char directory[] = "/tmp/hotpatch-rung-XXXXXX", command[64];
    size_t length = 0;
    int ends[2], status = 0;
    ssize_t got;
    pid_t child;

    assert_non_null(mkdtemp(directory));
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        close(ends[1]);
        execute(torture, directory);
    }
    close(ends[1]);
    while (length + 1 < size && (got = read(ends[0], said + length, size - 1 - length)) > 0)
        length += (size_t)got;
    said[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    assert_int_equal(system(command), 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void must_live(struct torture torture)
{
    char said[8192];
    int status = run(&torture, said, sizeof(said));

    printf("%s%s%s%s", torture.program ? torture.program : "", torture.preload ? "preloaded " : "",
           torture.variable ? torture.variable : "", said);
    if (status != 0)
        fail_msg("%s: exit %d: %s", torture.loop, status, said);
}

/* ---- the tests ---- */

static void first_rings_leave_each_loop_as_it_is(void **state)
{
    static const char *const loops[] = {
        "malloc",   "getc",       "printf",         "fopen",        "dlopen",
        "fork",     "vfork",      "posix_spawn",    "system",       "popen",
        "regcomp",  "qsort",      "pthread_create", "cancellation", "dl_iterate_phdr",
        "handlers", "siglongjmp", "swapcontext",    "rseq",         "rtm",
        "cookie",   "atfork",     "constructor",    "memcpy",       "getaddrinfo",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++)
        must_live((struct torture){.loop = loops[i]});
    must_live(
        (struct torture){.loop = "elision", .variable = "GLIBC_TUNABLES=glibc.elision.enable=1"});
}

static void first_rings_leave_the_hosts_signals_as_they_are(void **state)
{
    (void)state;
    must_live((struct torture){.loop = "signals"});
    must_live((struct torture){.loop = "own_traps"});
    must_live((struct torture){.loop = "traps_blocked"});
    must_live((struct torture){.loop = "faults"});
}

static void a_ring_in_a_child_of_vfork_makes_no_threads(void **state)
{
    (void)state;
    must_live((struct torture){.loop = "vfork_rung"});
}

static void first_rings_wait_for_an_allocator_inside_the_program(void **state)
{
    (void)state;
    must_live((struct torture){.program = "rung-own", .loop = "malloc"});
    must_live((struct torture){.program = "rung-own", .loop = "qsort"});
    must_live((struct torture){.program = "rung-jemalloc", .loop = "malloc"});
    must_live((struct torture){.program = "rung-jemalloc", .loop = "swapcontext"});
}

static void first_rings_wait_for_a_preloaded_allocator(void **state)
{
    (void)state;
    must_live((struct torture){.loop = "malloc", .preload = JEMALLOC});
    must_live((struct torture){.loop = "malloc", .preload = TCMALLOC});
    must_live((struct torture){.loop = "qsort", .preload = TCMALLOC});
}

static void first_rings_of_a_traced_program_stop_it_nowhere(void **state)
{
    (void)state;
    must_live((struct torture){.loop = "malloc", .variable = "RUNG_TRACED=1"});
    must_live((struct torture){.loop = "system", .variable = "RUNG_TRACED=1"});
}

static void a_first_ring_under_gdb_stops_the_program_nowhere(void **state)
{
    struct torture torture = {.loop = "malloc", .rounds = "1", .debugged = true};
    char said[8192];

    (void)state;
    need_program("gdb");
    run(&torture, said, sizeof(said));
    printf("%s", said);
    if (!strstr(said, "exited normally") || !strstr(said, "0 hung, 0 died") ||
        strstr(said, "SIGTRAP"))
        fail_msg("%s", said);
}

static void later_rings_leave_each_loop_as_it_is(void **state)
{
    static const char *const loops[] = {"malloc", "getc", "fork", "system", "cancellation"};

    (void)state;
    for (size_t i = 0; i < sizeof(loops) / sizeof(*loops); i++)
        must_live((struct torture){.loop = loops[i], .rounds = "1000", .later = true});
}

/* The torture finds out what it is for. */
static void without_a_look_at_the_moment_it_hangs(void **state)
{
    const struct torture torture = {.program = "rung-own",
                                    .loop = "malloc",
                                    .shim = NAIVE,
                                    .variable = "RUNG_LIMIT_MS=1500",
                                    .rounds = "4"};
    char said[8192];
    int hung = 0;

    (void)state;
    /* Each round may hit a moment that is safe. */
    for (int i = 0; i < 40 && !hung; i++)
        hung = run(&torture, said, sizeof(said));
    assert_int_equal(hung, 1);
    assert_non_null(strstr(said, "hangs"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_rings_leave_each_loop_as_it_is),
        cmocka_unit_test(first_rings_leave_the_hosts_signals_as_they_are),
        cmocka_unit_test(a_ring_in_a_child_of_vfork_makes_no_threads),
        cmocka_unit_test(first_rings_wait_for_an_allocator_inside_the_program),
        cmocka_unit_test(first_rings_wait_for_a_preloaded_allocator),
        cmocka_unit_test(first_rings_of_a_traced_program_stop_it_nowhere),
        cmocka_unit_test(a_first_ring_under_gdb_stops_the_program_nowhere),
        cmocka_unit_test(later_rings_leave_each_loop_as_it_is),
        cmocka_unit_test(without_a_look_at_the_moment_it_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
