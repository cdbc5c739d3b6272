/*
 * thread_role.h - the role of a thread: listener, worker, or thread of the host.
 *
 * Any thread, also in signal handlers. No libc function. No system call unless a host thread stands in for the
 * worker.
 */
#ifndef HOTPATCH_THREAD_ROLE_H
#define HOTPATCH_THREAD_ROLE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/sys.h"

enum thread_role { THREAD_WORKER, THREAD_LISTENER, THREAD_HOST };

/* Signals that the listener and the worker do not block: faults of their own, and glibc's SIGCANCEL and SIGSETXID,
 * without which the host's setuid() would wait for ever. All others are blocked. */
#define THREAD_OPEN_SIGNALS (SYS_FAULT_SIGNALS | SYS_SIGBIT(32) | SYS_SIGBIT(33))

/* Return the role of the calling thread. */
enum thread_role thread_role(void);
/* Return the thread's tid; 0: the thread does not exist, or has not begun to run. */
pid_t thread_role_listener(void);
pid_t thread_role_worker(void);
/* Return whether `tid` is the listener or the worker. */
bool thread_role_owned(pid_t tid);

/* Set and clear the role of the calling thread: the listener's or the worker's first and last call. */
void thread_role_begin(enum thread_role role);
void thread_role_end(enum thread_role role);

/* Constructor: with `begin` the calling host thread becomes THREAD_WORKER and runs the worker's jobs itself, and no
 * thread is to be made. Without `begin` it is a host thread again. */
void thread_role_stand_in(bool begin);
bool thread_role_has_stand_in(void);

/* Forked child: record that neither thread exists. */
void thread_role_reset(void);

#endif
