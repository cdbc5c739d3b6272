/*
 * host_signals.h - which signals end the host's system calls.
 *
 * Signal handler of the doorbell: system calls alone.
 */
#ifndef HOTPATCH_HOST_SIGNALS_H
#define HOTPATCH_HOST_SIGNALS_H

#include "base/sys.h"

struct host_signals {
    sys_sigset handled; /* that have a handler: they end poll(2), pause(2) ... */
    sys_sigset ending;  /* of these those without SA_RESTART: they end read(2) ... as well */
};

/* One system call for each signal. The doorbell is none of the host's. */
void host_signals_read(struct host_signals *signals, int doorbell);

#endif
