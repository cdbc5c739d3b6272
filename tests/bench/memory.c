/* memory.c - what an idle injected process takes more than one with an empty library, and with
 * the engine loaded: smaps_rollup of proc(5), the median of several processes. */
#include <signal.h>

#include "bench.h"

enum { PROCESSES = 9 };

static double rollup(pid_t pid, const char *field)
{
    char path[64], line[256];
    double value = NAN;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    file = fopen(path, "re");
    if (!file)
        give_up(path);
    while (fgets(line, sizeof(line), file))
        if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
            value = strtod(line + strlen(field) + 1, NULL);
    fclose(file);
    return value;
}

/* Text of a file that has just been linked counts as dirty until the disk has it. */
static void write_back(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0)
        give_up(path);
    close(fd);
}

struct usage {
    struct samples dirty, resident;
};

static void measure(struct usage *usage, pid_t pid)
{
    sample(&usage->dirty, rollup(pid, "Private_Dirty"));
    sample(&usage->resident, rollup(pid, "Rss"));
}

int main(void)
{
    char *argv[] = {(char *)"idle", NULL};
    const char *idle = built("bench/idle");
    char **empty = environment_with(built("bench/libempty.so"), NULL);
    char **injected = environment_with(built("libhotpatch_preload.so"), NULL);
    struct usage without = {0}, shim = {0}, engine = {0};
    static struct wire wire;

    write_back(built("libhotpatch_preload.so"));
    write_back(built("libhotpatch_engine.so"));
    write_back(idle);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t bare = start_program(idle, argv, empty);
        pid_t host = start_program(idle, argv, injected);

        wire_open(&wire, host);
        usleep(50000); /* both have come to rest */
        measure(&without, bare);
        measure(&shim, host);
        ask(&wire, "load", built("bench/libanswer1.so"));
        usleep(50000);
        measure(&engine, host);
        wire_close(&wire);
        end_program(bare);
        end_program(host);
    }
    row("idle memory, private dirty, over empty library",
        median(&shim.dirty) - median(&without.dirty), "kB", 80,
        "%.0f kB against %.0f kB; libpulp +32 kB", median(&shim.dirty), median(&without.dirty));
    row("  the same, resident", median(&shim.resident) - median(&without.resident), "kB", NO_BUDGET,
        "%.0f kB against %.0f kB; libpulp +224 kB", median(&shim.resident),
        median(&without.resident));
    row("  private dirty with the engine and one patch",
        median(&engine.dirty) - median(&without.dirty), "kB", NO_BUDGET, "resident +%.0f kB",
        median(&engine.resident) - median(&without.resident));
    return 0;
}
