/*
 * worker.c - the thread that runs patch code and the dynamic linker, one job at a time.
 *
 * It shares the host's descriptor table, so that descriptors a patch opens are the host's. It
 * sleeps on a futex and touches nothing else. A job that does not return costs the process this
 * thread: the listener goes on, and everything that needs the worker is refused as busy.
 */
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/state.h"
#include "base/sys_wait.h"
#include "preload/listener.h"
#include "preload/log.h"
#include "preload/main_exit.h"
#include "preload/threads.h"

enum state {
    IDLE,
    QUEUED,   /* the caller may still take it back */
    RUNNING,  /* the caller waits */
    ABANDONED /* the caller is gone: the worker owns the job */
};

#define DEFAULT_LIMIT_MS 10000

static struct {
    _Atomic uint32_t wake;  /* counts reasons to look */
    _Atomic uint32_t state; /* enum state; the futex that callers wait on */
    struct worker_job *job;
    struct lock caller; /* one worker_run() at a time */
    struct lock name;
    _Atomic uint32_t number; /* of jobs begun */
    uint32_t not_waited_for; /* the job that worker_settle() gave up on */
} worker STATE;

static char worker_job_name[PATH_MAX + 64]; /* "": idle */

void worker_wake(void)
{
    atomic_fetch_add_explicit(&worker.wake, 1, memory_order_release);
    sys_futex_wake(&worker.wake, 1);
}

bool worker_idle(void)
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

static bool change_unseen(enum state from, enum state to)
{
    uint32_t expected = from;

    return atomic_compare_exchange_strong_explicit(&worker.state, &expected, to,
                                                   memory_order_acq_rel, memory_order_acquire);
}

static bool change_state(enum state from, enum state to)
{
    if (!change_unseen(from, to))
        return false;
    sys_futex_wake(&worker.state, INT32_MAX);
    return true;
}

static void run_queued(void)
{
    struct worker_job *job;

    /* Who waits for the job sleeps on until it is done: two switches of threads are saved. */
    if (!change_unseen(QUEUED, RUNNING))
        return;
    job = worker.job; /* not before: it may have been taken back, freed, and another be queued */
    job->run(job);
    name_job("");
    if (change_state(RUNNING, IDLE))
        return;
    job->abandon(job);
    change_state(ABANDONED, IDLE);
}

void *worker_main(void *unused)
{
    (void)unused;
    for (;;) {
        uint32_t seen = atomic_load_explicit(&worker.wake, memory_order_acquire);

        /* After that load: a wake between the two would be seen as an old one, and the thread sleep on. */
        if (threads_stopping())
            return NULL;
        log_flush();
        if (atomic_load_explicit(&worker.state, memory_order_acquire) == QUEUED)
            run_queued();
        else if (main_exit_wait(&worker.wake, seen))
            listener_main_thread_ended();
        threads_leave_if_told();
    }
}

/* Until the job has left QUEUED and RUNNING, or the limit has passed. */
static int await_job(const struct timespec *limit)
{
    for (;;) {
        uint32_t state = atomic_load_explicit(&worker.state, memory_order_acquire);

        if (state == IDLE)
            return 0;
        if (sys_futex_wait(&worker.state, state, limit) != -ETIMEDOUT)
            continue;
        /* Exactly one of these three comes true: it never began, it is left behind, it is done. */
        if (change_state(QUEUED, IDLE)) {
            name_job("");
            return -EBUSY;
        }
        if (change_state(RUNNING, ABANDONED))
            return -ETIMEDOUT;
        return 0;
    }
}

/* What the main thread does for the worker is named too: a constructor that hangs keeps the program from its
 * main(). */
static void run_here(struct worker_job *job)
{
    bool stands_in = threads_have_stand_in();

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

    if (threads_self() == THREAD_WORKER) {
        run_here(job);
        return 0;
    }
    if (!threads_have_worker() || !lock_try(&worker.caller))
        return -EBUSY;
    if (worker_idle()) {
        log_write(LOG_INFO, "run: %s", job->what);
        name_job(job->what);
        worker.job = job;
        atomic_fetch_add_explicit(&worker.number, 1, memory_order_relaxed);
        atomic_store_explicit(&worker.state, QUEUED, memory_order_release);
        worker_wake();
        result = await_job(&limit);
    }
    lock_release(&worker.caller);
    return result;
}

void worker_settle(uint64_t until)
{
    struct timespec limit = clock_spec(until);
    uint32_t number = atomic_load_explicit(&worker.number, memory_order_relaxed);

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
