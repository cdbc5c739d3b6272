/*
 * limit.h - until when a long answer is worked on, and for whom.
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
    uint32_t timeout;
    unsigned asked;
    bool late, abandoned;
};

/* From now on: the request's timeout= if it has one, and its deadline=. */
struct limit limit_of(const struct request *request);

/* The time is up, or nobody waits for the reply any more. Cheap: the clock is not asked each time. */
bool limit_reached(struct limit *limit);

/* After limit_reached() has said so: why the answer is not given. Always -1. */
int limit_refuse(const struct limit *limit, struct refusal *why);

#endif
