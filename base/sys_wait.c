/*
 * sys_wait.c - see sys_wait.h.
 *
 * For any result of the kernel or of a seccomp filter, no function here loops without sleeping.
 */
#include "base/sys_wait.h"

#include <errno.h>

#include "base/clock.h"

static void sleep_by(long number, struct timespec rest)
{
    static const uint32_t never;
    const sys_sigset none = 0;
    const long time = (long)&rest;

    switch (number) {
    case SYS_nanosleep:
        sys_call3(number, time, 0, 0);
        break;
    case SYS_clock_nanosleep:
        sys_call4(number, CLOCK_MONOTONIC, 0, time, 0);
        break;
    case SYS_pselect6:
        sys_call(number, 0, 0, 0, 0, time, 0);
        break;
    case SYS_ppoll:
        sys_call(number, 0, 0, time, 0, 0, 0);
        break;
    case SYS_futex:
        sys_call4(number, (long)&never, FUTEX_WAIT_PRIVATE, 0, time);
        break;
    default:
        sys_call4(number, (long)&none, 0, time, sizeof(none));
        break;
    }
}

/* Sleep. The result of a call does not show whether the thread has slept: a filter may return 0. */
bool sys_pause(int64_t ms)
{
    static const short calls[] = {SYS_nanosleep, SYS_clock_nanosleep, SYS_pselect6,
                                  SYS_ppoll,     SYS_futex,           SYS_rt_sigtimedwait};
    const uint64_t limit = ms < 0 ? 0 : (uint64_t)(ms > SYS_PAUSE_MS ? SYS_PAUSE_MS : ms) * 1000;
    const uint64_t before = clock_us();

    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        sleep_by(calls[i], (struct timespec){0, (long)limit * 1000});
        if (clock_us() - before >= limit / 2)
            return true;
    }
    return false;
}

static bool has_passed(const struct timespec *until)
{
    return until &&
           clock_us() >= (uint64_t)until->tv_sec * 1000000 + (uint64_t)until->tv_nsec / 1000;
}

int sys_futex_wait(const void *word, uint32_t expected, const struct timespec *until)
{
    int result = (int)sys_call(SYS_futex, (long)word, FUTEX_WAIT_BITSET_PRIVATE, (long)expected,
                               (long)until, 0, (long)FUTEX_BITSET_MATCH_ANY);

    if (result == 0 || result == -ETIMEDOUT || result == -EFAULT)
        return result;
    if ((result == -EAGAIN || result == -EINTR) &&
        __atomic_load_n((const uint32_t *)word, __ATOMIC_RELAXED) != expected)
        return result;
    /* The word has not changed: a filter returned the result, or the word has changed twice. */
    if (has_passed(until))
        return -ETIMEDOUT;
    sys_pause(result == -EAGAIN || result == -EINTR ? 1 : SYS_PAUSE_MS);
    return result == -EINTR ? result : 0;
}
