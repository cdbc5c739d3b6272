/*
 * sys_wait.h - waits of the kernel: futex(2), and a sleep that works under a seccomp filter too.
 *
 * Any thread, also in signal handlers: no lock, no libc.
 */
#ifndef HOTPATCH_SYS_WAIT_H
#define HOTPATCH_SYS_WAIT_H

#include <linux/futex.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/sys.h"

/*
 * Wait until the word at `word` differs from `expected` or another thread wakes the word. `until`: CLOCK_MONOTONIC, or
 * NULL for no limit. Return 0, -ETIMEDOUT, -EINTR, -EAGAIN or -EFAULT. Where the kernel refuses to wait (seccomp(2)):
 * sleep, and return 0; the caller reads the word and calls again.
 */
int sys_futex_wait(const void *word, uint32_t expected, const struct timespec *until);

/* Wake `count` threads that wait for the word. */
static inline void sys_futex_wake(const void *word, int count)
{
    sys_call3(SYS_futex, (long)word, FUTEX_WAKE_PRIVATE, count);
}

/* Return whether the word can be read. Reading it must not fault where the kernel would return EFAULT. */
static inline bool sys_is_readable(const void *word)
{
    static const struct timespec past;

    return sys_futex_wait(word, 0, &past) != -EFAULT;
}

/* Sleep `ms`, at most SYS_PAUSE_MS, by the first call that the kernel does not refuse. Return false where it refuses
 * all of them. */
#define SYS_PAUSE_MS 20
bool sys_pause(int64_t ms);

#endif
