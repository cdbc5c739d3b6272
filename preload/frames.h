/*
 * frames.h - the bytes of the FIFO become requests and transactions.
 *
 * No I/O and no clock, so that it can be tested and fuzzed: the listener says when the pipe is
 * drained and when a line has waited too long. Listener only.
 */
#ifndef HOTPATCH_FRAMES_H
#define HOTPATCH_FRAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "request.h"

/* One request, one transaction, or what was refused in place of one. */
struct frame {
    const char *verb;  /* "load", ..., "transaction", or "?" */
    const char *id;    /* "" where none */
    const char *reply; /* "" where none, else valid */
    struct request *requests;
    size_t count;        /* 0 where refused */
    struct refusal *why; /* count > 0: refused */
};

typedef void (*frame_handler)(void *context, const struct frame *frame);

struct frames {
    frame_handler handler;
    void *context;
    size_t length;
    bool skipping; /* an over-long line, until its newline */
    bool in_transaction;
    size_t held; /* bytes of `transaction`, lines ended by NUL */
    size_t lines;
    struct refusal why; /* of the transaction */
    char line[REQUEST_MAX + 1];
    char transaction[REQUEST_MAX + 2];
};

void frames_init(struct frames *frames, frame_handler handler, void *context);
void frames_feed(struct frames *frames, const char *bytes, size_t count);
/* The pipe is empty: a transaction that has not ended is refused. */
void frames_drained(struct frames *frames);
/* A line has begun and not ended. */
bool frames_partial(const struct frames *frames);
/* It had its second: it is refused. */
void frames_expired(struct frames *frames);

#endif
