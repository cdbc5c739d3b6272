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

/* A request to all processes of a TARGET. Strings and lists are the caller's. */
struct client_request {
    const char *verb;
    const char *keys;           /* "when=quiet timeout=9", on every line; or "" */
    const char *operand;        /* "last", "all", or NULL */
    const char *const *patches; /* absolute paths; several make one transaction */
    size_t patch_count;
    const char *patch_keys;        /* "replace=a=b", on the lines of patches alone; or NULL */
    const char *const *injections; /* "fail=rename=-1 nth=2", each a line of its own */
    size_t injection_count;
    struct lookup *lookup; /* looks up the functions of the targets; NULL: the process does */
    const char *const *patch_targets; /* the names in patch_keys */
    size_t patch_target_count;
    const char *const *injection_targets; /* the name of each injection */
    uint32_t timeout;                     /* ms that the process may wait for the moment */
    uint32_t margin;                      /* ms beyond it until the deadline; 0: 5,000 */
    /* Changes a reply before it is printed; or NULL. */
    void (*amend)(struct json_object *reply, const struct process *process);
    bool changes; /* the process; false: the request can be repeated, so no outcome is unknown */
};

/* That request to one process, and the reply. */
struct session_request {
    struct process *process; /* the caller's */
    char **places; /* "at=.. at=.." or NULL for each patch, then each injection; or NULL */
    struct json_object *reply; /* set when the session has ended; json_object_put() it */
};

#endif
