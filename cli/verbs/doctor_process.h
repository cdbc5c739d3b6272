/* doctor_process.h - every check of a running process. */
#ifndef HOTPATCH_DOCTOR_PROCESS_H
#define HOTPATCH_DOCTOR_PROCESS_H

#include "cli/process/proc_facts.h"
#include "cli/verbs/findings.h"

struct json_object;

/* Add what /proc and the runtime directory tell, and what `reply` to a request for its status does. */
void process_examine(const struct process *process, struct json_object *reply,
                     struct findings *findings);

#endif
