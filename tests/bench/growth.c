/*
 * growth.c - what a host keeps of every load and revert, and whether they take longer and longer. A patch
 * stays mapped after its revert; loaded again, it goes on there. One file, two that alternate, and
 * files that are never the same, each 10,000 times.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "bench.h"

enum { CYCLES = 10000, SETTLE = 200, LIMIT_SECONDS = 60 };

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

/* A name for the patch of that cycle, and time for the load and revert of it, us. */
typedef const char *patch_of_cycle(unsigned number);

static const char *one(unsigned number)
{
    static const char *path;

    (void)number;
    if (!path)
        path = built("bench/libanswer1.so");
    return path;
}

static const char *in_turn(unsigned number)
{
    static const char *other;

    if (!other)
        other = built("bench/libanswer2.so");
    return number % 2 ? other : one(number);
}

/* The same patch with another number behind its end. */
static const char *never_the_same(unsigned number)
{
    static char bytes[1 << 20], path[128];
    static size_t size;
    int fd;

    if (size == 0) {
        snprintf(path, sizeof(path), "%s/growing.so", getenv("HOTPATCH_DIR"));
        fd = open(one(0), O_RDONLY | O_CLOEXEC);
        size = fd < 0 ? 0 : (size_t)read(fd, bytes, sizeof(bytes) - sizeof(number));
        close(fd);
    }
    memcpy(bytes + size, &number, sizeof(number));
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    if (fd < 0 || write(fd, bytes, size + sizeof(number)) != (ssize_t)(size + sizeof(number)))
        give_up(path);
    close(fd);
    return path;
}

static double cycle(struct wire *wire, const char *path)
{
    double begun = now_us();

    ask(wire, "load", path);
    ask(wire, "revert", "name=bench-answer");
    return now_us() - begun;
}

static void measure(const char *what, patch_of_cycle *patch, double budget)
{
    static struct wire wire;
    char *argv[] = {(char *)"idle", NULL};
    pid_t host = start_program(built("bench/idle"), argv,
                               environment_with(built("libhotpatch_preload.so"), NULL));
    struct samples early = {0}, late = {0};
    struct state first, last;
    unsigned done = 0;
    double begun;
    char name[80];

    wire_open(&wire, host);
    for (unsigned i = 0; i < SETTLE; i++)
        sample(&early, cycle(&wire, patch(i)));
    first = look(host);
    begun = now_us();
    while (done < CYCLES && now_us() - begun < LIMIT_SECONDS * 1e6) {
        if (late.count == SETTLE)
            late.count = 0;
        sample(&late, cycle(&wire, patch(SETTLE + done++)));
    }
    last = look(host);
    snprintf(name, sizeof(name), "memory kept of a load and revert, %s", what);
    row(name, (last.dirty - first.dirty) / done, "kB", budget, "%u cycles; %.3f mappings each",
        done, (last.mappings - first.mappings) / done);
    row("  the last 200, over the first 200", median(&late) / median(&early), "x", 1.25,
        "%.0f us, over %.0f us", median(&late), median(&early));
    wire_close(&wire);
    end_program(host);
}

int main(void)
{
    measure("one file", one, 0.01);
    measure("two in turn", in_turn, 0.01);
    measure("never the same", never_the_same, NO_BUDGET);
    return 0;
}
