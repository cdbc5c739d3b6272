/*
 * single.c - what an idle shim costs a single-threaded host: fork, vfork, posix_spawn, malloc, putc and
 * getc. The program starts itself three times, twice with an empty preloaded library and once with the shim,
 * and lets the three work in turn. What the first two differ by is noise.
 */
#include <signal.h>
#include <sys/prctl.h>

#include "bench.h"

enum { EMPTY, AGAIN, SHIM, VARIANTS };

/* ---- the host: a letter in, the median of its work in nanoseconds out ---- */

static double time_children(pid_t (*make)(void), unsigned count)
{
    struct samples times = {0};
    double typical;

    for (unsigned i = 0; i < count; i++) {
        double begun = now_us();
        pid_t pid = make();

        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        sample(&times, (now_us() - begun) * 1000);
    }
    typical = median(&times);
    free(times.values);
    return typical;
}

static pid_t make_by_fork(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    return pid;
}

static pid_t make_by_vfork(void)
{
    pid_t pid = vfork();

    if (pid == 0)
        _exit(0);
    return pid;
}

/* A child without the shim: what its start costs is another row. */
static pid_t make_by_spawn(void)
{
    static char *const argv[] = {(char *)"tiny", NULL};
    static char *const nothing[] = {NULL};

    return start_program(built("bench/tiny"), argv, nothing);
}

static double time_malloc(size_t size, unsigned count)
{
    void *volatile block;
    double begun = now_us();

    for (unsigned i = 0; i < count; i++) {
        block = malloc(size);
        free(block);
    }
    return (now_us() - begun) * 1000 / count;
}

static double time_putc(unsigned count)
{
    FILE *file = fopen("/dev/null", "we");
    double begun = now_us();

    if (!file)
        give_up("/dev/null");
    for (unsigned i = 0; i < count; i++)
        putc('x', file);
    fclose(file);
    return (now_us() - begun) * 1000 / count;
}

static double time_getc(unsigned count)
{
    FILE *file = fopen("/dev/zero", "re");
    double begun = now_us();
    int sum = 0;

    if (!file)
        give_up("/dev/zero");
    for (unsigned i = 0; i < count; i++)
        sum += getc(file);
    fclose(file);
    return sum == 0 ? (now_us() - begun) * 1000 / count : NAN;
}

static double work(char what)
{
    switch (what) {
    case 'f':
        return time_children(make_by_fork, 25);
    case 'v':
        return time_children(make_by_vfork, 25);
    case 's':
        return time_children(make_by_spawn, 10);
    case 'm':
        return time_malloc(64, 200000);
    case 'M':
        return time_malloc(4096, 200000);
    case 'g':
        return time_getc(200000);
    default:
        return time_putc(200000);
    }
}

static int be_host(void)
{
    char what;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read(0, &what, 1) == 1) {
        double took = work(what);

        if (write(1, &took, sizeof(took)) != sizeof(took))
            return 1;
    }
    return 0;
}

/* ---- the driver ---- */

struct host {
    pid_t pid;
    int to, from;
};

static struct host start_host(char *const environment[])
{
    char *argv[] = {(char *)"single", (char *)"host", NULL};
    posix_spawn_file_actions_t actions;
    struct host host;
    int to[2], from[2];

    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
        give_up("pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    errno = posix_spawn(&host.pid, "/proc/self/exe", &actions, NULL, argv, environment);
    if (errno != 0)
        give_up("posix_spawn");
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    host.to = to[1];
    host.from = from[0];
    return host;
}

static double order(const struct host *host, char what)
{
    double took;

    if (write(host->to, &what, 1) != 1 || read(host->from, &took, sizeof(took)) != sizeof(took))
        give_up("the host");
    return took;
}

struct side {
    double empty, again, shim;
    double fastest; /* what the shim adds in the fastest tenth of the batches */
};

static struct side compare(struct host hosts[VARIANTS], char what, int rounds)
{
    struct samples times[VARIANTS] = {{0}};

    for (int round = 0; round < rounds; round++)
        for (int i = 0; i < VARIANTS; i++)
            sample(&times[i], order(&hosts[i], what));
    return (struct side){median(&times[EMPTY]), median(&times[AGAIN]), median(&times[SHIM]),
                         quantile(&times[SHIM], 0.1) - quantile(&times[EMPTY], 0.1)};
}

static void children_row(const char *what, struct host hosts[VARIANTS], char letter, double budget)
{
    struct side side = compare(hosts, letter, 100);

    /* "+0" is met where the difference is less than a tenth, which two bare hosts may show. */
    row(what, (side.shim - side.empty) / 1000, "us", budget > 0 ? budget : side.empty / 1e4,
        "%.0f us against %.0f us with an empty library, and %.0f us again; fastest tenth %+.0f "
        "us%s",
        side.shim / 1000, side.empty / 1000, side.again / 1000, side.fastest / 1000,
        budget > 0 ? "" : "; budget: +0, judged at 10 %");
}

static void work_row(const char *what, struct host hosts[VARIANTS], char letter)
{
    struct side side = compare(hosts, letter, 100);

    /* "1.00" is met where the difference is that of two empty libraries, or below a fiftieth. */
    row(what, side.shim / side.empty, "times", as_without(side.empty, side.again),
        "%.2f ns against %.2f ns with an empty library, and %.2f ns again", side.shim, side.empty,
        side.again);
}

int main(int argc, char **argv)
{
    struct host hosts[VARIANTS];

    (void)argv;
    if (argc > 1)
        return be_host();
    hosts[EMPTY] = start_host(environment_with(built("bench/libempty.so"), NULL));
    hosts[AGAIN] = start_host(environment_with(built("bench/libempty.so"), NULL));
    hosts[SHIM] = start_host(environment_with(built("libhotpatch_preload.so"), NULL));
    children_row("fork, _exit, wait; single-threaded host", hosts, 'f', 5);
    children_row("vfork, _exit, wait", hosts, 'v', 0);
    children_row("posix_spawn of a bare program", hosts, 's', 0);
    work_row("malloc and free of 64 bytes, idle shim", hosts, 'm');
    work_row("malloc and free of 4,096 bytes, idle shim", hosts, 'M');
    work_row("putc, idle shim", hosts, 'p');
    work_row("getc, idle shim", hosts, 'g');
    for (int i = 0; i < VARIANTS; i++)
        end_program(hosts[i].pid);
    return 0;
}
