/*
 * thread_role.h - which thread is which: the listener, the worker, and the threads of the host.
 *
 * Any thread, signal handlers too: no system call unless a host thread stands in for the worker, no function of libc.
 */
#ifndef HOTPATCH_THREAD_ROLE_H
#define HOTPATCH_THREAD_ROLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/sys.h"

enum thread_role { THREAD_WORKER, THREAD_LISTENER, THREAD_HOST };

/* Every other signal is blocked in the listener and the worker: faults of their own, and glibc's SIGCANCEL and
 * SIGSETXID, without which the host's setuid() would wait for ever. */
#define THREAD_OPEN_SIGNALS (SYS_FAULT_SIGNALS | SYS_SIGBIT(32) | SYS_SIGBIT(33))

/* Return the role of the calling thread. */
enum thread_role thread_role(void);
/* Return the thread's tid; 0: it does not exist, or has not begun to run. */
pid_t thread_role_listener(void);
pid_t thread_role_worker(void);
/* Return whether `tid` is the listener or the worker. */
bool thread_role_owned(pid_t tid);

/* The listener or the worker itself, first and last in its function. */
void thread_role_begin(enum thread_role role);
void thread_role_end(enum thread_role role);

/* Constructor: from `begin` on the calling host thread is THREAD_WORKER and runs the worker's jobs itself, and no
 * thread is to be made; then it is a host thread again. */
void thread_role_stand_in(bool begin);
bool thread_role_has_stand_in(void);

/* Forked child: neither of the two threads exists. */
void thread_role_reset(void);

#endif
