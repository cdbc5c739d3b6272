/*
 * listens.h - when a process makes the threads that read its FIFO, by its environment and by /proc.
 */
#ifndef HOTPATCH_LISTENS_H
#define HOTPATCH_LISTENS_H

#include <stdbool.h>

#include "cli/process/proc_facts.h"

enum listens { LISTENS_FIRST_RING, LISTENS_START, LISTENS_NEVER };

/* Return the value of HOTPATCH_LISTEN in the environment that the process was started with. */
enum listens process_listens(const struct process *process);

/* Return whether the process catches the signal. The kernel ends a process that does not. */
bool process_catches(const struct process *process, int number);

/* Return whether the process has the library, no thread of the library, and a doorbell whose first ring makes
 * them. */
bool process_waits_for_ring(const struct process *process);

#endif
