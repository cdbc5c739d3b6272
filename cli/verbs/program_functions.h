/*
 * program_functions.h - the functions of a process's program, judged by the command from the program's file: the
 * process need not look at tens of thousands of functions for a list.
 */
#ifndef HOTPATCH_PROGRAM_FUNCTIONS_H
#define HOTPATCH_PROGRAM_FUNCTIONS_H

#include <stdbool.h>

#include "cli/process/proc_facts.h"

struct json_object;

/*
 * Add them to the list in the process's answer to slots functions=0. False, and nothing is added: the process
 * itself has to look, since the file cannot be read, others have changed its code in memory, it declares slots, or
 * an indirect function is among them, of which only the process knows what is in use.
 */
bool program_functions_add(const struct process *process, struct json_object *reply);

#endif
