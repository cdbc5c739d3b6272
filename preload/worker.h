/*
 * worker.h - the thread that runs patch code and the dynamic linker, one job at a time. See worker.c.
 */
#ifndef HOTPATCH_WORKER_H
#define HOTPATCH_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/engine_api.h"

/* What the thread runs. */
void worker_main(void);

/* The contract is in engine_api.h. */
int worker_run(struct worker_job *job, uint64_t deadline);
/*
 * Run function(data) on the worker, on a copy of the `size` bytes at `data`, and wait until `deadline` (CLOCK_MONOTONIC
 * ms; 0: 10 s from now). Return 0: it has returned, and `data` is what it has left; -ETIMEDOUT: it has begun and not
 * ended, and the copy is freed when it does; -EBUSY, -ENOMEM: it is never called.
 */
int worker_call(void (*function)(void *data), void *data, size_t size, const char *what,
                uint64_t deadline);
/* Copy the `what` of the job that runs; "": none. Any thread. */
void worker_doing(char *buffer, size_t size);

/* Before fork(), host thread: wait until no job runs, and no longer than until `until`. A job that once outlasted such a
 * wait is not waited for again. */
void worker_fork_prepare(uint64_t until);
/* Forked child: the worker does not exist, nor does its job. */
void worker_reset(void);

#endif
