/*
 * host_signals.h - the signals that end the host's system calls.
 *
 * Runs in the doorbell's signal handler: system calls alone.
 */
#ifndef HOTPATCH_HOST_SIGNALS_H
#define HOTPATCH_HOST_SIGNALS_H

#include "base/sys.h"

struct host_signals {
    sys_sigset handled; /* signals with a handler: they end poll(2), pause(2) ... */
    sys_sigset ending;  /* those without SA_RESTART: they also end read(2) ... */
};

/* Read the actions, with one system call for each signal. The doorbell is left out. */
void host_signals_read(struct host_signals *signals, int doorbell);

#endif
