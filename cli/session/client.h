/*
 * client.h - sends requests to listeners and waits for what became of them.
 *
 * One poll loop for any number of targets. Every wait has an end: a reply, the death of the
 * target, or the request's deadline and a second more, after which the target's own history
 * is asked. A reply FIFO and a copied patch never outlive the exchange, SIGINT, SIGTERM and
 * SIGHUP included.
 */
#ifndef HOTPATCH_CLIENT_H
#define HOTPATCH_CLIENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "cli/process/proc_facts.h"

struct json_object;
struct lookup;

/* What is asked, of every target alike. Strings and lists are the caller's. */
struct client_request {
    const char *verb;
    const char *keys;           /* "when=quiet timeout=9", on every line; or "" */
    const char *operand;        /* "last", "all", or NULL */
    const char *const *patches; /* absolute paths; several make one transaction */
    size_t patch_count;
    const char *patch_keys;    /* "replace=a=b", on the lines of patches alone; or NULL */
    const char *const *faults; /* "fail=rename=-1 nth=2", each a line of its own */
    size_t fault_count;
    struct lookup *lookup;            /* looks up what functions are meant; NULL: the target does */
    const char *const *patch_targets; /* the names of patch_keys, beside those in a patch itself */
    size_t patch_target_count;
    const char *const *fault_targets; /* the name of each fault */
    uint32_t timeout;                 /* ms that the host may take until the moment comes */
    uint32_t margin;                  /* ms beyond it until the deadline; 0: 5,000 */
    /* Makes of an answer what is printed, in words or as JSON; or NULL. */
    void (*amend)(struct json_object *reply, const struct process *process);
    bool changes; /* false: asking again does no harm, so no outcome is unknown */
};

struct session_request {
    struct process *process;   /* the caller's */
    char **places;             /* "at=.. at=.." or NULL for each patch, then each fault; or NULL */
    struct json_object *reply; /* set when the exchange has ended; json_object_put() it */
};

/* Runs all of them that have no answer yet; each has its answer afterwards. Returns false where a signal ended it. */
bool exchanges_run(struct session_request *exchanges, size_t count,
                   const struct client_request *client_request);

/* SIGINT, SIGTERM and SIGHUP are from now on noted, and only let in by ppoll(2) and its like
 * with the mask `before`. */
void client_hold_signals(sigset_t *before);
bool client_interrupted(void);

/* The request's lines as written, "\n" before and after: its length, or -1 with the refusal. */
struct wire {
    const char *id;
    const char *reply;
    const char *nonce;          /* of the process that is meant; "": none */
    uint64_t deadline;          /* CLOCK_MONOTONIC ms */
    const char *const *patches; /* as the target sees them */
    char *const *places;        /* as in struct exchange */
};
int client_request_compose(const struct client_request *client_request, const struct wire *wire,
                           char *line, size_t size, struct refusal *why);

#endif
