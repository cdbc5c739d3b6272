/* process_limits.h - whether a process's own limits leave room for what the shim must have in it. */
#ifndef HOTPATCH_PROCESS_LIMITS_H
#define HOTPATCH_PROCESS_LIMITS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/refusal.h"

/* Check the limits of the process. With `listens`, a process that reads its FIFO, a reply must be possible;
 * without it two threads, their stacks and the listener's descriptors too. Return 0, or -1 with HP-LIMIT or HP-
 * MEMORY. A limit that cannot be read is none. */
int limits_leave_room(pid_t pid, bool listens, struct refusal *why);

#endif
