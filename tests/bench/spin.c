/*
 * spin.c - an injected host for `stops`: one thread on a processor of its own calls the slot
 * without end and notes the longest time in which it did not come round.
 *
 * A byte on standard input ends a window; the answer is what the window saw.
 */
#include <hotpatch.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "bench.h"
#include "stops.h"

HOTPATCH_FUNCTION(int, answer, (void))
{
    return 0;
}

static _Atomic unsigned window;
static struct window result;
static _Atomic unsigned published;

static void measure_window(unsigned number)
{
    struct window seen = {0};
    struct rusage before, after;
    double last, now;

    getrusage(RUSAGE_THREAD, &before);
    last = now_us();
    while (atomic_load_explicit(&window, memory_order_relaxed) == number) {
        seen.answers |= 1u << answer();
        now = now_us();
        if (now - last > seen.longest)
            seen.longest = now - last;
        last = now;
    }
    getrusage(RUSAGE_THREAD, &after);
    seen.waits = after.ru_nvcsw - before.ru_nvcsw;
    seen.preemptions = after.ru_nivcsw - before.ru_nivcsw;
    result = seen;
    atomic_store_explicit(&published, number + 1, memory_order_release);
}

static void *spin(void *unused)
{
    cpu_set_t last;

    CPU_ZERO(&last);
    CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &last);
    sched_setaffinity(0, sizeof(last), &last);
    for (unsigned number = 0;; number++)
        measure_window(number);
    return unused;
}

int main(void)
{
    pthread_t thread;
    char byte;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (pthread_create(&thread, NULL, spin, NULL) != 0)
        give_up("pthread_create");
    while (read(0, &byte, 1) == 1) {
        unsigned number = atomic_fetch_add(&window, 1);

        while (atomic_load_explicit(&published, memory_order_acquire) != number + 1)
            usleep(100);
        if (write(1, &result, sizeof(result)) != sizeof(result))
            break;
    }
    exit(0);
}
