/*
 * harness.h - runs real programs under the shim, asks them, patches them, and sees what came of it.
 *
 * For the end-to-end suites. Every wait is for an event (a line, a reply, an exit) and bounded;
 * a bound that is reached fails the test. Every host has a scratch directory of its own, its
 * runtime directory inside it. What goes wrong here fails the running cmocka test.
 */
#ifndef HOTPATCH_HARNESS_H
#define HOTPATCH_HARNESS_H

/* cmocka.h wants these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/await.h"
#include "tests/support/files.h"
#include "tests/support/programs.h"
#include "tests/support/requests.h"

struct host {
    pid_t pid;   /* of the process that answers; follows `fork` and `daemonize` */
    pid_t child; /* of the process that was started */
    int watch;   /* pidfd of `child` */
    int to;      /* the host's standard input */
    int from;    /* its standard output */
    char scratch[64];
    char directory[256]; /* HOTPATCH_DIR */
    char line[4096];
    char pending[4096];
    size_t pending_size;
    unsigned replies;  /* reply FIFOs made so far */
    struct host *next; /* of those that were started and not stopped */
};

/* Starts BUILD/hosts/PROGRAM (or an absolute path) under the shim and waits until it says
 * `ready` and its FIFO is there. `environment`: NAME=VALUE strings, NULL at the end, or NULL;
 * with HOTPATCH_DIR among them, hosts share a runtime directory. */
struct host *host_start(const char *program, const char *const *environment);
/* The same where no FIFO can come. */
struct host *host_start_unarmed(const char *program, const char *const *environment);
/* The same without the shim. */
struct host *host_start_bare(const char *program);
/* One line out, one line in. The answer is good until the next question. */
const char *host_ask(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void host_say(struct host *host, const char *line); /* a question whose answer comes later */
const char *host_hear(struct host *host);
void host_expect(struct host *host, const char *question, const char *answer);
/* Ask `fork` or `daemonize`; from then on the new process is the one that answers. */
void host_become(struct host *host, const char *how);
bool host_alive(struct host *host);
const char *host_log(struct host *host); /* its standard error so far */
bool host_log_has(struct host *host, const char *text);
void host_log_await(struct host *host, const char *text);
/* End of input; the host must leave with status 0 and leave no file of its own behind. */
void host_stop(struct host *host);
void host_kill(struct host *host); /* SIGKILL, and the scratch directory goes */
int host_wait(struct host *host);  /* its wait status once it has ended; frees nothing */
const char *host_path(struct host *host, const char *name); /* in the scratch directory */
void await_file(const char *path);
/* Rings the doorbell as a shell does, where the process has none of our threads yet and a ring makes them. */
void ring_first(pid_t pid);
/* Returns when its main thread waits in read(2): a ring that finds it on its way may make nothing. */
void await_read(pid_t pid);
void host_listen(struct host *host); /* returns when its threads have answered a ping */
void ring_until_there(pid_t pid, const char *path); /* path: of a file that its listener makes */
/* The FIFO of `pid` for writing, without blocking: rings where nobody reads it, and waits until it is read. -1: errno. */
int open_when_read(pid_t pid, const char *path);
const char *host_fifo(struct host *host); /* the path of its FIFO */
/* Wait until `fd` is readable; `what` is awaited. The test fails where the host has ended before. */
void await_readable(struct host *host, int fd, const char *what);

#endif
