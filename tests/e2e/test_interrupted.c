/*
 * test_interrupted.c - the system call that a ring of the doorbell interrupts goes on: no call ends early, none late,
 * and no signal of the host's own is lost.
 *
 * ROUNDS: how many alarms for each call; RINGS: how many rings for each; KILLS: how many of kill(2). The defaults are for CI.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/session/ring.h"
#include "tests/support/harness.h"

#define DOORBELL (SIGRTMIN + 12)

enum { EPOLL_WAIT = 6 }; /* in ENDED */

static int count_of(const char *variable, int otherwise)
{
    const char *text = getenv(variable);

    return text ? atoi(text) : otherwise;
}

/* ---- a program, and what it says ---- */

struct program {
    struct host *host; /* lends its runtime directory */
    pid_t pid;
    int from;
    int calls; /* its /proc/PID/syscall */
};

/* As scripts/run-tests chose: a ring interrupts a call of the host's where the threads exist too. */
static const char *listen_setting(void)
{
    const char *chosen = getenv("HOTPATCH_LISTEN");

    return chosen ? chosen : "first-ring";
}

/* What a sanitizer's runtime is told, NAME=VALUE. */
static char *options(const char *name)
{
    char *text;

    return asprintf(&text, "%s=%s", name, getenv(name) ? getenv(name) : "") < 0 ? NULL : text;
}

static void run_in_child(const struct program *program, char *const argv[])
{
    char preload[512], directory[300], listen[64], path[300];
    char *environment[] = {preload,
                           directory,
                           listen,
                           options("ASAN_OPTIONS"),
                           options("UBSAN_OPTIONS"),
                           options("TSAN_OPTIONS"),
                           NULL};

    snprintf(listen, sizeof(listen), "HOTPATCH_LISTEN=%s", listen_setting());
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", built("libhotpatch_preload.so"));
    snprintf(directory, sizeof(directory), "HOTPATCH_DIR=%s", program->host->directory);
    snprintf(path, sizeof(path), "%s", built("hosts/%s", argv[0]));
    execve(path, argv, environment);
    _exit(127);
}

/* The same under strace, which runs beside the program. */
static void trace_in_child(const struct program *program, char *const argv[], const char *trace)
{
    char preload[512], directory[300], listen[64], path[300];
    char *traced[16] = {"strace", "-D",      "-o", (char *)trace, "-E", preload,
                        "-E",     directory, "-E", listen,        path};
    size_t count = 11;

    snprintf(listen, sizeof(listen), "HOTPATCH_LISTEN=%s", listen_setting());
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", built("libhotpatch_preload.so"));
    snprintf(directory, sizeof(directory), "HOTPATCH_DIR=%s", program->host->directory);
    snprintf(path, sizeof(path), "%s", built("hosts/%s", argv[0]));
    for (size_t i = 1; argv[i]; i++)
        traced[count++] = argv[i];
    execvp("strace", traced);
    _exit(127);
}

/* `trace`: a file for what strace writes; NULL: without. */
static struct program start_traced(struct host *host, char *const argv[], const char *trace)
{
    struct program program = {.host = host};
    char path[64], word[8] = "";
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    program.pid = fork();
    if (program.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        if (trace)
            trace_in_child(&program, argv, trace);
        run_in_child(&program, argv);
    }
    close(ends[1]);
    program.from = ends[0];
    snprintf(path, sizeof(path), "/proc/%d/syscall", (int)program.pid);
    program.calls = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(program.calls >= 0);
    assert_int_equal(read(program.from, word, 6), 6);
    assert_string_equal(word, "ready\n");
    return program;
}

static struct program start(struct host *host, char *const argv[])
{
    return start_traced(host, argv, NULL);
}

static void stop(struct program *program)
{
    kill(program->pid, SIGKILL);
    waitpid(program->pid, NULL, 0);
    close(program->from);
    close(program->calls);
}

static void ring_once(const struct program *program)
{
    assert_int_equal(syscall(SYS_tgkill, program->pid, program->pid, DOORBELL), 0);
}

/* What its main thread waits in: a number, and the stack pointer; false: it runs. */
static bool waits_in(const struct program *program, long *number, unsigned long *stack)
{
    char text[256] = "", *space;

    if (pread(program->calls, text, sizeof(text) - 1, 0) <= 0 || text[0] < '0' || text[0] > '9')
        return false;
    *number = strtol(text, NULL, 10);
    space = strrchr(text, ' ');
    assert_non_null(space);
    *space = '\0';
    space = strrchr(text, ' ');
    assert_non_null(space);
    *stack = strtoul(space, NULL, 16);
    return true;
}

/* ---- alarms ---- */

struct ended {
    const char *call;
    long numbers[2]; /* as the kernel shows it, and as restart_syscall(2) */
};

static const struct ended ENDED[] = {
    {"read", {SYS_read, -1}},
    {"pause", {SYS_pause, -1}},
    {"nanosleep", {SYS_clock_nanosleep, SYS_restart_syscall}},
    {"poll", {SYS_poll, SYS_restart_syscall}},
    {"ppoll", {SYS_ppoll, -1}},
    {"select", {SYS_pselect6, SYS_select}},
    {"epoll_wait", {SYS_epoll_wait, -1}},
    {"sigsuspend", {SYS_rt_sigsuspend, -1}},
    {"sem_wait", {SYS_futex, -1}},
    {"waitpid", {SYS_wait4, -1}},
    {"syscall", {SYS_read, -1}},
};

static unsigned long await_call(const struct program *program, const struct ended *ended)
{
    unsigned long stack = 0;
    long number = -1;

    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;

    while (!waits_in(program, &number, &stack) ||
           (number != ended->numbers[0] && number != ended->numbers[1])) {
        if (ms_until(deadline) == 0)
            fail_msg("process %d does not come to %s", (int)program->pid, ended->call);
        sched_yield();
    }
    return stack;
}

static void spin(long ns)
{
    struct timespec from, now;

    clock_gettime(CLOCK_MONOTONIC, &from);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - from.tv_sec) * 1000000000 + now.tv_nsec - from.tv_nsec < ns);
}

/* Of these a ring in the moment in which the handler of the alarm returns lets the call go on, as
 * libhotpatch_preload(7) says. */
static bool is_known_to_go_on(const struct ended *ended)
{
    static const long numbers[] = {SYS_pause, SYS_ppoll, SYS_pselect6, SYS_epoll_wait,
                                   SYS_rt_sigsuspend};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (ended->numbers[0] == numbers[i])
            return true;
    return false;
}

/* A signal and a ring, up to a millisecond apart, mostly the ring first and close by. */
static void ring_and_alarm(const struct program *program, const struct ended *ended, unsigned *seed)
{
    long apart = rand_r(seed) % 2 ? rand_r(seed) % 60000 : rand_r(seed) % 1000000;

    if (rand_r(seed) % 8 == 0 && !is_known_to_go_on(ended)) {
        assert_int_equal(kill(program->pid, SIGALRM), 0);
        spin(apart);
        ring_once(program);
    } else {
        ring_once(program);
        spin(apart);
        assert_int_equal(kill(program->pid, SIGALRM), 0);
    }
}

static void await_dot(const struct program *program, const struct ended *ended, int round)
{
    struct pollfd wait = {program->from, POLLIN, 0};
    char word[128] = "";

    if (poll(&wait, 1, HARNESS_TIMEOUT_MS) != 1)
        fail_msg("%s: alarm %d is lost", ended->call, round);
    assert_true(read(program->from, word, sizeof(word) - 1) > 0);
    assert_string_equal(word, ".");
}

static void no_alarm_is_lost_that_comes_with_a_ring(void **state)
{
    struct host *host = host_start("host", NULL);
    int rounds = count_of("ROUNDS", 300);
    unsigned seed = (unsigned)getpid();

    (void)state;
    for (size_t i = 0; i < sizeof(ENDED) / sizeof(*ENDED); i++) {
        char *argv[] = {"alarms", (char *)ENDED[i].call, NULL};
        struct program program = start(host, argv);

        for (int round = 0; round < rounds; round++) {
            await_call(&program, &ENDED[i]);
            ring_and_alarm(&program, &ENDED[i], &seed);
            await_dot(&program, &ENDED[i], round);
        }
        stop(&program);
    }
    host_stop(host);
}

/* A ring during the call, and another that pends until the handler of the alarm has returned. */
static void no_alarm_is_lost_whose_handler_is_followed_by_a_ring(void **state)
{
    struct host *host = host_start("host", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(ENDED) / sizeof(*ENDED); i++) {
        char *argv[] = {"alarms", (char *)ENDED[i].call, "rings", NULL};
        struct program program = start(host, argv);

        for (int round = 0; round < 20; round++) {
            unsigned long stack = await_call(&program, &ENDED[i]);

            ring_once(&program);
            AWAIT(await_call(&program, &ENDED[i]) != stack, "the handler of the ring");
            assert_int_equal(kill(program.pid, SIGALRM), 0);
            await_dot(&program, &ENDED[i], round);
        }
        stop(&program);
    }
    host_stop(host);
}

/* However often it rings while the call waits. */
static void a_call_that_goes_on_holds_one_frame_of_the_handler(void **state)
{
    struct host *host = host_start("host", NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(ENDED) / sizeof(*ENDED); i++) {
        char *argv[] = {"alarms", (char *)ENDED[i].call, NULL};
        struct program program = start(host, argv);
        unsigned long stack;

        await_call(&program, &ENDED[i]);
        ring_once(&program);
        ring_once(&program); /* the first one makes threads */
        stack = await_call(&program, &ENDED[i]);
        for (int n = 0; n < 30; n++)
            ring_once(&program);
        assert_true(stack - await_call(&program, &ENDED[i]) <= 16384);
        stop(&program);
    }
    host_stop(host);
}

/* ---- rings of the process ---- */

/* kill(2) wakes one thread; if the listener took such a ring, epoll_wait(2) of the main thread would end and no
 * handler have run. */
static void rings_of_the_process_end_no_call(void **state)
{
    struct host *host = host_start("host", NULL);
    char *argv[] = {"alarms", "epoll_wait", NULL};
    struct program program = start(host, argv);
    struct pollfd said = {program.from, POLLIN, 0};
    unsigned seed = (unsigned)getpid();

    (void)state;
    for (int n = count_of("KILLS", 5000); n > 0; n--) {
        assert_int_equal(kill(program.pid, DOORBELL), 0);
        if (rand_r(&seed) % 2)
            spin(rand_r(&seed) % 200000);
    }
    await_call(&program, &ENDED[EPOLL_WAIT]);
    assert_int_equal(poll(&said, 1, 0), 0);
    stop(&program);
    host_stop(host);
}

/* ---- calls that nothing else ends ---- */

/* The rings come until the program ends: a call that is repeated whole would not end under them. */
static void ring_while_it_waits(struct program *program, int rings)
{
    struct timespec apart = {0, 2000000};
    char said[128];
    ssize_t got;
    int status = 0;

    for (int i = 0; i < rings; i++) {
        ring_once(program);
        nanosleep(&apart, NULL);
    }
    await_input(program->from, "the end of the call");
    got = read(program->from, said, sizeof(said) - 1);
    said[got > 0 ? got : 0] = '\0';
    status = await_end(program->pid);
    close(program->from);
    close(program->calls);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("status 0x%x: %s", (unsigned)status, said);
    assert_string_equal(said, "done\n");
}

static const char *const WAITS[] = {
    "poll",
    "ppoll",
    "select",
    "pselect",
    "epoll_wait",
    "epoll_pwait",
    "epoll_pwait2",
    "nanosleep",
    "usleep",
    "clock_nanosleep",
    "absolute",
    "sigtimedwait",
    "semtimedop",
    "recv",
    "futex",
    "sem_timedwait",
    "waitpid",
    "read",
    "msgrcv",
    "accept",
    "connect",
    "flock",
    "cond_timedwait",
    "sleep",
    "raw_select",
    "syscall_poll",
    "syscall_epoll_wait",
    "io_getevents",
};

static void a_call_that_rings_interrupt_goes_on(void **state)
{
    struct host *host = host_start("host", NULL);
    int rings = count_of("RINGS", 20);

    (void)state;
    for (size_t i = 0; i < sizeof(WAITS) / sizeof(*WAITS); i++) {
        char ms[16], *argv[] = {"waits", (char *)WAITS[i], "1", ms, NULL};
        struct program program;

        snprintf(ms, sizeof(ms), "%d", rings * 2 + 20);
        program = start(host, argv);
        ring_while_it_waits(&program, rings);
    }
    host_stop(host);
}

static void a_call_that_the_first_ring_interrupts_goes_on(void **state)
{
    struct host *host = host_start("host", NULL);
    int rings = count_of("RINGS", 20) / 10;

    (void)state;
    for (size_t i = 0; i < sizeof(WAITS) / sizeof(*WAITS); i++) {
        char *argv[] = {"waits", (char *)WAITS[i], "1", "20", NULL};

        for (int n = 0; n < rings; n++) {
            struct program program = start(host, argv);

            ring_while_it_waits(&program, 1);
        }
    }
    host_stop(host);
}

/* ---- for how long, as the kernel was asked ---- */

enum how { RESTARTED, SHRINKING, WHOLE };

static const struct timed {
    struct ended call; /* and as `waits` names it */
    const char *shown; /* by strace */
    enum how how;
} TIMED[] = {
    {{"nanosleep", {SYS_clock_nanosleep, SYS_restart_syscall}}, "clock_nanosleep(", RESTARTED},
    {{"poll", {SYS_poll, SYS_restart_syscall}}, "poll(", RESTARTED},
    {{"futex", {SYS_futex, SYS_restart_syscall}}, "futex(", RESTARTED},
    {{"sem_timedwait", {SYS_futex, SYS_restart_syscall}}, "futex(", RESTARTED},
    {{"ppoll", {SYS_ppoll, -1}}, "ppoll(", SHRINKING},
    {{"pselect", {SYS_pselect6, -1}}, "pselect6(", SHRINKING},
    {{"select", {SYS_pselect6, -1}}, "pselect6(", SHRINKING},
    {{"epoll_wait", {SYS_epoll_wait, -1}}, "epoll_wait(", WHOLE},
    {{"semtimedop", {SYS_semtimedop, -1}}, "semtimedop(", WHOLE},
};

/* The host's own call is the first one; a futex(2) at another address is a lock of a library, not the call that waits. */
static bool is_same_call(const char *line, const char *first)
{
    return strncmp(line, first, strcspn(first, ",") + 1) == 0;
}

/* The calls after `ready`, in order: how many, how many restarts, and whether each is for less than the last. */
static void check_trace(const struct timed *timed, const char *trace, int rings)
{
    char *text = file_text(trace), *line, *rest, *at, *first = NULL;
    int calls = 0, restarts = 0;
    long last = 1000000000;

    line = strstr(text, "\"ready\\n\"");
    assert_non_null(line);
    for (line = strtok_r(line, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        restarts += strncmp(line, "restart_syscall(", 16) == 0;
        /* The library's own locks, at the end, have no clock of the host's. */
        if (strncmp(line, timed->shown, strlen(timed->shown)) != 0 || strstr(line, "_PRIVATE, "))
            continue;
        first = first ? first : line;
        if (!is_same_call(line, first))
            continue;
        calls++;
        at = strstr(line, "tv_nsec=");
        if (timed->how == SHRINKING) {
            assert_non_null(at);
            assert_true(strtol(at + 8, NULL, 10) < last);
            last = strtol(at + 8, NULL, 10);
        } else if (timed->how == WHOLE && at) {
            assert_int_equal(strtol(at + 8, NULL, 10), 300000000);
        }
    }
    free(text);
    /* Two rings may come as one. */
    if (timed->how == RESTARTED ? calls != 1 || restarts < 1 || restarts > rings
                                : calls < 2 || calls > rings + 1)
        fail_msg("%s: %d calls, %d restarts:\n%s", timed->call.call, calls, restarts,
                 file_text(trace));
}

static void no_timeout_begins_anew(void **state)
{
    struct host *host = host_start("host", NULL);
    enum { COUNT = 10 };

    (void)state;
    need_program("strace");
    for (size_t i = 0; i < sizeof(TIMED) / sizeof(*TIMED); i++) {
        char *argv[] = {"waits", (char *)TIMED[i].call.call, "1", "300", NULL}, trace[300];
        struct program program;

        snprintf(trace, sizeof(trace), "%s", host_path(host, TIMED[i].call.call));
        program = start_traced(host, argv, trace);
        await_call(&program, &TIMED[i].call);
        ring_while_it_waits(&program, COUNT);
        check_trace(&TIMED[i], trace, COUNT);
    }
    host_stop(host);
}

/* The kernel would begin the timeout of these again: the command makes the first ring later. */
static void the_first_ring_is_put_off_in_a_call_whose_timeout_would_begin_again(void **state)
{
    static const struct {
        struct ended call;
        bool later;
    } calls[] = {
        {{"epoll_wait", {SYS_epoll_wait, -1}}, true},
        {{"epoll_pwait", {SYS_epoll_pwait, SYS_epoll_wait}}, true},
        {{"epoll_pwait2", {441, -1}}, true},
        {{"semtimedop", {SYS_semtimedop, -1}}, true},
        {{"poll", {SYS_poll, -1}}, false},
        {{"ppoll", {SYS_ppoll, -1}}, false},
        {{"nanosleep", {SYS_clock_nanosleep, -1}}, false},
        {{"read", {SYS_read, -1}}, false},
    };
    struct host *host = host_start("host", NULL);
    char *chosen = strdup(listen_setting());

    (void)state;
    setenv("HOTPATCH_LISTEN", "first-ring", 1);
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        char *argv[] = {"waits", (char *)calls[i].call.call, "1", "100000", NULL};
        struct program program = start(host, argv);
        struct refusal why = {0};
        struct process process;

        await_call(&program, &calls[i].call);
        assert_int_equal(process_open(program.pid, &process, &why), 0);
        if (ring_later(&process, DOORBELL) != calls[i].later)
            fail_msg("%s", calls[i].call.call);
        process_close(&process);
        stop(&program);
    }
    setenv("HOTPATCH_LISTEN", chosen, 1);
    free(chosen);
    host_stop(host);
}

/* ---- calls that have moved bytes ---- */

static void a_call_that_had_moved_bytes_moves_all(void **state)
{
    static const char *const calls[] = {"write",    "syscall", "writev",    "send",    "sendmsg",
                                        "sendfile", "recv",    "getrandom", "urandom", "zero"};
    struct host *host = host_start("host", NULL);
    int rings = count_of("RINGS", 20);

    (void)state;
    for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
        char *argv[] = {"moves", (char *)calls[i], NULL};
        struct program program = start(host, argv);

        ring_while_it_waits(&program, rings);
    }
    host_stop(host);
}

/* ---- a handler that another library calls ---- */

/* TSan has handlers of its own, and calls the program's later, with a copy of what the kernel said. */
static void no_input_of_a_program_with_tsan_is_lost(void **state)
{
    static const char *const settings[] = {"HOTPATCH_LISTEN=start", "HOTPATCH_LISTEN=first-ring"};
    char directory[] = "/tmp/hotpatch-tsan-XXXXXX", command[768], program[64];
    int before = personality(0xffffffff);

    (void)state;
    if (sanitized())
        skip(); /* the shim is the one that others use */
    assert_non_null(mkdtemp(directory));
    snprintf(program, sizeof(program), "%s/host", directory);
    snprintf(command, sizeof(command),
             "gcc -std=gnu11 -D_GNU_SOURCE -g -fsanitize=thread -I%s -o %s %s -ldl -pthread",
             source_file("include"), program, source_file("tests/hosts/host.c"));
    assert_int_equal(system(command), 0);
    /* TSan of gcc 12 refuses the mappings of kernels with 32 random bits. */
    personality((unsigned long)before | ADDR_NO_RANDOMIZE);
    for (size_t i = 0; i < 2; i++) {
        struct host *host = host_start(program, (const char *[]){settings[i], NULL});

        for (int n = 0; n < 100; n++) {
            assert_int_equal(syscall(SYS_tgkill, host->pid, host->pid, DOORBELL), 0);
            if (n % 2)
                usleep(1000);
            host_expect(host, "answer", "1");
        }
        assert_string_equal(host_log(host), "");
        host_stop(host);
    }
    personality((unsigned long)before);
    unlink(program);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_alarm_is_lost_that_comes_with_a_ring),
        cmocka_unit_test(no_alarm_is_lost_whose_handler_is_followed_by_a_ring),
        cmocka_unit_test(a_call_that_goes_on_holds_one_frame_of_the_handler),
        cmocka_unit_test(rings_of_the_process_end_no_call),
        cmocka_unit_test(a_call_that_rings_interrupt_goes_on),
        cmocka_unit_test(a_call_that_the_first_ring_interrupts_goes_on),
        cmocka_unit_test(no_timeout_begins_anew),
        cmocka_unit_test(the_first_ring_is_put_off_in_a_call_whose_timeout_would_begin_again),
        cmocka_unit_test(a_call_that_had_moved_bytes_moves_all),
        cmocka_unit_test(no_input_of_a_program_with_tsan_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
