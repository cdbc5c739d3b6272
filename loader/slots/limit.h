/*
 * limit.h - until when the listener works on a long list, and whether its reader is still there.
 *
 * Runs on the listener, between pieces of work that take no longer than a millisecond or so.
 */
#ifndef HOTPATCH_LIMIT_H
#define HOTPATCH_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/refusal.h"
#include "base/request.h"

struct limit {
    uint64_t until; /* CLOCK_MONOTONIC ms; 0: none */
    unsigned asked; /* calls of limit_reached() */
    bool late, abandoned;
};

/* Return the limit of a request that begins now: its timeout=, if it has one, and its deadline=. */
struct limit limit_of(const struct request *request);

/* Return whether the time is up, or the reply has no reader any more. The clock is read once in 32 calls. */
bool limit_reached(struct limit *limit);

/* After limit_reached() returned true: refuse the request. Always -1. */
int limit_refuse(const struct limit *limit, struct refusal *why);

#endif
