/*
 * growth.c - what a host keeps of every load and revert: a patch stays mapped after its revert,
 * unless it is asked to go. Private memory, mappings and descriptors per cycle.
 */
#include <dirent.h>

#include "bench.h"

enum { CYCLES = 10000, SETTLE = 200, LIMIT_SECONDS = 40 };

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

static double count_lines(pid_t pid)
{
    char path[64];
    double lines = 0;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    file = fopen(path, "re");
    if (!file)
        give_up(path);
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

struct state {
    double dirty, mappings;
};

static struct state look(pid_t pid)
{
    return (struct state){rollup(pid, "Private_Dirty"), count_lines(pid)};
}

static double cycle(struct wire *wire, unsigned number)
{
    const char *versions[2] = {"bench/libanswer1.so", "bench/libanswer2.so"};
    static const char *paths[2];
    double begun = now_us();

    if (!paths[number % 2])
        paths[number % 2] = built(versions[number % 2]);
    ask(wire, "load", paths[number % 2]);
    ask(wire, "revert", "name=bench-answer");
    return now_us() - begun;
}

int main(void)
{
    static struct wire wire;
    char *argv[] = {(char *)"idle", NULL};
    pid_t host = start_program(built("bench/idle"), argv,
                               environment_with(built("libhotpatch_preload.so"), NULL));
    struct samples early = {0}, late = {0};
    struct state first, last;
    unsigned done = 0;
    double begun;

    wire_open(&wire, host);
    for (unsigned i = 0; i < SETTLE; i++)
        sample(&early, cycle(&wire, i));
    first = look(host);
    begun = now_us();
    while (done < CYCLES && now_us() - begun < LIMIT_SECONDS * 1e6) {
        if (late.count == SETTLE)
            late.count = 0;
        sample(&late, cycle(&wire, done++));
    }
    last = look(host);
    row("memory kept of a load and revert, private dirty", (last.dirty - first.dirty) / done, "kB",
        NO_BUDGET, "%u cycles; %.2f mappings each; libpulp 0.35 kB with unloading", done,
        (last.mappings - first.mappings) / done);
    row("  a load and revert, the last 200", median(&late), "us", NO_BUDGET,
        "the first 200: %.0f us", median(&early));
    wire_close(&wire);
    end_program(host);
    return 0;
}
