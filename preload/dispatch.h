/*
 * dispatch.h - what is done with a request: checks, engine, history, status file, reply.
 *
 * Listener only, but for dispatch_startup_refused().
 */
#ifndef HOTPATCH_DISPATCH_H
#define HOTPATCH_DISPATCH_H

#include <stdbool.h>

#include "preload/framing.h"

void dispatch_frame(void *context, const struct frame *frame);
/* Of one that came by the pipe of a jail, and is answered by the other. */
void dispatch_jail_frame(void *context, const struct frame *frame); /* a frame_handler */
/* What the engine has to do when time has passed: when, CLOCK_MONOTONIC ms, 0: never; and do it. */
uint64_t dispatch_deferred_at(void);
void dispatch_deferred(void);
void dispatch_doorbell(void);
void dispatch_status_changed(void); /* PID.json is to be written */
void dispatch_idle(void);           /* nothing more to read: writes it */
void dispatch_start_status(void);   /* the first one */

/* HOTPATCH_PATCH, once, before the constructor returns. */
void dispatch_startup_patches(void);
/* Constructor: one of them was refused (the log has said why). */
bool dispatch_startup_refused(void);

void dispatch_reset(void); /* in a forked child */

#endif
