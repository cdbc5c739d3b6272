/*
 * growth.c - what a host keeps of every load and revert, and whether they take longer and longer. A patch
 * stays mapped after its revert; loaded again, it goes on there. One file, two that alternate, and
 * files that are never the same, each 10,000 times.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "bench.h"

enum { CYCLES = 10000, SETTLE = 200 };

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

/* The processor time of the host so far, us: other programs on the machine do not count. */
static double host_us(pid_t host)
{
    struct timespec now;
    clockid_t clock;

    if (clock_getcpuclockid(host, &clock) != 0 || clock_gettime(clock, &now) != 0)
        give_up("clock_getcpuclockid");
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The path of the patch of that cycle. */
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

static void cycle(struct wire *wire, const char *path)
{
    ask(wire, "load", path);
    ask(wire, "revert", "name=bench-answer");
}

/* The host's processor time for each of `count` cycles, us. */
static double cycles(struct wire *wire, pid_t host, patch_of_cycle *patch, unsigned from,
                     unsigned count)
{
    double begun = host_us(host);

    for (unsigned i = 0; i < count; i++)
        cycle(wire, patch(from + i));
    return (host_us(host) - begun) / count;
}

static void measure(const char *what, patch_of_cycle *patch, double budget, double slower)
{
    static struct wire wire;
    char *argv[] = {(char *)"idle", NULL};
    pid_t host = start_program(built("bench/idle"), argv,
                               environment_with(built("libhotpatch_preload.so"), NULL));
    struct state first, last;
    double early, late = NAN;
    unsigned done = 0;
    char name[80];

    wire_open(&wire, host);
    cycles(&wire, host, patch, 0, SETTLE); /* the engine, both files */
    early = cycles(&wire, host, patch, SETTLE, SETTLE);
    first = look(host);
    while (done < CYCLES) {
        late = cycles(&wire, host, patch, 2 * SETTLE + done, SETTLE);
        done += SETTLE;
    }
    last = look(host);
    snprintf(name, sizeof(name), "memory kept of a load and revert, %s", what);
    row(name, (last.dirty - first.dirty) / done, "kB", budget, "%u cycles; %.3f mappings each",
        done, (last.mappings - first.mappings) / done);
    row("  processor time, the last 200 over the first 200", late / early, "x", slower,
        "%.0f us, over %.0f us", late, early);
    wire_close(&wire);
    end_program(host);
}

int main(void)
{
    measure("one file", one, 0.01, 1.25);
    measure("two in turn", in_turn, 0.01, 1.25);
    measure("never the same", never_the_same, NO_BUDGET, NO_BUDGET);
    return 0;
}
