/*
 * old_calls.h - calls that began before a switch and have not returned: threads that still run a function's old code.
 *
 * Called by the listener with the engine lock held. Only threads that sleep can be looked at (loader/text/frames.h).
 */
#ifndef HOTPATCH_OLD_CALLS_H
#define HOTPATCH_OLD_CALLS_H

#include "base/reported.h"

/* Call `put` for each thread and each entry slot whose old code the thread is in. */
void old_calls_each(reported_old_call_fn *put, void *context);
/* Then call `put` for each thread that ran whenever it was looked at, with its number and name alone. */
void old_calls_each_running(reported_old_call_fn *put, void *context);

#endif
