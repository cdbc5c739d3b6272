/*
 * doorbell.h - the signal by which the command wakes the listener, or makes the shim's threads, and the check whether
 * its action is the shim's or the host's.
 */
#ifndef HOTPATCH_DOORBELL_H
#define HOTPATCH_DOORBELL_H

#include <signal.h>
#include <stdbool.h>

#include "base/sys.h"
#include "base/sys_signal.h"

/* Signals that are not blocked in the handler. glibc's setuid(2) waits until each thread has handled signal 33,
 * perhaps with a lock held that the handler waits for. Signal 32 is blocked: pthread_cancel(3) would unwind the
 * handler at any instruction. */
#define DOORBELL_OPEN_SIGNALS (SYS_FAULT_SIGNALS | SYS_SIGBIT(33))

typedef void doorbell_function(int signal, siginfo_t *info, void *context);

/* Constructor: let `handler` handle `signal`; 0: none. A signal that the host already handles stays the host's. Return
 * whether it was ignored before. */
bool doorbell_start(int signal, doorbell_function *handler);
/* Return whether a ring makes the threads, and not the constructor. No system call. */
bool doorbell_makes_threads(void);
/* Return the signal, if the shim's handler is its action; 0: there is no doorbell, or its action is the host's. Any
 * thread. */
int doorbell_signal(void);
/* Return the last result of doorbell_signal(). No system call. */
int doorbell_number(void);
/* Ignore the signal if the shim's handler is its action; `old` gets that action. Any thread; a child of vfork(2). */
bool doorbell_ignore(struct sys_sigaction *old);

/* For interpose/sigaction.c and by_number.c. Host threads. */
void doorbell_action(struct sigaction *action); /* the action that doorbell_start() sets */
bool doorbell_is_ours(const struct sigaction *action);
/* Put the default action in place of the shim's. */
void doorbell_hide(struct sys_sigaction *action);
/* Make the threads now, if they do not exist: the host has set an action of its own, and no ring can make them
 * later. */
void doorbell_give_up(void);
/* Handle an action that the host has set by another function, which has returned `old`. Return the value for the
 * host. */
sighandler_t doorbell_after_change(sighandler_t old);

/* Handler: record a ring. */
void doorbell_note_ring(void);
/* Listener, constructor: return whether a ring came since the last call. */
bool doorbell_rang(void);

#endif
