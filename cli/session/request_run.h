/*
 * request_run.h - sends one request to all processes of a TARGET and prints the outcome, in words or as JSON.
 */
#ifndef HOTPATCH_REQUEST_RUN_H
#define HOTPATCH_REQUEST_RUN_H

#include <stdbool.h>

#include "cli/process/process_targets.h"
#include "cli/session/client_request.h"

struct json_object;

/* Print the reply to a request that succeeded. */
typedef void (*reply_printer)(struct json_object *reply, const struct process *process);

/* Return the command's exit code; failures are printed. */
int request_run(const struct process_targets *targets, const struct client_request *client_request,
                bool json, reply_printer print);
/* Call process_targets_find() and request_run(). */
int request_run_on(const char *target, const struct client_request *client_request, bool json,
                   reply_printer print);

/* Print "applied counter-fix 2: 1 slot in PID 123", a line for each module in the reply. */
void print_applied(struct json_object *reply, const struct process *process);
void print_reverted(struct json_object *reply, const struct process *process);
/* Print "applied counter-fix 2" without a newline. */
void print_module(const char *did, struct json_object *module);
void print_reloaded(struct json_object *reply, const struct process *process);

#endif
