/*
 * ring.c - from the first ring of the doorbell to the reply of a load, engine cold, as a shell goes: kill(2), open(2)
 * of the FIFO, which blocks until it is read, write(2). In a host that waits, and in loops. Where one ring makes
 * no thread, a second comes after 100 ms, and is counted.
 */
#include "bench.h"

enum { ROUNDS = 40, AGAIN_MS = 100, GIVE_UP_RINGS = 100 };

static unsigned rings;

static double now_ms(void)
{
    return now_us() / 1000;
}

/* Blocks as open(2) does, and rings again where nothing comes. */
static int open_rung(pid_t pid)
{
    const char *path = in_directory("%d.fifo", (int)pid);
    double next = now_ms();
    unsigned rung = 0;
    int fd;

    while ((fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0) {
        if (now_ms() >= next) {
            if (rung++ == GIVE_UP_RINGS)
                give_up(path);
            kill(pid, SIGRTMIN + 12);
            next = now_ms() + AGAIN_MS;
        }
        usleep(20);
    }
    rings += rung;
    return fd;
}

static double ring_once(const char *way, char *const environment[])
{
    static struct wire wire;
    char *argv[] = {(char *)"spinner", (char *)way, NULL};
    pid_t pid = start_program(built("bench/spinner"), argv, environment);
    const char *fifo = in_directory("%d.fifo", (int)pid);
    double begun, took;

    while (access(fifo, F_OK) != 0)
        usleep(100);
    usleep(5000 + (useconds_t)(rand() % 5000)); /* into the loop, at a random moment of it */
    snprintf(wire.name, sizeof(wire.name), "ring.reply");
    if (mkfifo(in_directory("ring.reply"), 0600) != 0 ||
        (wire.reply = open(in_directory("ring.reply"), O_RDWR | O_CLOEXEC)) < 0)
        give_up("mkfifo");
    begun = now_us();
    wire.fifo = open_rung(pid);
    ask(&wire, "load", built("bench/libanswer1.so"));
    took = now_us() - begun;
    wire_close(&wire);
    end_program(pid);
    return took;
}

int main(void)
{
    static const char *const ways[] = {"pause", "malloc", "getc", "printf", "fork", "qsort"};
    char **environment = environment_with(built("libhotpatch_preload.so"), NULL);

    for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
        struct samples times = {0};
        char what[64];

        rings = 0;
        for (int round = 0; round < ROUNDS; round++)
            sample(&times, ring_once(ways[i], environment));
        snprintf(what, sizeof(what),
                 i == 0 ? "first ring to reply, engine cold" : "  the same, in a loop of %s",
                 ways[i]);
        row(what, median(&times) / 1000, "ms", 3,
            "maximum %.1f ms, fastest %.2f ms; %u rings for %d processes",
            quantile(&times, 1) / 1000, least(&times) / 1000, rings, ROUNDS);
    }
    return 0;
}
