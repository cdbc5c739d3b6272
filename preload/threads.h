/*
 * threads.h - the two threads of the shim, both named `hotpatch`: their start and their end.
 *
 * listener: private descriptor table, see listener.h.
 * worker:   shares the host's descriptor table; runs patch code and the dynamic linker, see worker.h.
 */
#ifndef HOTPATCH_THREADS_H
#define HOTPATCH_THREADS_H

#include <stdbool.h>
#include <stdint.h>

#include "preload/thread_role.h"

typedef void thread_function(void);

/* Constructor: what the two threads run. */
void threads_set_functions(thread_function *worker, thread_function *listener);

/*
 * Host thread: make both threads. With `now` return when the FIFO exists or cannot be made. The threads inherit the
 * caller's rights and name spaces.
 */
void threads_start(bool now);
/* Return whether they were made in this process. No system call. */
bool threads_made(void);
/* The host makes a thread by libc; has it done so in this process? */
void threads_note_host_thread(void);
bool threads_host_has_made_one(void);
/* Host thread: return when threads_start(true) would. */
void threads_hurry(void);
/* Return whether unshare(2) and its kin apply to them too: in the main thread (a thread pool that gives up
 * one thread's rights does not mean the process), and not in vfork(2)'s child, which has this process's memory
 * and not its threads. */
bool threads_follow_caller(void);
#define THREADS_STOP_MS 2000 /* how long a call of the host's waits for their end */
/* Host thread: end both. Return false where one has not ended at `until` (CLOCK_MONOTONIC ms). */
bool threads_stop(uint64_t until);
/* Host thread: as threads_stop(); from then on a ring makes them, and nothing else. */
bool threads_give_way(uint64_t until);
bool threads_gave_way(void);
/* Return whether they are of this process: not in a child of vfork(2), nor in one that was made past fork(3). */
bool threads_here(void);
/* Forked child: none of the threads exists. */
void threads_reset(void);

/* Return whether the worker runs. */
bool threads_have_worker(void);
/* Listener, at its start: wait until the worker's tid is known. */
void threads_await_worker(uint64_t until);
/* Listener: the FIFO exists; the constructor may return. */
void threads_listener_armed(void);
bool threads_stopping(void);
/* Listener: no thread of the host is left. Both threads end by exit(2), so that no handler of exit(3) runs and
 * the process has the wait status of its main thread. Does not return. */
void threads_leave(int status) __attribute__((noreturn));
/* Worker: end if the listener has called threads_leave(). */
void threads_leave_if_told(void);

#endif
