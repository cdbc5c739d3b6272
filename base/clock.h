/*
 * clock.h - the kernel's clocks, which deadlines use.
 *
 * Not libc's clock_gettime(3): faketime and others replace it, and the time limits of futex(2) must use the kernel's
 * clock. Any thread, also in signal handlers.
 */
#ifndef HOTPATCH_CLOCK_H
#define HOTPATCH_CLOCK_H

#include <stdint.h>
#include <time.h>

struct timespec clock_now(clockid_t clock);
uint64_t clock_us(void); /* CLOCK_MONOTONIC */

static inline uint64_t clock_ms(void)
{
    return clock_us() / 1000;
}

static inline struct timespec clock_spec(uint64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

#endif
