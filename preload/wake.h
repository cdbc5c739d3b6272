/*
 * wake.h - how a thread of the shim is woken: the listener from its ppoll(2) by a signal, the worker from its futex.
 *
 * Any thread, signal handlers too.
 */
#ifndef HOTPATCH_WAKE_H
#define HOTPATCH_WAKE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WAKE_SIGNAL 33 /* SIGSETXID, which the listener does not block */

/* Make the listener leave its ppoll(2). Return false where it cannot be reached. */
bool wake_listener(void);
/* Listener, with WAKE_SIGNAL blocked: return whether it was woken since the last call. After it the listener looks at
 * everything that it may have been woken for. */
bool wake_listener_seen(void);

/* Make the worker look whether there is work. */
void wake_worker(void);
/* The word that wake_worker() changes and wakes. */
const _Atomic uint32_t *wake_worker_word(void);

/* Before a listener is made, and in a forked child: no signal is under way to it. */
void wake_reset(void);

#endif
