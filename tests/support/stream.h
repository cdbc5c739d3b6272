/*
 * stream.h - a client that has many requests open at once, and hosts for it.
 *
 * All replies of one stream come through one FIFO, in the order of the requests. No function of this file fails a test:
 * the functions are also for child processes, which must not return into cmocka.
 */
#ifndef HOTPATCH_STREAM_H
#define HOTPATCH_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/harness.h"

#define STREAM_WINDOW 32 /* number of replies that always fit into the reply FIFO */

/* Start or kill a host as host_start() and host_kill() do, with the runtime directory in memory, as /run is. On a disk,
 * replacing the status file waits for the disk. `environment` has no HOTPATCH_DIR. */
struct host *memory_host_start(const char *program, const char *const *environment);
void memory_host_kill(struct host *host);

struct stream {
    int to, from;
    char name[32];
    char path[512];
    size_t sent, received;
    char *text; /* the text that was read and not yet returned */
    size_t size, capacity, taken;
    char refusal[2048]; /* the first reply of stream_run() that was not "done" */
};

/* Open a stream. `name` is the name of the reply FIFO without .reply; each stream of a host needs another name. */
bool stream_open(struct stream *stream, const struct host *host, const char *name);
void stream_close(struct stream *stream);

/* Send "load /x" as "load reply=... id=NAME-N /x"; N counts from 0. Waits while the FIFO is full. */
bool stream_send(struct stream *stream, const char *line);

/* Return the next reply without its newline, valid until the next call; NULL after 30 s without a reply. */
const char *stream_receive(struct stream *stream);

/*
 * Send the lines in turn until `count` were sent, with at most STREAM_WINDOW open requests, and receive all replies.
 * Return the number of replies that are not "done"; -1 if a reply did not come or came out of order.
 */
long stream_run(struct stream *stream, const char *const *lines, size_t line_count, size_t count);

#endif
