/*
 * harness.h - run real programs under the shim, send them requests and patches, and check the results.
 *
 * For the end-to-end suites. Every wait is for an event (a line, a reply, an exit) and bounded; a wait that reaches its
 * bound fails the test. Every host has its own scratch directory, which holds its runtime directory. An error in these
 * functions fails the running cmocka test.
 */
#ifndef HOTPATCH_HARNESS_H
#define HOTPATCH_HARNESS_H

/* cmocka.h needs these four headers before it. */
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
    pid_t pid;   /* the process that answers; changes with `fork` and `daemonize` */
    pid_t child; /* the process that was started */
    int watch;   /* pidfd of `child` */
    int answers; /* pidfd of `pid` if that is another process; else 0 */
    int to;      /* the host's standard input */
    int from;    /* the host's standard output */
    char scratch[64];
    char directory[256]; /* HOTPATCH_DIR */
    char line[4096];
    char pending[4096];
    size_t pending_size;
    unsigned replies;  /* number of reply FIFOs made so far */
    struct host *next; /* the list of hosts that were started and not stopped */
};

/* Start BUILD/hosts/PROGRAM (or an absolute path) under the shim and wait until it prints `ready` and its FIFO exists.
 * `environment` has NAME=VALUE strings and ends in NULL; or it is NULL. With HOTPATCH_DIR in it, hosts share a runtime
 * directory. */
struct host *host_start(const char *program, const char *const *environment);
/* Start a host that can have no FIFO. */
struct host *host_start_unarmed(const char *program, const char *const *environment);
/* Start a host without the shim. */
struct host *host_start_bare(const char *program);
/* Send one line and return the answer, valid until the next question. */
const char *host_ask(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void host_say(struct host *host, const char *line); /* a question whose answer comes later */
const char *host_hear(struct host *host);
void host_expect(struct host *host, const char *question, const char *answer);
/* Ask `fork` or `daemonize`. From then on the new process answers. */
void host_become(struct host *host, const char *how);
bool host_alive(struct host *host);
const char *host_fate(struct host *host); /* "alive", or how the started process ended */
const char *host_log(struct host *host);  /* the host's standard error so far */
bool host_log_has(struct host *host, const char *text);
void host_log_await(struct host *host, const char *text);
/* Close the host's input. The host must end with status 0 and leave no file of its own. */
void host_stop(struct host *host);
void host_kill(struct host *host); /* sends SIGKILL and removes the scratch directory */
int host_wait(struct host *host);  /* returns the wait status after the end; frees nothing */
const char *host_path(struct host *host, const char *name); /* a path in the scratch directory */
void await_file(const char *path);
/* Ring the doorbell as a shell does, if the process has no thread of the shim yet and a ring makes the threads. */
void ring_first(pid_t pid);
/* Wait until the main thread waits in read(2). A ring before that may make no thread. */
void await_read(pid_t pid);
void host_listen(struct host *host); /* returns when the host's threads have answered a ping */
/* Ring until the file at `path` exists, which the host's listener makes. */
void ring_until_there(pid_t pid, const char *path);
/* Open the FIFO of `pid` for writing, without blocking. Ring if no process reads it, and wait until a process does.
 * Return -1 with errno on an error. */
int open_when_read(pid_t pid, const char *path);
const char *host_fifo(struct host *host); /* the path of the host's FIFO */
/* Wait until `fd` is readable; `what` names the awaited data. If the host ends before, the test fails. */
void await_readable(struct host *host, int fd, const char *what);

#endif
