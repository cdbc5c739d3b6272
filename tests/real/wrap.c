/*
 * wrap.c - a patch that wraps functions that a daemon imports, and lets each call through.
 *
 * -DWRAP_read, -DWRAP_send, ... choose the functions. With -DPROOF the patch refuses to go while
 * one of them was never called: so a test knows that its calls came this way.
 */
#include <hotpatch.h>

#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

HOTPATCH_MODULE("wrap", "1");

enum {
#ifdef WRAP_read
    CALLS_read,
#endif
#ifdef WRAP_write
    CALLS_write,
#endif
#ifdef WRAP_writev
    CALLS_writev,
#endif
#ifdef WRAP_recv
    CALLS_recv,
#endif
#ifdef WRAP_send
    CALLS_send,
#endif
#ifdef WRAP_sendto
    CALLS_sendto,
#endif
#ifdef WRAP_recvmsg
    CALLS_recvmsg,
#endif
#ifdef WRAP_sendmsg
    CALLS_sendmsg,
#endif
#ifdef WRAP_epoll_wait
    CALLS_epoll_wait,
#endif
#ifdef WRAP_epoll_pwait
    CALLS_epoll_pwait,
#endif
#ifdef WRAP_clock_gettime
    CALLS_clock_gettime,
#endif
#ifdef WRAP_strlen
    CALLS_strlen,
#endif
    CALLS_COUNT
};

#ifdef PROOF
static _Atomic unsigned long calls[CALLS_COUNT];
#define COUNT(name) atomic_fetch_add_explicit(&calls[CALLS_##name], 1, memory_order_relaxed)

HOTPATCH_HOOK(before_revert)
{
    for (int i = 0; i < CALLS_COUNT; i++)
        if (atomic_load(&calls[i]) == 0)
            return i + 1;
    return 0;
}
#else
#define COUNT(name) (void)CALLS_##name
#endif

#define WRAP(ret, name, params, arguments)               \
    HOTPATCH_REPLACE_AS(ret, wrap_##name, params, #name) \
    {                                                    \
        COUNT(name);                                     \
        return HOTPATCH_ORIGINAL(wrap_##name) arguments; \
    }

#ifdef WRAP_read
WRAP(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size))
#endif
#ifdef WRAP_write
WRAP(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size))
#endif
#ifdef WRAP_writev
WRAP(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count))
#endif
#ifdef WRAP_recv
WRAP(ssize_t, recv, (int fd, void *to, size_t size, int flags), (fd, to, size, flags))
#endif
#ifdef WRAP_send
WRAP(ssize_t, send, (int fd, const void *from, size_t size, int flags), (fd, from, size, flags))
#endif
#ifdef WRAP_sendto
WRAP(ssize_t, sendto,
     (int fd, const void *from, size_t size, int flags, const struct sockaddr *to,
      socklen_t length),
     (fd, from, size, flags, to, length))
#endif
#ifdef WRAP_recvmsg
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags))
#endif
#ifdef WRAP_sendmsg
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags))
#endif
#ifdef WRAP_epoll_wait
WRAP(int, epoll_wait, (int fd, struct epoll_event *events, int count, int timeout),
     (fd, events, count, timeout))
#endif
#ifdef WRAP_epoll_pwait
WRAP(int, epoll_pwait,
     (int fd, struct epoll_event *events, int count, int timeout, const sigset_t *mask),
     (fd, events, count, timeout, mask))
#endif
#ifdef WRAP_clock_gettime
WRAP(int, clock_gettime, (clockid_t clock, struct timespec *now), (clock, now))
#endif
#ifdef WRAP_strlen
WRAP(size_t, strlen, (const char *text), (text))
#endif
