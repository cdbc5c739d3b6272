/*
 * doorbell.h - the signal that says "look again": re-arm the FIFO, reload what has changed.
 */
#ifndef HOTPATCH_DOORBELL_H
#define HOTPATCH_DOORBELL_H

#include <signal.h>
#include <stdbool.h>

#include "base/sys.h"
#include "base/sys_signal.h"

/* All others are blocked in the handler. glibc's setuid(2) waits for each thread's answer to signal 33, perhaps
 * with a lock held that the handler waits for. Signal 32 is blocked: pthread_cancel(3) would unwind the handler at
 * any instruction. */
#define DOORBELL_OPEN_SIGNALS (SYS_FAULT_SIGNALS | SYS_SIGBIT(33))

/* Constructor. A signal that the host already handles stays the host's. */
void doorbell_start(int signal);
/* Was the signal ours at the start? No system call. */
bool doorbell_was_ours(void);
/* The signal, if it is still ours; 0: none, or the host's. Any thread. */
int doorbell_signal(void);
/* The signal, if it was ours when that was looked at last; 0: none, or the host's. No system call. */
int doorbell_number(void);
/* Ignore the signal if it is still ours; `old` is the action to put back. Any thread; a child of vfork(2). */
bool doorbell_ignore(struct sys_sigaction *old);

/* For sigaction.c. Host threads. */
void doorbell_action(struct sigaction *action); /* what doorbell_start() sets */
bool doorbell_is_ours(const struct sigaction *action);
void doorbell_hide(struct sys_sigaction *action); /* ours: the default action instead */
/* The host has set an action of its own: the threads are made now, if they are made later at all. */
void doorbell_taken(void);
/* The host has set some action by another function, which returned `old`. What is the host to be told? */
sighandler_t doorbell_seen(sighandler_t old);

/* Listener: whether it rang since the last call. */
bool doorbell_rang(void);

#endif
