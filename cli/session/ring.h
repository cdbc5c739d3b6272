/*
 * ring.h - rings the doorbell of a process. A process that does not catch the signal is never rung: a real-time
 * signal would end it.
 */
#ifndef HOTPATCH_RING_H
#define HOTPATCH_RING_H

#include <stdbool.h>

#include "cli/process/proc_facts.h"

enum ring {
    RING_NOT_NOW, /* try again later */
    RING_LISTENER,
    RING_THREAD /* of the host: it makes the listener, now or at a later ring */
};

/*
 * Ring the listener of the process or, where there is none, its main thread. RING_NOT_NOW: the listener is busy; the
 * main thread blocks the signal or waits for it in sigwait(3); a signal is pending already; the process is stopped or
 * traced, or so young that it may be about to execute another program. `flags`: what the ring carries (filtered.h).
 */
enum ring ring(const struct process *process, int number, uint32_t flags);

/* Return whether the main thread waits in a call that would start its whole time again after a ring (epoll_wait(2)
 * ...). A look within RING_PATIENCE ms may find another moment. */
enum { RING_PATIENCE = 20 };
bool ring_later(const struct process *process, int number);

#endif
