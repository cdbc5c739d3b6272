/*
 * worker.h - the thread that runs patch code and the dynamic linker, one job at a time. See worker.c.
 */
#ifndef HOTPATCH_WORKER_H
#define HOTPATCH_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/engine_api.h"

/* Run the worker: the thread's main function. */
void worker_main(void);

/* The contract is in engine_api.h. */
int worker_run(struct worker_job *job, uint64_t deadline);
/*
 * Run function(data) on the worker, on a copy of the `size` bytes at `data`, and wait until `deadline`
 * (CLOCK_MONOTONIC ms; 0: 10 s from now). Return 0: the function has returned, and `data` has its result; -ETIMEDOUT:
 * the function has begun and not ended, and the copy is freed when it ends; -EBUSY, -ENOMEM: the function is never
 * called.
 */
int worker_call(void (*function)(void *data), void *data, size_t size, const char *what,
                uint64_t deadline);
/* Copy the name of the job that runs; "": none. Any thread. */
void worker_doing(char *buffer, size_t size);

/* Before fork(), on a host thread: wait until no job runs, at most until `until`. A job that once outlasted this wait
 * is not waited for again. */
void worker_fork_prepare(uint64_t until);
/* Forked child: record that neither the worker nor its job exists. */
void worker_reset(void);

#endif
