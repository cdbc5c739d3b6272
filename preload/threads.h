/*
 * threads.h - the two threads of ours, both named `hotpatch`: their start, their end, and the
 * worker's jobs.
 *
 * listener: private descriptor table, see listener.h.
 * worker:   shares the host's descriptor table; runs patch code and the dynamic linker.
 */
#ifndef HOTPATCH_THREADS_H
#define HOTPATCH_THREADS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/engine_api.h"

enum thread_role { THREAD_HOST, THREAD_LISTENER, THREAD_WORKER };

enum thread_role threads_self(void); /* no system call, and no function of libc */
pid_t threads_listener(void);        /* its tid; 0: none */
pid_t threads_worker(void);          /* likewise */
bool threads_owned(pid_t tid);

/*
 * Host thread. Makes both; with `now` returns when the FIFO stands or cannot. They inherit the caller's
 * rights and name spaces.
 */
bool threads_start(bool now);
/* Host thread, signal handlers at a safe moment too (safe_moment.h): makes both as soon as may be and
 * waits for neither. */
bool threads_begin(void);
/* Have they been made in this process? No system call. */
bool threads_made(void);
/* The host makes a thread by libc; has it done so in this process? */
void threads_note_host_thread(void);
bool threads_host_has_made_one(void);
void threads_hurry(void); /* host thread: returns as threads_start(true) does */
/* libc's own pthread_create(3), past the one that the shim exports. */
int threads_libc_create(pthread_t *thread, const pthread_attr_t *attributes,
                        void *(*function)(void *), void *argument);
/* Bytes of stack that libc takes for itself and for thread-local data; 0: not known. */
size_t threads_libc_least_stack(void);
/* Whether unshare(2) and its kin take ours along: in the main thread (a thread pool that gives up
 * one thread's rights does not mean the process), and not in vfork(2)'s child, which has our memory
 * and not our threads. */
bool threads_follow_caller(void);
#define THREADS_STOP_MS 2000 /* how long a call of the host's waits for their end */
/* Host thread. False: a thread of ours did not end by then (CLOCK_MONOTONIC ms). */
bool threads_stop(uint64_t until);
/* Host thread. As threads_stop(); from then on a ring makes them, and nothing else. */
bool threads_give_way(uint64_t until);
bool threads_gave_way(void);
/* Are they of this process? Not in a child of vfork(2), nor in one that was made past fork(3). */
bool threads_here(void);
/* In a forked child: none of the threads exists. */
void threads_reset(void);

/* Constructor: from `begin` on the calling host thread is THREAD_WORKER and runs the worker's jobs itself, and no
 * thread is to be made; then a host thread again. */
void threads_stand_in(bool begin);
bool threads_have_stand_in(void);

bool threads_have_worker(void);
void threads_await_worker(uint64_t until); /* listener, at its start: its number */

/* Every other signal is blocked in both: faults of their own, and glibc's SIGCANCEL and SIGSETXID,
 * without which the host's setuid() would wait for ever. */
#define THREADS_OPEN_SIGNALS (SYS_FAULT_SIGNALS | SYS_SIGBIT(32) | SYS_SIGBIT(33))

/* Listener: the FIFO stands; the constructor may return. */
void threads_listener_armed(void);
bool threads_stopping(void);
/* Listener: no thread of the host is left. Both threads end by exit(2), so that no handler of exit(3) runs and
 * the process has the wait status of its main thread. Does not return. */
void threads_leave(int status) __attribute__((noreturn));
void threads_leave_if_told(void); /* worker */
/* Any thread, signal handlers too: make the listener leave its ppoll. False: it cannot be reached. */
bool listener_wake(void);
#define THREADS_POKE_SIGNAL 33 /* SIGSETXID */
/* Listener, with that signal blocked: has it been poked since the last call? To be followed by a look at all
 * that it may have been poked for. */
bool listener_wake_seen(void);

/* worker.c; the contract of worker_run() is in engine_api.h. */
void *worker_main(void *unused);
int worker_run(struct worker_job *job, uint64_t deadline);
bool worker_idle(void);
/* Waits until no job runs; a job that once outlasted such a wait is not waited for again. */
void worker_settle(uint64_t until);
void worker_doing(char *buffer, size_t size);
void worker_wake(void);
void worker_reset(void);

#endif
