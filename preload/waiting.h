/*
 * waiting.h - the listener's waits: whatever the kernel returns, the thread neither spins nor ends.
 *
 * What the calls may return, and what is done then:
 *
 *   ppoll        EINVAL (RLIMIT_NOFILE is below the count of descriptors), ENOMEM, and what a seccomp(2)
 *                filter says: pselect6, which knows no such limit
 *   pselect6     any error: a sleep of SYS_PAUSE_MS, and then every descriptor counts as ready; the
 *                descriptors do not block
 *   read, write  any error but EAGAIN and EINTR: nothing was done, see waiting_note()
 *   futex        any error but EAGAIN, EINTR, ETIMEDOUT: a sleep (sys_futex_wait() in sys.h)
 *   sleep        nanosleep, clock_nanosleep, pselect6, ppoll, futex, rt_sigtimedwait, the first that is
 *                not refused (sys_pause() in sys.h); else rt_sigsuspend, until a signal comes
 *
 * Listener only.
 */
#ifndef HOTPATCH_WAITING_H
#define HOTPATCH_WAITING_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/sys_wait.h"

/* As ppoll(2), with these results alone: the number of entries that are ready, 0, -EINTR. */
int waiting_poll(struct pollfd *fds, size_t count, const struct timespec *timeout,
                 const sys_sigset *mask);
/* After each wait: whether anything came of it. After 16 waits of which nothing came, sleeps. */
void waiting_note(bool something, const sys_sigset *mask);

#endif
