/*
 * lock.h - a mutex of one word, with a time limit, that a forked child can reset.
 *
 * Why not pthread_mutex_t: in a child of fork() it may be held by a thread that does not exist there, and its timed
 * variant is newer than the libc versions that the shim must support.
 */
#ifndef HOTPATCH_LOCK_H
#define HOTPATCH_LOCK_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/clock.h"
#include "base/sys_wait.h"

struct lock {
    _Atomic uint32_t word; /* 0: free, 1: held, 2: held and another thread may wait */
};

static inline bool lock_try(struct lock *lock)
{
    uint32_t expected = 0;

    return atomic_compare_exchange_strong_explicit(&lock->word, &expected, 1, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Take the lock. `until`: CLOCK_MONOTONIC ms, 0: no limit. Return false where the limit passed first. */
static inline bool lock_acquire_until(struct lock *lock, uint64_t until)
{
    struct timespec limit = clock_spec(until);

    if (lock_try(lock))
        return true;
    while (atomic_exchange_explicit(&lock->word, 2, memory_order_acquire) != 0)
        if (sys_futex_wait(&lock->word, 2, until ? &limit : NULL) == -ETIMEDOUT)
            return false;
    return true;
}

static inline void lock_acquire(struct lock *lock)
{
    lock_acquire_until(lock, 0);
}

static inline void lock_release(struct lock *lock)
{
    if (atomic_exchange_explicit(&lock->word, 0, memory_order_release) == 2)
        sys_futex_wake(&lock->word, 1);
}

/* Free the lock in a forked child, in which its holder does not exist. */
static inline void lock_reset(struct lock *lock)
{
    atomic_store_explicit(&lock->word, 0, memory_order_relaxed);
}

#endif
