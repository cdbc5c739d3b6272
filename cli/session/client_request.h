/*
 * client_request.h - what the command asks of processes, and what became of it in each of them.
 */
#ifndef HOTPATCH_CLIENT_REQUEST_H
#define HOTPATCH_CLIENT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    struct json_object *reply; /* set when the session has ended; json_object_put() it */
};

#endif
