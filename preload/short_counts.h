/*
 * short_counts.h - calls that have moved bytes and that a signal ends with a short count.
 *
 * Runs in the doorbell's signal handler: system calls alone; the host's memory is read by process_vm_readv(2).
 */
#ifndef HOTPATCH_SHORT_COUNTS_H
#define HOTPATCH_SHORT_COUNTS_H

#include <stdbool.h>

#include "base/under_mask.h"

/*
 * Return whether `call`, which has moved `moved` bytes, has a rest that another call may move. If so, fill number and
 * arguments of `rest` with that call, which moves at most *size bytes. This may be a part of the rest.
 *
 * Calls: write, writev, send, sendto, sendmsg, sendfile, to pipes, sockets and terminals; recv with MSG_WAITALL;
 * getrandom, and read of the kernel's own devices (/dev/zero, /dev/urandom).
 */
bool short_counts_rest(const struct under_mask *call, long moved, struct under_mask *rest,
                       long *size);

#endif
