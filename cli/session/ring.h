/*
 * ring.h - ring the doorbell of a process (design.md, section 7) where that harms nothing: never one that
 * does not catch the signal, which a real-time signal would end.
 */
#ifndef HOTPATCH_RING_H
#define HOTPATCH_RING_H

#include <stdbool.h>

#include "cli/process/proc_facts.h"

enum ring {
    RING_NOT_NOW, /* a later look may find another moment */
    RING_LISTENER,
    RING_THREAD /* which makes the listener, now or at a later ring */
};

/*
 * Ring its listener, else its main thread. Not now: the listener is busy; the thread blocks the signal,
 * or would take it by sigwait(3); the one or the other has one pending; the process is stopped or traced, or so
 * young that it may be about to execute another program. `flags`: what the ring carries, filtered.h.
 */
enum ring ring(const struct process *process, int number, uint32_t flags);

/* Does its main thread wait in a call that a ring makes begin its time anew (epoll_wait(2) ...)? Then a look
 * again within RING_PATIENCE ms may find another moment. */
enum { RING_PATIENCE = 20 };
bool ring_later(const struct process *process, int number);

#endif
