/*
 * stale.h - removes what dead processes and killed commands left in a runtime directory.
 */
#ifndef HOTPATCH_STALE_H
#define HOTPATCH_STALE_H

#include <stddef.h>

#include "cli/process/proc_facts.h"

/* Remove FIFOs and status files of processes that have ended (or whose PID is another process's by now), reply
 * FIFOs that no process reads, copies of commands that have ended, and snapshots where no process uses the
 * directory any more. `live`: the processes that have the library or may have it. Return the number of files
 * removed. */
size_t stale_remove(int dir, const struct process *live, size_t live_count);

#endif
