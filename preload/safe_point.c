/*
 * safe_point.c - see safe_point.h. A thread of the host is at a safe point and waits while the listener commits.
 *
 * The host thread executes one relaxed load while the listener does not wait. The function may be called from a
 * signal handler, so it takes no lock.
 */
#include "preload/safe_point.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/state.h"
#include "base/sys_wait.h"
enum safe_point_state {
    NONE,
    AWAITED, /* the listener waits for a host thread */
    PARKED   /* a host thread waits, the listener commits */
};

static _Atomic uint32_t state STATE;
static _Atomic uint32_t releases
    STATE; /* futex of the parked thread: counts commits that are over */

bool safe_point_awaited(void)
{
    return atomic_load_explicit(&state, memory_order_acquire) != NONE;
}

static bool change_point_state(uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong_explicit(&state, &from, to, memory_order_acq_rel,
                                                   memory_order_acquire);
}

int safe_point_run(void (*commit)(void *), void *context, uint64_t until)
{
    struct timespec limit = clock_spec(until);

    atomic_store_explicit(&state, AWAITED, memory_order_release);
    while (atomic_load_explicit(&state, memory_order_acquire) == AWAITED)
        if (sys_futex_wait(&state, AWAITED, &limit) == -ETIMEDOUT &&
            change_point_state(AWAITED, NONE))
            return -ETIMEDOUT;
    commit(context);
    atomic_store_explicit(&state, NONE, memory_order_release);
    atomic_fetch_add_explicit(&releases, 1, memory_order_release);
    sys_futex_wake(&releases, INT32_MAX);
    return 0;
}

void hotpatch_api_safe_point(void)
{
    uint32_t seen;

    if (atomic_load_explicit(&state, memory_order_relaxed) == NONE)
        return;
    seen = atomic_load_explicit(&releases, memory_order_acquire);
    if (!change_point_state(AWAITED, PARKED))
        return; /* another thread waits already */
    sys_futex_wake(&state, 1);
    while (atomic_load_explicit(&releases, memory_order_acquire) == seen)
        sys_futex_wait(&releases, seen, NULL);
}

void safe_point_reset(void)
{
    atomic_store_explicit(&state, NONE, memory_order_relaxed);
    /* A parked thread may have forked in a signal handler: it must go on in the child. */
    atomic_fetch_add_explicit(&releases, 1, memory_order_relaxed);
}
