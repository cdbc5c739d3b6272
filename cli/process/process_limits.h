/* process_limits.h - whether a process's own limits leave room for what the shim must have in it. */
#ifndef HOTPATCH_PROCESS_LIMITS_H
#define HOTPATCH_PROCESS_LIMITS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/refusal.h"

/*
 * `listens`: somebody reads the FIFO of the process; then only an answer must be possible. Else two threads,
 * their stacks and the listener's descriptors. 0, or -1 with HP-LIMIT or HP-MEMORY. A limit that cannot
 * be read is none.
 */
int limits_leave_room(pid_t pid, bool listens, struct refusal *why);

#endif
