/*
 * calls.c - what a call costs: of a function directly, through the PLT, through a declared slot,
 * through an import slot; the last two before and after a patch. The function is labs(3), or what
 * the compiler makes of the same line; each call waits for the value of the one before.
 *
 * Starts itself again, injected, and patches itself through its own FIFO.
 */
#include <hotpatch.h>

#include "bench.h"

enum { TIMES = 500, CALLS = 200000 }; /* the fastest counts: short runs miss interruptions */

HOTPATCH_FUNCTION(long, absolute, (long x))
{
    return x < 0 ? -x : x;
}

__attribute__((noinline)) static long direct(long x)
{
    return x < 0 ? -x : x;
}

/* Under a name that the compiler does not know, or it would not be called at all. */
extern long imported(long x) __asm__("labs");

#define TIME_CALLS(function)                              \
    static double time_##function(void)                   \
    {                                                     \
        long value = 1;                                   \
        double begun = now_us();                          \
                                                          \
        for (int i = 0; i < CALLS; i++)                   \
            value = function(value);                      \
        __asm__ volatile("" : : "r"(value));              \
        return (now_us() - begun) * 1000 / (double)CALLS; \
    }

/* The replacement itself, through a pointer that the compiler cannot see through. */
static long (*volatile live)(long x) = direct;

static double time_live(void)
{
    long (*function)(long x) = live;
    long value = 1;
    double begun = now_us();

    for (int i = 0; i < CALLS; i++)
        value = function(value);
    __asm__ volatile("" : : "r"(value));
    return (now_us() - begun) * 1000 / (double)CALLS;
}

TIME_CALLS(direct)
TIME_CALLS(absolute)
TIME_CALLS(imported)

struct figures {
    double direct, slot, import, live;
};

static struct figures measure(void)
{
    struct samples times[4] = {{0}};

    for (int i = 0; i < TIMES; i++) {
        sample(&times[0], time_direct());
        sample(&times[1], time_absolute());
        sample(&times[2], time_imported());
        sample(&times[3], time_live());
    }
    return (struct figures){least(&times[0]), least(&times[1]), least(&times[2]), least(&times[3])};
}

int main(int argc, char **argv)
{
    static struct wire wire;
    char *again[] = {argv[0], (char *)"injected", NULL};
    struct figures before, after;

    if (argc == 1) {
        execve("/proc/self/exe", again, environment_with(built("libhotpatch_preload.so"), NULL));
        give_up("execve");
    }
    before = measure();
    wire_open(&wire, getpid());
    ask(&wire, "load", built("bench/libcalls.so"));
    wire_close(&wire);
    if (!HOTPATCH_BOUND(absolute))
        give_up("the slot was not switched");
    live = HOTPATCH_CAST(long (*)(long), HOTPATCH_SLOT(absolute)->target);
    after = measure();
    row("call through a declared slot, over a direct call", before.slot - before.direct, "ns", 0.5,
        "%.2f ns against %.2f ns; through the PLT %.2f ns; libpulp +0.3 to 0.55 ns", before.slot,
        before.direct, before.import);
    /* The patch lies where ld.so puts libraries, and a call over more than 4 GiB is dearer. */
    row("  the same, patched, over calling the replacement", after.slot - after.live, "ns", 0.5,
        "%.2f ns against %.2f ns", after.slot, after.live);
    /* Nothing is added to the call: 0.1 ns is what two equal loops may differ by. */
    row("call of an import after a switch, over before", after.import - before.import, "ns", 0.1,
        "%.2f ns against %.2f ns; budget: +0, judged at 0.1", after.import, before.import);
    return 0;
}
