/* waiting.c - see waiting.h. */
#include "preload/waiting.h"

#include <errno.h>
#include <sys/select.h>

#define VAIN_MAX 16

static int select_instead(struct pollfd *fds, size_t count, const struct timespec *timeout,
                          const sys_sigset *mask)
{
    const struct {
        const sys_sigset *mask;
        size_t size;
    } signals = {mask, sizeof(*mask)};
    struct timespec rest = timeout ? *timeout : (struct timespec){0, 0}; /* the kernel writes it */
    fd_set in, out;
    int highest = -1, result;

    FD_ZERO(&in);
    FD_ZERO(&out);
    for (size_t i = 0; i < count; i++) {
        fds[i].revents = 0;
        if (fds[i].fd < 0 || fds[i].fd >= FD_SETSIZE)
            continue;
        if (fds[i].events & POLLIN)
            FD_SET(fds[i].fd, &in);
        if (fds[i].events & POLLOUT)
            FD_SET(fds[i].fd, &out);
        highest = fds[i].fd > highest ? fds[i].fd : highest;
    }
    result = (int)sys_call(SYS_pselect6, highest + 1, (long)&in, (long)&out, 0,
                           timeout ? (long)&rest : 0, (long)&signals);
    for (size_t i = 0; result > 0 && i < count; i++)
        if (fds[i].fd >= 0 && fds[i].fd < FD_SETSIZE)
            fds[i].revents = (short)((FD_ISSET(fds[i].fd, &in) ? POLLIN : 0) |
                                     (FD_ISSET(fds[i].fd, &out) ? POLLOUT : 0));
    return result;
}

static int sleep_instead(struct pollfd *fds, size_t count, const struct timespec *timeout,
                         const sys_sigset *mask)
{
    sys_sigset old;
    bool slept;
    int ready = 0;

    sys_sigprocmask(SIG_SETMASK, mask, &old);
    slept = sys_pause(timeout ? timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000 : SYS_PAUSE_MS);
    sys_sigprocmask(SIG_SETMASK, &old, NULL);
    if (!slept)
        sys_call3(SYS_rt_sigsuspend, (long)mask, sizeof(*mask), 0);
    for (size_t i = 0; i < count; i++) {
        fds[i].revents = fds[i].fd >= 0 ? fds[i].events : 0;
        ready += fds[i].fd >= 0;
    }
    return ready;
}

int waiting_poll(struct pollfd *fds, size_t count, const struct timespec *timeout,
                 const sys_sigset *mask)
{
    int result = sys_ppoll(fds, count, timeout, mask);

    if (result >= 0 || result == -EINTR)
        return result;
    result = select_instead(fds, count, timeout, mask);
    if (result >= 0 || result == -EINTR)
        return result;
    return sleep_instead(fds, count, timeout, mask);
}

void waiting_note(bool something, const sys_sigset *mask)
{
    static unsigned vain;

    vain = something ? 0 : vain + 1;
    if (vain > VAIN_MAX && !sys_pause(SYS_PAUSE_MS))
        sys_call3(SYS_rt_sigsuspend, (long)mask, sizeof(*mask), 0);
}
