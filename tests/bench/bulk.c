/*
 * bulk.c - many functions in one transaction: the time in the process, that of the command with debug
 * information, and what requests take beside what is live then.
 *
 * The program and the patches are written by bulk_gen.sh. The program has debug information.
 */
#include <signal.h>

#include "bench.h"

struct host {
    pid_t pid;
    char target[16];
};

static struct host start_host(const char *mappings)
{
    char *argv[] = {(char *)"bulk-host", (char *)mappings, NULL};
    struct host host = {.pid =
                            start_program(built("bench/bulk-host"), argv,
                                          environment_with(built("libhotpatch_preload.so"), NULL))};

    snprintf(host.target, sizeof(host.target), "%d", (int)host.pid);
    close(open_fifo(host.pid));
    return host;
}

static double member(const char *file, const char *name)
{
    static char text[4 << 20];
    int in = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t got = in < 0 ? -1 : read(in, text, sizeof(text) - 1);
    const char *found;

    if (got <= 0)
        give_up(file);
    close(in);
    text[got] = '\0';
    found = strstr(text, name);
    if (!found) {
        fprintf(stderr, "bulk: no %s in: %.400s\n", name, text);
        exit(1);
    }
    return strtod(found + strlen(name), NULL);
}

struct times {
    double inside, command; /* ms: in the process; all the rest of the command's time */
};

static struct times command(const char *verb, const struct host *host, const char *what)
{
    char *argv[] = {(char *)"hotpatch",
                    (char *)verb,
                    (char *)"--json",
                    (char *)"--timeout=20000",
                    (char *)host->target,
                    (char *)what,
                    NULL};
    posix_spawn_file_actions_t actions;
    double begun = now_us(), took, inside;
    const char *out = in_directory("bulk.json");
    int status;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    errno = posix_spawn(&pid, built("hotpatch"), &actions, NULL, argv, environ);
    if (errno != 0 || waitpid(pid, &status, 0) < 0)
        give_up("hotpatch");
    took = now_us() - begun;
    posix_spawn_file_actions_destroy(&actions);
    inside = member(out, "\"microseconds\":");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "bulk: hotpatch %s: exit status %d\n", verb, WEXITSTATUS(status));
        exit(1);
    }
    return (struct times){inside / 1000, (took - inside) / 1000};
}

static const char *patch_of(int count)
{
    char name[64];

    snprintf(name, sizeof(name), "bench/bulk-%d.so", count);
    return built(name);
}

static struct times best_load(int count, const char *mappings, struct times *revert)
{
    struct times best = {1e9, 1e9};

    for (int i = 0; i < 3; i++) {
        struct host host = start_host(mappings);
        struct times load = command("load", &host, patch_of(count));

        *revert = command("revert", &host, "all");
        if (load.inside < best.inside)
            best.inside = load.inside;
        if (load.command < best.command)
            best.command = load.command;
        end_program(host.pid);
    }
    return best;
}

static void time_loads(const char *what, const char *mappings)
{
    struct times revert, few, many;

    few = best_load(500, mappings, &revert);
    many = best_load(8000, mappings, &revert);
    row(what, many.inside * 1000 / 8000, "us", 20,
        "of 8,000 in one transaction; of 500 %.1f us, the first ones' share of all that is done "
        "once",
        few.inside * 1000 / 500);
}

static void time_most(void)
{
    struct times revert, most = best_load(10000, "0", &revert);

    row("arming 10,000 entries in one transaction", most.inside / 1000, "s", 0.3,
        "all in the process; best of 3; their revert %.0f ms", revert.inside);
    row("  the command's part, with debug information", most.command / 1000, "s", 0.5,
        "reading the files, the request, the reply of 10,000 changes");
}

/* Requests beside what is live. */
static void time_beside(void)
{
    struct host host = start_host("0");
    struct samples pings = {0}, loads = {0}, inside = {0};
    static struct wire wire;

    command("load", &host, patch_of(10000));
    wire_open(&wire, host.pid);
    sleep(2); /* the functions have been seen entered */
    for (int i = 0; i < 20; i++) {
        sample(&pings, ask(&wire, "ping", ""));
        sample(&loads, ask(&wire, "load", i % 2 ? patch_of(1) : patch_of(2)));
        sample(&inside, replied_us(&wire));
    }
    row("a ping beside 10,000 live entries", median(&pings), "us", 1000, "median of 20");
    row("  a module of one or two functions, in the engine", median(&inside), "us", 1000,
        "median of 20; until the reply, with the status written, %.1f ms", median(&loads) / 1000);
    wire_close(&wire);
    end_program(host.pid);
}

int main(void)
{
    time_loads("a function's share of a load", "0");
    time_loads("  with 3,000 more mappings", "3000");
    time_most();
    time_beside();
    return 0;
}
