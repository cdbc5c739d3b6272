/*
 * stops.c - is any thread of the host stopped by a switch, when=call?
 *
 * A thread that calls the slot without end tells how often it waited and the longest time it was
 * away; windows with 50 switches and windows of the same length without any, in turn.
 */
#include <sched.h>

#include "bench.h"
#include "stops.h"

enum { WINDOWS = 20, SWITCHES = 50 };

static struct {
    pid_t pid;
    int to, from;
} host;

static void start_host(void)
{
    char *argv[] = {(char *)"spin", NULL};
    char **environment = environment_with(built("libhotpatch_preload.so"), NULL);
    posix_spawn_file_actions_t actions;
    int to[2], from[2];

    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        give_up("pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    errno = posix_spawn(&host.pid, built("bench/spin"), &actions, NULL, argv, environment);
    if (errno != 0)
        give_up("posix_spawn");
    host.to = to[1];
    host.from = from[0];
}

static struct window end_window(void)
{
    struct window window;

    if (write(host.to, "", 1) != 1 || read(host.from, &window, sizeof(window)) != sizeof(window))
        give_up("the host");
    return window;
}

static void use_first_processor(void)
{
    cpu_set_t first;

    CPU_ZERO(&first);
    CPU_SET(0, &first);
    sched_setaffinity(0, sizeof(first), &first);
}

int main(void)
{
    static struct wire wire;
    const char *versions[2] = {built("bench/libanswer1.so"), built("bench/libanswer2.so")};
    struct samples quiet = {0}, switching = {0};
    long waits = 0, preemptions = 0;
    unsigned answers = 0;

    use_first_processor(); /* the host and all its threads but the spinning one stay there too */
    start_host();
    wire_open(&wire, host.pid);
    ask(&wire, "load", versions[0]);
    end_window();
    for (int i = 0; i < WINDOWS; i++) {
        double begun = now_us();
        struct window window;

        for (int n = 0; n < SWITCHES; n++)
            ask(&wire, "load", versions[(n + 1) % 2]);
        window = end_window();
        waits += window.waits;
        preemptions += window.preemptions;
        answers |= window.answers;
        sample(&switching, window.longest);
        usleep((useconds_t)(now_us() - begun));
        sample(&quiet, end_window().longest);
    }
    if (answers != 6)
        fprintf(stderr, "stops: the spinning thread saw answers %#x, not those of 1 and 2\n",
                answers);
    row("times a host thread was made to wait, 1,000 switches", (double)waits, "", 0,
        "when=call; voluntary context switches of a spinning thread (preempted %ld times)",
        preemptions);
    row("  longest pause of it in 50 switches", median(&switching), "us", NO_BUDGET,
        "median of %d windows; %.2f us in windows without a switch; libpulp stops for 1,600 us",
        WINDOWS, median(&quiet));
    wire_close(&wire);
    end_program(host.pid);
    return 0;
}
