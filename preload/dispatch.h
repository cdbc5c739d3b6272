/*
 * dispatch.h - runs a request: checks, engine, history, status file, reply.
 *
 * Runs on the listener, except dispatch_startup_patches() and dispatch_startup_refused().
 */
#ifndef HOTPATCH_DISPATCH_H
#define HOTPATCH_DISPATCH_H

#include <stdbool.h>

#include "preload/framing.h"

/* Run a request or transaction that came by the FIFO, and send the reply. Of type frame_handler. */
void dispatch_frame(void *context, const struct frame *frame);
/* Do the same for a request that came by the pipe of a jail. The reply goes into the jail's other pipe. */
void dispatch_jail_frame(void *context, const struct frame *frame);
/* Return when the engine has work that is due at a time, CLOCK_MONOTONIC ms; 0: never. */
uint64_t dispatch_deferred_at(void);
/* Do that work. */
void dispatch_deferred(void);
/* Reload after a ring of the doorbell, and try again the patches that were refused at the start. */
void dispatch_doorbell(void);
/* Let the next dispatch_idle() write PID.json. */
void dispatch_status_changed(void);
/* Write PID.json if it is due. Called when no more bytes can be read. */
void dispatch_idle(void);
/* Write the first PID.json. */
void dispatch_start_status(void);

/* Constructor: apply the patches of HOTPATCH_PATCH, once. */
void dispatch_startup_patches(void);
/* Constructor: return whether one of them was refused; the log says why. */
bool dispatch_startup_refused(void);

void dispatch_reset(void); /* in a forked child */

#endif
