/*
 * wake.h - wakes a thread of the shim: the listener from its ppoll(2) by a signal, the worker from its futex.
 *
 * Any thread, also in signal handlers.
 */
#ifndef HOTPATCH_WAKE_H
#define HOTPATCH_WAKE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WAKE_SIGNAL 33 /* SIGSETXID, which the listener does not block */

/* Make the listener leave its ppoll(2). Return false where it cannot be reached. */
bool wake_listener(void);
/* Return whether the listener was woken since the last call. Listener, with WAKE_SIGNAL blocked. After it the
 * listener checks everything that it may have been woken for. */
bool wake_listener_seen(void);

/* Make the worker check for work. */
void wake_worker(void);
/* Return the word that wake_worker() changes and wakes. */
const _Atomic uint32_t *wake_worker_word(void);

/* Before a listener is made, and in a forked child: record that no signal to the listener is pending. */
void wake_reset(void);

#endif
