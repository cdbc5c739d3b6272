/* start.c - what it costs to start and end a tiny process: without a preloaded library, with an
 * empty one, with the shim, and with the shim where the program is excluded; in turn. */
#include <sys/resource.h>

#include "bench.h"

enum { ROUNDS = 1000 };
enum { BARE, EMPTY, SHIM, EXCLUDED, VARIANTS };

struct variant {
    char **environment;
    struct samples elapsed, processor; /* us; by the clock, and on both processors together */
    struct samples faults;             /* of pages: a count, whatever the machine does beside */
};

static void start_once(const char *program, struct variant *variant)
{
    char *argv[] = {(char *)"tiny", NULL};
    double begun = now_us();
    pid_t pid = start_program(program, argv, variant->environment);
    struct rusage used;

    while (wait4(pid, NULL, 0, &used) < 0 && errno == EINTR)
        ;
    sample(&variant->elapsed, now_us() - begun);
    sample(&variant->processor, (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
                                    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec));
    sample(&variant->faults, (double)used.ru_minflt);
}

static void compare(const char *what, struct variant *with, struct variant *empty, double budget,
                    const char *more)
{
    row(what, median(&with->elapsed) - median(&empty->elapsed), "us", budget,
        "%.0f us against %.0f us; fastest tenth %+.0f us; processor time %+.0f us; page faults "
        "%+.0f%s",
        median(&with->elapsed), median(&empty->elapsed),
        quantile(&with->elapsed, 0.1) - quantile(&empty->elapsed, 0.1),
        median(&with->processor) - median(&empty->processor),
        median(&with->faults) - median(&empty->faults), more);
}

int main(void)
{
    const char *shim = built("libhotpatch_preload.so"), *tiny = built("bench/tiny");
    struct variant variants[VARIANTS] = {
        [BARE] = {.environment = environment_with(NULL, NULL)},
        [EMPTY] = {.environment = environment_with(built("bench/libempty.so"), NULL)},
        [SHIM] = {.environment = environment_with(shim, NULL)},
        [EXCLUDED] = {.environment = environment_with(shim, "HOTPATCH_EXCLUDE=*/tiny")},
    };

    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < VARIANTS; i++)
            start_once(tiny, &variants[i]);
    compare("start of an injected process, over empty library", &variants[SHIM], &variants[EMPTY],
            60, "; libpulp +50 us");
    compare("start of an excluded process, over empty library", &variants[EXCLUDED],
            &variants[EMPTY], 10, "");
    compare("  an empty library, over none", &variants[EMPTY], &variants[BARE], NO_BUDGET, "");
    return 0;
}
