/* memory.c - what an injected process takes more than one with an empty library: before the first ring, after
 * it, and after a load. smaps_rollup and status of proc(5), the median of several processes. */
#include <signal.h>

#include "bench.h"

enum { PROCESSES = 9 };

static double figure_of(pid_t pid, const char *name, const char *field)
{
    char path[64], line[256];
    double value = NAN;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
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
    struct samples dirty, resident, space; /* kB */
};

static void measure(struct usage *usage, pid_t pid)
{
    sample(&usage->dirty, figure_of(pid, "smaps_rollup", "Private_Dirty"));
    sample(&usage->resident, figure_of(pid, "smaps_rollup", "Rss"));
    sample(&usage->space, figure_of(pid, "status", "VmSize"));
}

static void show(const char *what, struct usage *usage, struct usage *without, double budget)
{
    row(what, median(&usage->dirty) - median(&without->dirty), "kB", budget,
        "private dirty %.0f kB against %.0f kB; resident %+.0f kB; address space %+.0f kB",
        median(&usage->dirty), median(&without->dirty),
        median(&usage->resident) - median(&without->resident),
        median(&usage->space) - median(&without->space));
}

int main(void)
{
    char *argv[] = {(char *)"idle", NULL};
    const char *idle = built("bench/idle");
    char **empty = environment_with(built("bench/libempty.so"), NULL);
    char **injected = environment_with(built("libhotpatch_preload.so"), NULL);
    struct usage without = {0}, before = {0}, rung = {0}, loaded = {0};
    static struct wire wire;

    write_back(built("libhotpatch_preload.so"));
    write_back(built("libhotpatch_engine.so"));
    write_back(idle);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t bare = start_program(idle, argv, empty);
        pid_t host = start_program(idle, argv, injected);

        usleep(50000); /* both have come to rest */
        measure(&without, bare);
        measure(&before, host);
        wire_open(&wire, host);
        ask(&wire, "ping", "");
        usleep(50000);
        measure(&rung, host);
        ask(&wire, "load", built("bench/libanswer1.so"));
        usleep(50000);
        measure(&loaded, host);
        wire_close(&wire);
        end_program(bare);
        end_program(host);
    }
    show("idle memory, private dirty, over empty library", &before, &without, 24);
    show("  after the first ring", &rung, &without, NO_BUDGET);
    show("  with the engine and one patch", &loaded, &without, NO_BUDGET);
    return 0;
}
