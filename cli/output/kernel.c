/*
 * kernel.c - calls of libc that the command makes by itself.
 *
 * A library in LD_PRELOAD may stand in for them: faketime for clocks and waits, fakeroot for owners and
 * users. Deadlines, owners of files and ages of processes are compared with what the kernel says of other
 * processes, so the kernel's answer is needed here too. Definitions in the program come before any library's;
 * they are hidden, and what libraries of the program call is left alone.
 */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"

/* A sanitizer stands in for these itself. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if !defined(__has_feature)
#define __has_feature(name) 0
#endif
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)

#pragma GCC visibility push(hidden)

long syscall(long number, ...)
{
    long a[6];
    va_list rest;

    va_start(rest, number);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(rest, long);
    va_end(rest);
    return sys_as_libc(sys_call(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    return (int)sys_as_libc(sys_call3(SYS_clock_gettime, clock, (long)now, 0));
}

time_t time(time_t *to)
{
    struct timespec now = {0, 0};

    clock_gettime(CLOCK_REALTIME, &now);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}

int nanosleep(const struct timespec *wait, struct timespec *rest)
{
    return (int)sys_as_libc(sys_call3(SYS_nanosleep, (long)wait, (long)rest, 0));
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    struct timespec rest = timeout ? *timeout : (struct timespec){0, 0}; /* the kernel writes it */

    return (int)sys_as_libc(sys_call(SYS_ppoll, (long)fds, (long)count, timeout ? (long)&rest : 0,
                                     (long)mask, sizeof(sys_sigset), 0));
}

int epoll_pwait(int epoll, struct epoll_event *events, int count, int timeout, const sigset_t *mask)
{
    return (int)sys_as_libc(sys_call(SYS_epoll_pwait, epoll, (long)events, count, timeout,
                                     (long)mask, sizeof(sys_sigset)));
}

int fstatat(int dir, const char *restrict path, struct stat *restrict st, int flags)
{
    return (int)sys_as_libc(sys_fstatat(dir, path, st, flags));
}

int stat(const char *restrict path, struct stat *restrict st)
{
    return fstatat(AT_FDCWD, path, st, 0);
}

int fstat(int fd, struct stat *st)
{
    return (int)sys_as_libc(sys_fstat(fd, st));
}

uid_t getuid(void)
{
    return (uid_t)sys_call3(SYS_getuid, 0, 0, 0);
}

uid_t geteuid(void)
{
    return sys_geteuid();
}

gid_t getgid(void)
{
    return (gid_t)sys_call3(SYS_getgid, 0, 0, 0);
}

int fchmod(int fd, mode_t mode)
{
    return (int)sys_as_libc(sys_fchmod(fd, mode));
}

int fchown(int fd, uid_t owner, gid_t group)
{
    return (int)sys_as_libc(sys_call3(SYS_fchown, fd, (long)owner, (long)group));
}

int mkfifoat(int dir, const char *path, mode_t mode)
{
    return (int)sys_as_libc(sys_mkfifoat(dir, path, mode));
}

int unlinkat(int dir, const char *path, int flags)
{
    return (int)sys_as_libc(sys_unlinkat(dir, path, flags));
}

#pragma GCC visibility pop

#endif
#endif
