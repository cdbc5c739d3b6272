/*
 * first_ring.h - makes the threads at a ring, on the host thread that it interrupted, at a safe moment.
 *
 * Runs in the doorbell's signal handler. If the ring finds no safe moment, also not within a few thousand
 * instructions, the ring is recorded. The next ring tries again. The threads are also made when the host makes its
 * first thread.
 */
#ifndef HOTPATCH_FIRST_RING_H
#define HOTPATCH_FIRST_RING_H

#include <stdbool.h>

/* Make the threads, if they are to be made and the thread that was interrupted in `context` (the handler's
 * ucontext_t) holds none of the locks that this takes. Return whether this was tried. If no thread can be made, a
 * later moment is no better. */
bool first_ring_try(void *context);
/* Step the thread to a safe moment, if first_ring_try() has not tried. This is the last call in the handler. */
void first_ring_go_on(void *context, int doorbell);

#endif
