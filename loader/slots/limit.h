/*
 * limit.h - the time limit for a long list of the listener, and the test whether the list's reader still exists.
 *
 * Called by the listener, between pieces of work that take about a millisecond or less.
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

/* Return the limit of a request that begins now: its timeout= if the request has one, and its deadline=. */
struct limit limit_of(const struct request *request);

/* Return whether the time is over, or the reply has no reader any more. The clock is read once in 32 calls. */
bool limit_reached(struct limit *limit);

/* Refuse the request after limit_reached() returned true. Return -1. */
int limit_refuse(const struct limit *limit, struct refusal *why);

#endif
