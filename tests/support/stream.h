/*
 * stream.h - a client that keeps many requests under way at once, and hosts for it.
 *
 * All replies of one stream come through one FIFO, in the order of the requests. Nothing here
 * fails a test: it is for child processes too, which must not return into cmocka.
 */
#ifndef HOTPATCH_STREAM_H
#define HOTPATCH_STREAM_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/harness.h"

#define STREAM_WINDOW 32 /* replies that surely fit into the reply FIFO */

/* As host_start() and host_kill(), with the runtime directory in memory, as /run is: replacing
 * the status file on a disk waits for the disk. `environment` has no HOTPATCH_DIR. */
struct host *memory_host_start(const char *program, const char *const *environment);
void memory_host_kill(struct host *host);

struct stream {
    int to, from;
    char name[32];
    char path[512];
    size_t sent, received;
    char *text; /* what was read and not yet taken */
    size_t size, capacity, taken;
    char refusal[2048]; /* the first reply of stream_run() that was not "done" */
};

/* `name`: of the reply FIFO, without .reply; different for each stream of a host. */
bool stream_open(struct stream *stream, const struct host *host, const char *name);
void stream_close(struct stream *stream);

/* "load /x" as "load reply=... id=NAME-N /x"; N counts from 0. Waits while the FIFO is full. */
bool stream_send(struct stream *stream, const char *line);

/* The next reply without its newline, good until the next call; NULL after 30 s of silence. */
const char *stream_receive(struct stream *stream);

/*
 * Sends the lines in turn until `count` were sent, at most STREAM_WINDOW under way, and receives
 * all replies. Counts those that are not "done"; -1 where one did not come or came out of turn.
 */
long stream_run(struct stream *stream, const char *const *lines, size_t line_count, size_t count);

#endif
