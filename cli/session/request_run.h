/*
 * request_run.h - one request to all processes of a TARGET, and its outcome in words or as JSON.
 */
#ifndef HOTPATCH_REQUEST_RUN_H
#define HOTPATCH_REQUEST_RUN_H

#include <stdbool.h>

#include "cli/process/targets.h"
#include "cli/session/client_request.h"

struct json_object;

/* Prints what a process answered to a request that succeeded. */
typedef void (*reply_printer)(struct json_object *reply, const struct process *process);

/* The command's exit code; failures are printed. */
int request_run(const struct targets *targets, const struct client_request *client_request,
                bool json, reply_printer print);
/* targets_find() and request_run(). */
int request_run_on(const char *target, const struct client_request *client_request, bool json,
                   reply_printer print);

/* "applied counter-fix 2: 1 slot in PID 123", a line for each module of the answer. */
void print_applied(struct json_object *reply, const struct process *process);
void print_reverted(struct json_object *reply, const struct process *process);
/* "applied counter-fix 2", no newline. */
void print_module(const char *did, struct json_object *module);
void print_reloaded(struct json_object *reply, const struct process *process);

#endif
