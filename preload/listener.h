/*
 * listener.h - the thread that waits at the FIFO.
 *
 * It has a descriptor table of its own, so that neither it nor the host can see, inherit, close or
 * reuse a descriptor of the other. In it /proc/self/fd is the host's: use /proc/thread-self/fd.
 */
#ifndef HOTPATCH_LISTENER_H
#define HOTPATCH_LISTENER_H

#include <stdbool.h>

/* What the thread runs. */
void listener_main(void);
/* Listener: return a descriptor of the program's own file, or -1. */
int listener_program(void);
/* Any host thread: let PID.json be written soon. */
void listener_status_stale(void);
/* Main thread, as it ends: let the listener look from now on whether any host thread is left. */
void listener_host_may_end(void);
void listener_reset(void); /* in a forked child */

#endif
