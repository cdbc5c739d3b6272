/*
 * worker.c - see worker.h.
 *
 * The worker shares the host's descriptor table, so that descriptors opened by a patch are the host's. Between jobs
 * the worker sleeps on a futex. If a job does not return, the listener continues without the worker: each request
 * that needs the worker is refused as busy.
 */
#include "preload/worker.h"

#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/state.h"
#include "base/sys_wait.h"
#include "preload/log.h"
#include "preload/main_exit.h"
#include "preload/thread_role.h"
#include "preload/threads.h"
#include "preload/wake.h"

enum job_state {
    IDLE,
    QUEUED,   /* the caller may still take it back */
    RUNNING,  /* the caller waits */
    ABANDONED /* the caller has stopped waiting: the worker owns the job */
};

#define DEFAULT_LIMIT_MS 10000

static struct {
    _Atomic uint32_t state; /* enum job_state; the futex that callers wait on */
    struct worker_job *job;
    struct lock caller; /* one worker_run() at a time */
    struct lock name;
    _Atomic uint32_t number; /* of jobs begun */
    uint32_t not_waited_for; /* the job that outlasted worker_fork_prepare() */
} worker STATE;

static char worker_job_name[PATH_MAX + 64]; /* "": idle */

static bool is_idle(void)
{
    return atomic_load_explicit(&worker.state, memory_order_acquire) == IDLE;
}

static void name_job(const char *what)
{
    lock_acquire(&worker.name);
    snprintf(worker_job_name, sizeof(worker_job_name), "%s", what);
    lock_release(&worker.name);
}

void worker_doing(char *buffer, size_t size)
{
    lock_acquire(&worker.name);
    snprintf(buffer, size, "%s", worker_job_name);
    lock_release(&worker.name);
}

static bool change_unwoken(enum job_state from, enum job_state to)
{
    uint32_t expected = from;

    return atomic_compare_exchange_strong_explicit(&worker.state, &expected, to,
                                                   memory_order_acq_rel, memory_order_acquire);
}

static bool change_state(enum job_state from, enum job_state to)
{
    if (!change_unwoken(from, to))
        return false;
    sys_futex_wake(&worker.state, INT32_MAX);
    return true;
}

static void run_queued(void)
{
    struct worker_job *job;

    /* The waiting thread is not woken before the job is done. This saves two thread switches. */
    if (!change_unwoken(QUEUED, RUNNING))
        return;
    job =
        worker
            .job; /* read after the change: before it, a job may be taken back and freed, and another queued */
    job->run(job);
    name_job("");
    if (change_state(RUNNING, IDLE))
        return;
    job->abandon(job);
    change_state(ABANDONED, IDLE);
}

void worker_main(void)
{
    const _Atomic uint32_t *word = wake_worker_word();

    for (;;) {
        uint32_t seen = atomic_load_explicit(word, memory_order_acquire);

        /* Read after that load: otherwise a wake in between would be lost and the thread would sleep. */
        if (threads_stopping())
            return;
        log_flush();
        if (atomic_load_explicit(&worker.state, memory_order_acquire) == QUEUED)
            run_queued();
        else if (main_exit_wait(word, seen))
            wake_listener();
        threads_leave_if_told();
    }
}

/* Wait until the job has left QUEUED and RUNNING, or the limit has passed. */
static int await_job(const struct timespec *limit)
{
    for (;;) {
        uint32_t state = atomic_load_explicit(&worker.state, memory_order_acquire);

        if (state == IDLE)
            return 0;
        if (sys_futex_wait(&worker.state, state, limit) != -ETIMEDOUT)
            continue;
        /* Exactly one of three results: the job never began, it is abandoned, it is done. */
        if (change_state(QUEUED, IDLE)) {
            name_job("");
            return -EBUSY;
        }
        if (change_state(RUNNING, ABANDONED))
            return -ETIMEDOUT;
        return 0;
    }
}

/* Run the job on the calling thread. A job of the main thread that stands in for the worker is named and logged too: a
 * constructor that hangs keeps the program from its main(). */
static void run_here(struct worker_job *job)
{
    bool stands_in = thread_role_has_stand_in();

    if (stands_in) {
        log_write(LOG_INFO, "run: %s", job->what);
        name_job(job->what);
    }
    job->run(job);
    if (stands_in)
        name_job("");
}

int worker_run(struct worker_job *job, uint64_t deadline)
{
    struct timespec limit = clock_spec(deadline ? deadline : clock_ms() + DEFAULT_LIMIT_MS);
    int result = -EBUSY;

    if (thread_role() == THREAD_WORKER) {
        run_here(job);
        return 0;
    }
    if (!threads_have_worker() || !lock_try(&worker.caller))
        return -EBUSY;
    if (is_idle()) {
        log_write(LOG_INFO, "run: %s", job->what);
        name_job(job->what);
        worker.job = job;
        atomic_fetch_add_explicit(&worker.number, 1, memory_order_relaxed);
        atomic_store_explicit(&worker.state, QUEUED, memory_order_release);
        wake_worker();
        result = await_job(&limit);
    }
    lock_release(&worker.caller);
    return result;
}

/* ---- a job that is a function and a copy of its data ---- */

struct call {
    struct worker_job job;
    void (*function)(void *data);
    _Alignas(max_align_t) char data[];
};

static void run_call(struct worker_job *job)
{
    struct call *call = (struct call *)job;

    call->function(call->data);
}

static void abandon_call(struct worker_job *job)
{
    free(job);
}

int worker_call(void (*function)(void *data), void *data, size_t size, const char *what,
                uint64_t deadline)
{
    struct call *call = malloc(sizeof(*call) + size);
    int result;

    if (!call)
        return -ENOMEM;
    call->job = (struct worker_job){run_call, abandon_call, what};
    call->function = function;
    if (size > 0)
        memcpy(call->data, data, size);
    result = worker_run(&call->job, deadline);
    if (result == -ETIMEDOUT)
        return result; /* the worker frees it */
    if (result == 0 && size > 0)
        memcpy(data, call->data, size);
    free(call);
    return result;
}

/* ---- fork ---- */

void worker_fork_prepare(uint64_t until)
{
    struct timespec limit = clock_spec(until);
    uint32_t number = atomic_load_explicit(&worker.number, memory_order_relaxed);

    if (thread_role() != THREAD_HOST)
        return;
    for (;;) {
        uint32_t state = atomic_load_explicit(&worker.state, memory_order_acquire);

        if (state == IDLE || worker.not_waited_for == number)
            return;
        if (sys_futex_wait(&worker.state, state, &limit) == -ETIMEDOUT) {
            worker.not_waited_for = number;
            return;
        }
    }
}

void worker_reset(void)
{
    atomic_store_explicit(&worker.state, IDLE, memory_order_relaxed);
    lock_reset(&worker.caller);
    lock_reset(&worker.name);
    if (worker_job_name[0])
        worker_job_name[0] = '\0';
    worker.job = NULL;
}
