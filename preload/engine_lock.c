/*
 * engine_lock.c - see engine_lock.h.
 *
 * Runs on the listener, on host threads, and on the thread that forks. The locks are reset in a forked child.
 */
#include "preload/engine_lock.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/safe_point.h"
#include "preload/thread_role.h"

#define HOST_WAIT_MS 1000

static _Atomic(const struct engine_api *) loaded STATE;

static struct lock request_lock STATE; /* held for one request, or one call of the run-time API */
static struct lock commit_lock STATE;  /* held while slots are written; fork() waits for it */
/* True while a request arms entries: fork() does not wait for its end. */
static _Atomic bool entries_are_armed STATE;
/* The thread (sys_thread(), the same value in the child) that holds the locks during its fork(), or 0. Fork handlers
 * of several threads run at the same time, and a thread must not release the lock of another. */
static _Atomic uintptr_t fork_holds_request STATE, fork_holds_commit STATE;

const struct engine_api *engine(void)
{
    return atomic_load_explicit(&loaded, memory_order_acquire);
}

bool engine_loaded(void)
{
    return engine() != NULL;
}

void engine_set(const struct engine_api *api)
{
    atomic_store_explicit(&loaded, api, memory_order_release);
}

/* ---- the lock ---- */

void engine_lock(void)
{
    lock_acquire(&request_lock);
}

void engine_unlock(void)
{
    lock_release(&request_lock);
}

/* Lock with time limits. Without them a deadlock is possible: a request may wait for this thread's safe point, or for
 * a job that needs a lock of the host, while this thread waits for the request. */
int engine_lock_host(void)
{
    uint64_t until = clock_ms() + HOST_WAIT_MS;

    if (thread_role() != THREAD_HOST)
        return -EDEADLK;
    do {
        if (lock_try(&request_lock))
            return 0;
        if (safe_point_awaited())
            return -EBUSY;
        if (lock_acquire_until(&request_lock, clock_ms() + 10))
            return 0;
    } while (clock_ms() < until);
    return -EBUSY;
}

/* ---- the commit section ---- */

void engine_commit_begin(void)
{
    lock_acquire(&commit_lock);
}

void engine_commit_end(void)
{
    lock_release(&commit_lock);
}

/* Set or clear the mark inside the commit section: a fork that does not wait for the request has ended when the
 * request continues. */
void engine_arming(bool begins)
{
    engine_commit_begin();
    atomic_store_explicit(&entries_are_armed, begins, memory_order_release);
    engine_commit_end();
}

/* ---- fork ---- */

/* A commit takes microseconds and a section of arming 2 ms, unless its thread loses the processor. A host that forks
 * inside a dl_iterate_phdr(3) callback holds ld.so's list lock, which a commit and an arming section need. */
#define COMMIT_LIMIT_MS 1000
#define LOOK_MS 4

static bool is_arming(void)
{
    return atomic_load_explicit(&entries_are_armed, memory_order_acquire);
}

static bool fork_takes_request(uint64_t until)
{
    bool taken = false;

    while (!taken && clock_ms() < until && !safe_point_awaited() && !is_arming()) {
        uint64_t slice = clock_ms() + LOOK_MS;

        taken = lock_acquire_until(&request_lock, slice < until ? slice : until);
    }
    return taken;
}

static bool is_mine(const _Atomic uintptr_t *holder)
{
    return atomic_load_explicit(holder, memory_order_relaxed) == sys_thread();
}

static void hold_over_fork(_Atomic uintptr_t *holder)
{
    atomic_store_explicit(holder, sys_thread(), memory_order_relaxed);
}

static void let_go_after_fork(_Atomic uintptr_t *holder, struct lock *lock)
{
    if (!is_mine(holder))
        return;
    atomic_store_explicit(holder, 0, memory_order_relaxed);
    lock_release(lock);
}

/* Return whether arming has ended after the wait for the request was given up. Then the request must be waited for. */
static bool came_late(uint64_t until)
{
    return !is_arming() && !safe_point_awaited() && clock_ms() < until;
}

void engine_fork_prepare(uint64_t until)
{
    bool host = thread_role() == THREAD_HOST, request, commit;

    for (;;) {
        request = host && fork_takes_request(until);
        commit = lock_acquire_until(&commit_lock, clock_ms() + COMMIT_LIMIT_MS);
        if (request || !host || !commit || !came_late(until))
            break;
        lock_release(&commit_lock);
    }
    if (request)
        hold_over_fork(&fork_holds_request);
    if (commit)
        hold_over_fork(&fork_holds_commit);
}

void engine_fork_parent(void)
{
    let_go_after_fork(&fork_holds_commit, &commit_lock);
    let_go_after_fork(&fork_holds_request, &request_lock);
}

bool engine_fork_torn(void)
{
    return !is_mine(&fork_holds_request);
}

bool engine_fork_held(void)
{
    return is_mine(&fork_holds_request) || is_mine(&fork_holds_commit);
}

void engine_reset_locks(void)
{
    atomic_store_explicit(&fork_holds_request, 0, memory_order_relaxed);
    atomic_store_explicit(&fork_holds_commit, 0, memory_order_relaxed);
    lock_reset(&commit_lock);
    lock_reset(&request_lock);
}

void engine_reset(void)
{
    atomic_store_explicit(&entries_are_armed, false, memory_order_relaxed);
    if (engine_loaded())
        engine()->after_fork();
}
