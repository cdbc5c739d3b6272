/*
 * sweep.h - files in the runtime directory whose process has ended: one in the way of this process's own
 * is replaced, and each start removes a few of the others.
 *
 * A FIFO without a reader is not stale: its process may not have had a request. Files go by the
 * process that made them (maker.h, or the status file): stale are those of this process's own pid namespace
 * whose process is gone or has started after they were made. Of other namespaces nothing is known here
 * but what a reader shows; hotpatch ps, as root of the machine, sees those.
 *
 * Whoever removes a file of another process holds the lock from the look to the removal: between them the
 * number may be given to a new process, which makes its FIFO under the same name. Holders are never waited
 * for: one may be stopped.
 *
 * Constructor and listener; unit tests. By system calls alone.
 */
#ifndef HOTPATCH_SWEEP_H
#define HOTPATCH_SWEEP_H

#include <stdbool.h>

#include "base/maker.h"

#define SWEEP_REMOVED_MAX 4 /* files, by one start */

bool sweep_lock(int dir); /* of the directory; false: others hold it */
void sweep_unlock(int dir);

/* Holding the lock: `name` is the FIFO of a process with this one's number. Return whether that process
 * is this one or has ended. */
bool sweep_way_is_clear(int dir, const char *name, const struct maker *self);

/* Remove at most SWEEP_REMOVED_MAX files of dead processes. At most two blocks of the directory are read. `thorough`:
 * the start times of live processes are read. */
void sweep_some(int dir, const struct maker *self, bool thorough);

#endif
