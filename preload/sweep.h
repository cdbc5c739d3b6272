/*
 * sweep.h - removes files in the runtime directory whose process has ended. A file with the name of this process's
 * own FIFO is replaced. Each start removes a few of the other files.
 *
 * A FIFO without a reader is not always stale: its process may not have had a request. The owner of a file is read
 * from its mark (maker.h) or from the status file. A file is stale if its process is of this process's pid namespace
 * and has ended, or has started after the file was made. Of processes of other namespaces this process knows only
 * whether the FIFO has a reader; hotpatch ps, as root of the machine, sees those processes.
 *
 * The lock is held from the check of another process's file to its removal. Without the lock a new process could get
 * the number in between and make its FIFO under the same name. No process waits for the lock: its holder may be
 * stopped.
 *
 * Constructor and listener; unit tests. By system calls alone.
 */
#ifndef HOTPATCH_SWEEP_H
#define HOTPATCH_SWEEP_H

#include <stdbool.h>

#include "base/maker.h"

#define SWEEP_REMOVED_MAX 4 /* files, by one start */

bool sweep_lock(int dir); /* lock the directory; false: another process holds the lock */
void sweep_unlock(int dir);

/* Call with the lock held. `name` is the FIFO of a process with this process's number. Return whether that process is
 * this process or has ended. */
bool sweep_way_is_clear(int dir, const char *name, const struct maker *self);

/* Remove at most SWEEP_REMOVED_MAX files of dead processes. At most two blocks of the directory are read. `thorough`:
 * the start times of live processes are read. */
void sweep_some(int dir, const struct maker *self, bool thorough);

#endif
