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

/* Constructor: set the functions that the two threads run. */
void threads_set_functions(thread_function *worker, thread_function *listener);

/*
 * Make both threads, on a host thread. With `now` return when the FIFO exists or cannot be made. The threads inherit
 * the caller's rights and name spaces.
 */
void threads_start(bool now);
/* Return whether the threads were made in this process. No system call. */
bool threads_made(void);
/* Record that the host makes a thread by libc. */
void threads_note_host_thread(void);
/* Return whether the host has made a thread by libc in this process. */
bool threads_host_has_made_one(void);
/* Host thread: wait until threads_start(true) would return. */
void threads_hurry(void);
/* Return whether unshare(2) and similar calls of the calling thread apply to the shim's threads too. True on the main
 * thread: if a thread of a pool gives up its own rights, the process keeps them. False in a child of vfork(2), which
 * has this process's memory and not its threads. */
bool threads_follow_caller(void);
#define THREADS_STOP_MS 2000 /* how long a call of the host's waits for their end */
/* Host thread: end both threads. Return false if a thread has not ended at `until` (ms of CLOCK_MONOTONIC). */
bool threads_stop(uint64_t until);
/* Host thread: do what threads_stop() does; from then on only a ring makes the threads. */
bool threads_give_way(uint64_t until);
bool threads_gave_way(void);
/* Return whether the threads are of this process. False in a child of vfork(2), and in a child that was made without
 * fork(3). */
bool threads_here(void);
/* Forked child: record that neither thread exists. */
void threads_reset(void);

/* Return whether the worker runs. */
bool threads_have_worker(void);
/* Listener, at its start: wait until the worker's tid is known. */
void threads_await_worker(uint64_t until);
/* Listener: record that the FIFO exists, so that the constructor may return. */
void threads_listener_armed(void);
bool threads_stopping(void);
/* Listener, when no thread of the host is left: end both threads by exit(2), so that no handler of exit(3) runs and
 * the process has the wait status of its main thread. Does not return. */
void threads_leave(int status) __attribute__((noreturn));
/* Worker: end if the listener has called threads_leave(). */
void threads_leave_if_told(void);

#endif
