/*
 * bench.h - clock, medians, child processes and table rows, for the programs that `run` starts.
 *
 * `run` gives every program HOTPATCH_BUILD, the absolute build directory, and HOTPATCH_DIR, a
 * directory of its own. A program measures and prints; it judges nothing but "within the budget".
 */
#ifndef BENCH_H
#define BENCH_H

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NO_BUDGET NAN /* the row states a figure, and that is all */

extern char **environ;

static inline double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

__attribute__((noreturn)) static inline void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- samples ---- */

struct samples {
    double *values;
    size_t count, capacity;
};

static inline void sample(struct samples *samples, double value)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity ? samples->capacity * 2 : 256;
        samples->values = realloc(samples->values, samples->capacity * sizeof(*samples->values));
        if (!samples->values)
            give_up("realloc");
    }
    samples->values[samples->count++] = value;
}

static inline int ascending(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

/* The value below which `part` of the samples lie; sorts them. */
static inline double quantile(struct samples *samples, double part)
{
    size_t index = (size_t)(part * (double)samples->count);

    if (samples->count == 0)
        return NAN;
    qsort(samples->values, samples->count, sizeof(*samples->values), ascending);
    return samples->values[index < samples->count ? index : samples->count - 1];
}

static inline double median(struct samples *samples)
{
    return quantile(samples, 0.5);
}

static inline double least(struct samples *samples)
{
    return quantile(samples, 0);
}

/* ---- rows ---- */

/* what | measured | budget | ok or over | how it came about, as printf. */
static inline void row(const char *what, double measured, const char *unit, double budget,
                       const char *format, ...) __attribute__((format(printf, 5, 6)));

static inline void figure(char text[32], double value, const char *unit)
{
    int digits = fabs(value) >= 100 ? 0 : fabs(value) >= 10 ? 1 : 2;

    snprintf(text, 32, "%.*f %s", digits, fabs(value) < 0.005 ? 0 : value, unit);
}

static inline void row(const char *what, double measured, const char *unit, double budget,
                       const char *format, ...)
{
    char value[32], limit[32] = "stated";
    va_list arguments;

    figure(value, measured, unit);
    if (!isnan(budget))
        figure(limit, budget, unit);
    printf("%-52s %12s %12s  %-5s ", what, value, limit,
           isnan(budget)        ? ""
           : measured <= budget ? "ok"
                                : "over");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

/* The budget "1.00": the factor that two runs with an empty library differ by, or a fiftieth. */
static inline double as_without(double empty, double again)
{
    double noise = fabs(again / empty - 1);

    return 1 + (noise > 0.02 ? noise : 0.02);
}

/* ---- processes ---- */

static inline const char *built(const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", getenv("HOTPATCH_BUILD"), name) < 0)
        give_up("asprintf");
    return path;
}

static inline const char *in_directory(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* A path in HOTPATCH_DIR; good until four calls later. */
static inline const char *in_directory(const char *format, ...)
{
    static char paths[4][4096];
    static unsigned next;
    char *path = paths[next++ % 4];
    va_list arguments;
    int length = snprintf(path, sizeof(paths[0]), "%s/", getenv("HOTPATCH_DIR"));

    va_start(arguments, format);
    vsnprintf(path + length, sizeof(paths[0]) - (size_t)length, format, arguments);
    va_end(arguments);
    return path;
}

/* This environment with LD_PRELOAD=`library` (NULL: without) and one more NAME=VALUE or NULL. */
static inline char **environment_with(const char *library, const char *more)
{
    size_t count = 0, kept = 0;
    char **made, *preload;

    while (environ[count])
        count++;
    made = calloc(count + 3, sizeof(*made));
    if (!made || asprintf(&preload, "LD_PRELOAD=%s", library ? library : "") < 0)
        give_up("environment");
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "LD_PRELOAD=", 11) != 0)
            made[kept++] = environ[i];
    if (library)
        made[kept++] = preload;
    if (more)
        made[kept++] = strdup(more);
    return made;
}

static inline pid_t start_program(const char *path, char *const argv[], char *const environment[])
{
    pid_t pid;
    int result = posix_spawn(&pid, path, NULL, NULL, argv, environment);

    if (result != 0) {
        errno = result;
        give_up(path);
    }
    return pid;
}

static inline void end_program(pid_t pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* The process's FIFO, opened for writing as soon as somebody listens; the first ring makes the threads. */
static inline int open_fifo(pid_t pid)
{
    for (int tries = 0; tries < 5000; tries++) {
        int fd = open(in_directory("%d.fifo", (int)pid), O_WRONLY | O_NONBLOCK | O_CLOEXEC);

        if (fd >= 0)
            return fd;
        if (errno == ENXIO && tries % 20 == 0)
            syscall(SYS_kill, pid, SIGRTMIN + 12);
        usleep(1000);
    }
    give_up("no FIFO of the injected process");
}

/* ---- requests ---- */

struct wire {
    int fifo, reply;
    char name[64];
    char text[1 << 20]; /* the newest reply */
};

static inline void wire_open(struct wire *wire, pid_t pid)
{
    snprintf(wire->name, sizeof(wire->name), "bench%d.reply", (int)getpid());
    wire->fifo = open_fifo(pid);
    unlink(in_directory("%s", wire->name));
    if (mkfifo(in_directory("%s", wire->name), 0600) != 0)
        give_up("mkfifo");
    wire->reply = open(in_directory("%s", wire->name), O_RDWR | O_CLOEXEC);
    if (wire->reply < 0)
        give_up(wire->name);
}

static inline void wire_close(struct wire *wire)
{
    unlink(in_directory("%s", wire->name));
    close(wire->reply);
    close(wire->fifo);
}

static inline void wire_read(struct wire *wire)
{
    size_t length = 0;

    while (length == 0 || wire->text[length - 1] != '\n') {
        struct pollfd wait = {.fd = wire->reply, .events = POLLIN};
        ssize_t got;

        if (poll(&wait, 1, 10000) != 1)
            give_up("no reply within 10 s");
        got = read(wire->reply, wire->text + length, sizeof(wire->text) - 1 - length);
        if (got <= 0)
            give_up("read the reply");
        length += (size_t)got;
    }
    wire->text[length] = '\0';
}

/* Microseconds from the request's write(2) until its reply is here. `format`: what follows the
 * verb; a refusal ends the benchmark. */
static inline double ask(struct wire *wire, const char *verb, const char *rest)
{
    char line[4096];
    int length = snprintf(line, sizeof(line), "%s reply=%s %s\n", verb, wire->name, rest);
    double begun = now_us(), took;

    if (write(wire->fifo, line, (size_t)length) != length)
        give_up("write the request");
    wire_read(wire);
    took = now_us() - begun;
    if (!strstr(wire->text, "\"exit\":0")) {
        fprintf(stderr, "refused: %s%s", line, wire->text);
        exit(1);
    }
    return took;
}

/* The engine's own time, as the reply says. */
static inline double replied_us(const struct wire *wire)
{
    const char *found = strstr(wire->text, "\"microseconds\":");

    return found ? strtod(found + strlen("\"microseconds\":"), NULL) : NAN;
}

#endif
