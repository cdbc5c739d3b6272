/*
 * request.c - from the write of a request to its reply, engine warm, a module of one function:
 * versions 1 and 2 in turn, loads and reverts in turn; a ping; and cr's way for comparison: the
 * file copied to a new name, dlopened here, its symbol looked up, the one before closed.
 */
#include <dlfcn.h>

#include "bench.h"

enum { LOADS = 1000 };

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 20];
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    ssize_t got = in < 0 ? -1 : read(in, bytes, sizeof(bytes));

    if (got <= 0 || out < 0 || write(out, bytes, (size_t)got) != got)
        give_up(to);
    close(in);
    close(out);
}

static void *open_module(const char *path)
{
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);

    if (!handle || !dlsym(handle, "HOTPATCH_MODULE_V1")) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return handle;
}

/* Copy, dlopen, dlsym; then the old one goes. */
static double load_as_cr(const char *path, void **live, unsigned number)
{
    const char *copy = in_directory("cr-%u.so", number);
    double begun = now_us(), took;
    void *handle;

    copy_file(path, copy);
    handle = open_module(copy);
    if (*live)
        dlclose(*live);
    *live = handle;
    took = now_us() - begun;
    unlink(copy);
    return took;
}

static double load_in_process(const char *path)
{
    double begun = now_us(), took;
    void *handle = open_module(path);

    took = now_us() - begun;
    dlclose(handle);
    return took;
}

/* An import of the host, and no file: what finding, preparing and storing alone take. */
static void time_fault(struct wire *wire)
{
    struct samples load = {0}, engine = {0}, revert = {0};

    for (unsigned i = 0; i < LOADS / 2; i++) {
        sample(&load, ask(wire, "load", "fail=getppid=1 nth=4294967295"));
        sample(&engine, replied_us(wire));
        sample(&revert, ask(wire, "revert", "name=fail:getppid"));
    }
    row("  a fault in an import, no file", median(&load), "us", 100,
        "median of %zu; in the engine %.0f us; its revert %.0f us", load.count, median(&engine),
        median(&revert));
}

/* A function at its entry: found, read, prepared and armed once, then switched. Nothing calls them. */
static void time_entry_fault(pid_t host)
{
    static struct wire wire;
    static const char *const names[] = {"getppid", "getpgid", "getsid", "getgroups", "setsid",
                                        "times",   "nice",    "sync",   "chroot",    "acct",
                                        "umask",   "rmdir",   "link",   "symlink",   "mlock",
                                        "munlock", "flock",   "fsync",  "fdatasync", "truncate"};
    enum { NAMES = sizeof(names) / sizeof(*names), ROUNDS = 20 };
    struct samples first = {0}, first_engine = {0}, again = {0}, again_engine = {0};

    wire_open(&wire, host);
    for (unsigned i = 0; i < ROUNDS * NAMES; i++) {
        char rest[100];
        double took;

        snprintf(rest, sizeof(rest), "fail=libc.so.6:%s=1 nth=4294967295", names[i % NAMES]);
        took = ask(&wire, "load", rest);
        sample(i < NAMES ? &first : &again, took);
        sample(i < NAMES ? &first_engine : &again_engine, replied_us(&wire));
        ask(&wire, "revert", "last");
    }
    row("  a fault in a function of libc, first time", median(&first), "us", NO_BUDGET,
        "at its entry, median of %d; in the engine %.0f us", NAMES, median(&first_engine));
    row("  the same, once armed", median(&again), "us", NO_BUDGET, "in the engine %.0f us",
        median(&again_engine));
    wire_close(&wire);
    end_program(host);
}

int main(void)
{
    static struct wire wire;
    const char *versions[2] = {built("bench/libanswer1.so"), built("bench/libanswer2.so")};
    struct samples load = {0}, engine = {0}, revert = {0}, ping = {0}, cr = {0}, plain = {0};
    char *argv[] = {(char *)"idle", NULL};
    pid_t host = start_program(built("bench/idle"), argv,
                               environment_with(built("libhotpatch_preload.so"), NULL));
    void *live = NULL;

    wire_open(&wire, host);
    ask(&wire, "load", versions[1]);
    for (unsigned i = 0; i < LOADS; i++) {
        sample(&load, ask(&wire, "load", versions[i % 2]));
        sample(&engine, replied_us(&wire));
        sample(&ping, ask(&wire, "ping", ""));
        sample(&cr, load_as_cr(versions[i % 2], &live, i));
        sample(&plain, load_in_process(versions[i % 2]));
        if (i % 10 == 9) {
            sample(&revert, ask(&wire, "revert", "name=bench-answer"));
            ask(&wire, "load", versions[i % 2]);
        }
    }
    row("request to reply, one function, engine warm", median(&load), "us", 300,
        "median of %d loads, 90 %% below %.0f us; in the engine %.0f us; cr's way, in process: "
        "%.0f us",
        LOADS, quantile(&load, 0.9), median(&engine), median(&cr));
    row("  the same, a ping", median(&ping), "us", NO_BUDGET,
        "wire and two thread switches; dlopen and dlsym of the file in process: %.0f us",
        median(&plain));
    row("  the same, a revert", median(&revert), "us", NO_BUDGET, "median of %zu", revert.count);
    time_fault(&wire);
    wire_close(&wire);
    end_program(host);
    /* Another host: of the thousand patches that this one has, the mappings are read each time. */
    time_entry_fault(start_program(built("bench/idle"), argv,
                                   environment_with(built("libhotpatch_preload.so"), NULL)));
    return 0;
}
