/*
 * sigwait.c - sigwait(3), sigwaitinfo(2), sigtimedwait(2) and signalfd(2) as the host calls them. A program that does
 * not know of the doorbell may wait for all signals. Such a set is passed on without the doorbell. Otherwise the
 * program would get a ring as a signal of its own and might end.
 *
 * Runs on any thread of the host. The host's set is not changed; no system call is added.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

#include "base/sys.h"
#include "preload/doorbell.h"
#include "preload/libc_next.h"

#define EXPORTED __attribute__((visibility("default")))

/* The sanitizers have their own functions of these names. */
#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

typedef int (*waiter)(const sigset_t *, int *);
typedef int (*info_waiter)(const sigset_t *, siginfo_t *);
typedef int (*timed_waiter)(const sigset_t *, siginfo_t *, const struct timespec *);
typedef int (*descriptor_maker)(int, const sigset_t *, int);

EXPORTED int sigwait(const sigset_t *set, int *signal);
EXPORTED int sigwaitinfo(const sigset_t *set, siginfo_t *info);
EXPORTED int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
EXPORTED int signalfd(int fd, const sigset_t *set, int flags);

/* The kernel reads one word of a set. */
static const sigset_t *without_doorbell(const sigset_t *set, sigset_t *copy)
{
    int doorbell = doorbell_number();
    sys_sigset word;

    if (!set || doorbell == 0)
        return set;
    memcpy(&word, set, sizeof(word));
    if (!(word & SYS_SIGBIT(doorbell)))
        return set;
    word &= ~SYS_SIGBIT(doorbell);
    sigemptyset(copy);
    memcpy(copy, &word, sizeof(word));
    return copy;
}

int sigwait(const sigset_t *set, int *signal)
{
    LIBC_NEXT(waiter, function, sigwait);
    sigset_t copy;

    return function(without_doorbell(set, &copy), signal);
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info)
{
    LIBC_NEXT(info_waiter, function, sigwaitinfo);
    sigset_t copy;

    return function(without_doorbell(set, &copy), info);
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
    LIBC_NEXT(timed_waiter, function, sigtimedwait);
    sigset_t copy;

    return function(without_doorbell(set, &copy), info, timeout);
}

int signalfd(int fd, const sigset_t *set, int flags)
{
    LIBC_NEXT(descriptor_maker, function, signalfd);
    sigset_t copy;

    return function(fd, without_doorbell(set, &copy), flags);
}

#endif
