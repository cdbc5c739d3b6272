/*
 * wire.h - writes the lines of a request; preload/request.h reads them.
 */
#ifndef HOTPATCH_WIRE_H
#define HOTPATCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "cli/session/client_request.h"

/* The request's lines as written, "\n" before and after: its length, or -1 with the refusal. */
struct wire {
    const char *id;
    const char *reply;
    const char *nonce;          /* of the process that is meant; "": none */
    uint64_t deadline;          /* CLOCK_MONOTONIC ms */
    const char *const *patches; /* as the target sees them */
    char *const *places;        /* as in struct session_request */
};
int client_request_compose(const struct client_request *client_request, const struct wire *wire,
                           char *line, size_t size, struct refusal *why);

#endif
