/*
 * listener.h - the thread that reads requests from the FIFO.
 *
 * The listener has a descriptor table of its own, so that neither the listener nor the host can see, inherit, close
 * or reuse a descriptor of the other. On this thread /proc/self/fd shows the host's descriptors; use
 * /proc/thread-self/fd.
 */
#ifndef HOTPATCH_LISTENER_H
#define HOTPATCH_LISTENER_H

#include <stdbool.h>

/* Run the listener: the thread's main function. */
void listener_main(void);
/* Listener: return a descriptor of the program's own file, or -1. */
int listener_program(void);
/* Any host thread: let PID.json be written soon. */
void listener_status_stale(void);
/* Main thread, at its end: let the listener check from now on whether a host thread is left. */
void listener_host_may_end(void);
void listener_reset(void); /* in a forked child */

#endif
