/*
 * first_ring.h - the ring that makes the threads: on the host thread that it interrupted, at a safe moment.
 *
 * Signal handler of the doorbell. A ring that finds no such moment, and none a few thousand instructions on,
 * is kept: the next one tries again, and the listener and the worker are also made when the host makes its first thread.
 */
#ifndef HOTPATCH_FIRST_RING_H
#define HOTPATCH_FIRST_RING_H

#include <stdbool.h>

/* Make the threads, if they are wanted and the thread that was interrupted in `context` (the handler's
 * ucontext_t) holds none of the locks that this takes. Return whether this was tried; where no thread can be made,
 * another moment is no better. */
bool first_ring_try(void *context);
/* Where that was not tried: let the thread run to where it may. Last in the handler. */
void first_ring_go_on(void *context, int doorbell);

#endif
