/* await.c - see await.h. */
#include "tests/support/await.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int ms_until(int64_t deadline)
{
    int64_t left = deadline - milliseconds();

    return left > 0 ? (int)left : 0;
}

void await_again(int64_t deadline, const char *format, ...)
{
    char what[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof(what), format, arguments);
    va_end(arguments);
    if (ms_until(deadline) == 0)
        fail_msg("%s: not within %d ms", what, HARNESS_TIMEOUT_MS);
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}
