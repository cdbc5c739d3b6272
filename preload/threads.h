/*
 * threads.h - the two threads of ours, both named `hotpatch`: their start, their end, and the
 * worker's jobs.
 *
 * listener: private descriptor table, see listener.h.
 * worker:   shares the host's descriptor table; runs patch code and the dynamic linker.
 */
#ifndef HOTPATCH_THREADS_H
#define HOTPATCH_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine_api.h"

enum thread_role { THREAD_HOST, THREAD_LISTENER, THREAD_WORKER };

enum thread_role threads_self(void);
pid_t threads_listener(void); /* its tid; 0: none */
pid_t threads_worker(void);   /* likewise */
bool threads_owned(pid_t tid);

/* Host thread; makes those that are missing. With `wait`: returns when the FIFO stands and is
 * read, or cannot be. The threads inherit the caller's name spaces and rights. */
bool threads_start(bool wait);
/* Host thread. False: a thread of ours did not end by then (CLOCK_MONOTONIC ms). */
bool threads_stop(uint64_t until);
/* In a forked child: none of the threads exists. */
void threads_reset(void);

bool threads_have_worker(void);
void threads_await_worker(uint64_t until); /* listener, at its start */

/* Listener: the FIFO stands; the constructor may return. */
void threads_listener_armed(void);
bool threads_stopping(void);
/* Any host thread: make the listener leave its ppoll. False: it cannot be reached. */
bool threads_poke(void);

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
