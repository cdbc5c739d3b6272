/* start.c - what it costs to start and end a tiny process: without a preloaded library, with an
 * empty one, with the shim, and with the shim where the program is excluded; in turn. */
#include "bench.h"

enum { ROUNDS = 1000 };
enum { BARE, EMPTY, SHIM, EXCLUDED, VARIANTS };

static double start_once(const char *program, char *const environment[])
{
    char *argv[] = {(char *)"tiny", NULL};
    double begun = now_us();
    pid_t pid = start_program(program, argv, environment);

    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return now_us() - begun;
}

int main(void)
{
    const char *shim = built("libhotpatch_preload.so"), *tiny = built("bench/tiny");
    char **environments[VARIANTS] = {
        environment_with(NULL, NULL),
        environment_with(built("bench/libempty.so"), NULL),
        environment_with(shim, NULL),
        environment_with(shim, "HOTPATCH_EXCLUDE=*/tiny"),
    };
    struct samples times[VARIANTS] = {{0}};
    double typical[VARIANTS];

    for (int round = 0; round < ROUNDS; round++)
        for (int i = 0; i < VARIANTS; i++)
            sample(&times[i], start_once(tiny, environments[i]));
    for (int i = 0; i < VARIANTS; i++)
        typical[i] = median(&times[i]);
    row("start of an injected process, over empty library", typical[SHIM] - typical[EMPTY], "us",
        100, "%.0f us against %.0f us (no library: %.0f us); libpulp +50 us", typical[SHIM],
        typical[EMPTY], typical[BARE]);
    row("start of an excluded process, over empty library", typical[EXCLUDED] - typical[EMPTY],
        "us", 10, "%.0f us against %.0f us", typical[EXCLUDED], typical[EMPTY]);
    return 0;
}
