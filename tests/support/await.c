/* await.c - see await.h. */
#include "tests/support/await.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

/* Return whether `fd` becomes readable within HARNESS_TIMEOUT_MS. */
static bool is_readable(int fd)
{
    struct pollfd polled = {fd, POLLIN, 0};
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;
    int ready;

    while ((ready = poll(&polled, 1, ms_until(deadline))) < 0 && errno == EINTR)
        ;
    return ready > 0;
}

void await_input(int fd, const char *what)
{
    if (!is_readable(fd))
        fail_msg("%s: not within %d ms", what, HARNESS_TIMEOUT_MS);
}

int await_end(pid_t child)
{
    int end = (int)syscall(SYS_pidfd_open, child, 0), status = 0;
    bool ended;

    assert_true(end >= 0);
    ended = is_readable(end);
    close(end);
    if (!ended)
        kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!ended)
        fail_msg("process %d does not end", (int)child);
    return status;
}
