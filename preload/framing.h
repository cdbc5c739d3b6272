/*
 * framing.h - splits the bytes of the FIFO into requests and transactions.
 *
 * No I/O, so that this can be tested and fuzzed. The listener reads the bytes, and calls framing_expire() at the time
 * that framing_due() returns. Listener only.
 *
 * Writers share the FIFO, and only a write(2) of up to PIPE_BUF bytes stays together (pipe(7)). A transaction may
 * arrive in several pieces with lines of others between them. These rules decide which lines belong to it:
 *
 *   - `begin` opens the transaction, and its id= is the transaction's.
 *   - A line with that id=, or without id=, belongs to it; so does `commit` with any id= if `begin` had none. ping,
 *     status and slots never belong to it, nor does a line with another reply=.
 *   - All other lines wait until the transaction has ended.
 *   - FRAMES_WAIT_MS after its last line the transaction is refused. Its later lines, up to its `commit`, are refused
 *     too, until none has come for FRAMES_REST_MS.
 */
#ifndef HOTPATCH_FRAMING_H
#define HOTPATCH_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/request.h"
#include "preload/framing_line.h"

#define FRAMES_WAIT_MS 1000        /* for the rest of a line or transaction that has begun */
#define FRAMES_REST_MS 10000       /* for the rest of a transaction that was refused */
#define FRAMES_QUEUE_MAX (1 << 20) /* bytes of lines that wait */

/* One request, one transaction, or a refused part of the input. */
struct frame {
    const char *verb;  /* "load", ..., "transaction", or "?" */
    const char *id;    /* "" where none */
    const char *reply; /* "" where none, else valid */
    struct request *requests;
    size_t count;        /* 0 where refused */
    struct refusal *why; /* count > 0: refused */
    bool torn;           /* refused because the rest did not come */
};

typedef void (*frame_handler)(void *context, const struct frame *frame);

struct framing {
    frame_handler handler;
    void *context;
    uint64_t (*clock)(void); /* CLOCK_MONOTONIC ms */
    size_t length;
    bool skipping;    /* the rest of an over-long line is skipped, up to its newline */
    uint64_t line_at; /* when the last bytes of `line` came */
    bool in_transaction;
    struct framing_party open;
    uint64_t transaction_at; /* when the last line of the transaction came */
    size_t held;             /* bytes of `transaction`; each line ends in a NUL */
    size_t lines;
    struct refusal why; /* reason for refusing the transaction */
    unsigned nested;    /* begins inside it */
    struct framing_party refused;
    unsigned refused_commits;  /* number of commits of refused transactions that may still come */
    uint64_t refused_until;    /* 0: no more lines of a refused transaction are expected */
    char *queue;               /* malloc'd: lines that wait, each after its length */
    size_t queued, queue_room; /* bytes */
    size_t looked_at;          /* bytes of them that wait for the open transaction's end */
    char line[REQUEST_MAX + 1];
    char taken[REQUEST_MAX + 1]; /* the line that was taken out of the queue */
    char transaction[REQUEST_MAX + 2];
};

void framing_init(struct framing *framing, frame_handler handler, void *context,
                  uint64_t (*clock)(void));
void framing_feed(struct framing *framing, const char *bytes, size_t count);
/* Return when framing_expire() is to be called; 0: never. */
uint64_t framing_due(const struct framing *framing);
/* Refuse an incomplete line or transaction whose rest is overdue. Return true if there was one. */
bool framing_expire(struct framing *framing);

#endif
