/*
 * at_fork.c - see at_fork.h.
 *
 * A child has the memory and the thread that forked, and no thread of the shim. In the child of fork(3) the heap
 * works, because glibc resets its locks. Locks of libc that glibc does not reset must not be taken: no locale, no
 * time zone, no stdio stream.
 */
#include "preload/at_fork.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/state.h"
#include "preload/api.h"
#include "preload/dispatch.h"
#include "preload/doorbell.h"
#include "preload/endpoint.h"
#include "preload/engine_load.h"
#include "preload/engine_lock.h"
#include "preload/exec_notice.h"
#include "preload/heap.h"
#include "preload/jail.h"
#include "preload/libc_thread.h"
#include "preload/listener.h"
#include "preload/log.h"
#include "preload/main_exit.h"
#include "preload/main_thread.h"
#include "preload/replies.h"
#include "preload/safe_point.h"
#include "preload/status.h"
#include "preload/thread_role.h"
#include "preload/threads.h"
#include "preload/wake.h"
#include "preload/worker.h"

#define FORK_WAIT_MS 200
/* libc's fork(3) gives its child new locks of the dynamic linker. A child of the bare system call keeps the old
 * locks, which the analysis of a large program's callers holds. */
#define COPY_WAIT_MS 1000

extern int __register_atfork(void (*)(void), void (*)(void), void (*)(void), void *)
    __attribute__((weak));
extern void *__dso_handle __attribute__((visibility("hidden")));

/*
 * As with pthread_atfork(3), `prepare` is called from the last row to the first, `parent` and `child` from the first to
 * the last. Each `child` is called in the one thread of the child.
 */
static const struct {
    void (*prepare)(uint64_t until);
    void (*parent)(void);
    void (*child)(void);
    bool copied; /* `child` runs in a child that was made without fork(3), too */
} steps[] = {
    /* The heap's lock. Prepared last, because each other step may allocate, and other threads of the shim wait for
     * memory until the child is made. Reset first, because the engine frees memory. */
    {heap_fork_prepare, heap_fork_parent, heap_fork_child, true},
    /* Threads that do not exist in the child. Reset before any step that reads the caller's role. */
    {NULL, NULL, thread_role_reset, false},
    {NULL, NULL, threads_reset, false},
    {NULL, NULL, wake_reset, false},
    {NULL, NULL, main_exit_reset, false},
    /* A running job, such as a dlopen(3), would leave the dynamic linker's lock held in the child. The job is waited
     * for after the engine's request, which starts the jobs. */
    {worker_fork_prepare, NULL, worker_reset, false},
    /* Independent locks and states, in any order. */
    {NULL, NULL, log_reset, false},
    {NULL, NULL, api_reset, false},
    {NULL, NULL, safe_point_reset, false},
    /* The listener's descriptors. The child does not have them, so none is closed. */
    {NULL, NULL, endpoint_reset, false},
    {NULL, NULL, jail_reset, false},
    {NULL, NULL, replies_forget, false},
    {NULL, NULL, dispatch_reset, false},
    {NULL, NULL, listener_reset, false},
    /* Before the locks: their holder shows whether the history was being changed. */
    {NULL, NULL, status_reset, false},
    /* Prepared first: after it no further request begins. */
    {engine_fork_prepare, engine_fork_parent, engine_reset_locks, true},
    {NULL, NULL, engine_load_reset, false},
    /* After the engine's locks and the heap's, because this frees memory. */
    {NULL, NULL, engine_reset, false},
    {NULL, NULL, main_thread_watch, false},
};

enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

/* Set before a fork if no part of the shim has begun and no other thread holds a lock: then the child resets no
 * state. Each page that the child writes costs a copy, some 2 us. */
static _Atomic bool forks_as_new STATE;

static void note_fork(bool idle)
{
    bool as_new = idle && libc_thread_is_single() && !endpoint_ended();

    if (as_new != atomic_load_explicit(&forks_as_new, memory_order_relaxed))
        atomic_store_explicit(&forks_as_new, as_new, memory_order_relaxed);
}

static void prepare_steps(uint64_t limit_ms)
{
    bool idle = !threads_made() && !engine_loaded();
    uint64_t until;

    note_fork(idle);
    if (idle)
        return; /* no thread of the shim runs, or holds a lock */
    until = clock_ms() + limit_ms;
    for (size_t i = STEPS; i-- > 0;)
        if (steps[i].prepare)
            steps[i].prepare(until);
}

static void before_fork(void)
{
    prepare_steps(FORK_WAIT_MS);
}

static void after_fork_parent(void)
{
    for (size_t i = 0; i < STEPS; i++)
        if (steps[i].parent)
            steps[i].parent();
}

FORK_PATH static void after_fork_child(void)
{
    exec_notice_reset(); /* also in the child of an idle process */
    if (atomic_load_explicit(&forks_as_new, memory_order_relaxed))
        return;
    for (size_t i = 0; i < STEPS; i++)
        steps[i].child();
    if (!doorbell_makes_threads() && !threads_gave_way())
        threads_start(false);
}

bool at_fork_start(void)
{
    return __register_atfork(before_fork, after_fork_parent, after_fork_child, &__dso_handle) == 0;
}

void at_fork_copy_prepare(void)
{
    prepare_steps(COPY_WAIT_MS);
}

void at_fork_copy_parent(void)
{
    after_fork_parent();
}

void at_fork_copy_child(void)
{
    for (size_t i = 0; i < STEPS; i++)
        if (steps[i].copied)
            steps[i].child();
}

bool at_fork_is_copying(void)
{
    return engine_fork_held();
}
