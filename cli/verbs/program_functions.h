/* program_functions.h - the functions of a process's program, which the command examines in the program's file:
 * the process need not examine tens of thousands of functions for a list. */
#ifndef HOTPATCH_PROGRAM_FUNCTIONS_H
#define HOTPATCH_PROGRAM_FUNCTIONS_H

#include <stdbool.h>

#include "cli/process/proc_facts.h"

struct json_object;

/* Add them to the list in the process's reply to slots functions=0. Return false, and add nothing, where the
 * process itself has to list them: the file cannot be read, other code is in memory, the program declares slots,
 * or an indirect function is among them, of which only the process knows what is in use. */
bool program_functions_add(const struct process *process, struct json_object *reply);

#endif
