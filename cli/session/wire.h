/*
 * wire.h - writes the lines of a request; preload/request.h reads them.
 */
#ifndef HOTPATCH_WIRE_H
#define HOTPATCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "cli/session/client_request.h"

/* What the lines have of one process. */
struct wire {
    const char *id;
    const char *reply;
    const char *nonce;          /* of the process; "": none */
    uint64_t deadline;          /* CLOCK_MONOTONIC ms */
    const char *const *patches; /* paths as the process sees them */
    char *const *places;        /* as in struct session_request */
};
/* Write the lines into `line`, with a newline before and after. Return the length, or -1 with the refusal. */
int wire_compose(const struct client_request *client_request, const struct wire *wire, char *line,
                 size_t size, struct refusal *why);

#endif
