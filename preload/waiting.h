/*
 * waiting.h - the listener's waits. For each result of the kernel, the thread neither loops without pause nor ends.
 *
 * Results of the calls, and the reaction:
 *
 *   ppoll        EINVAL (RLIMIT_NOFILE is below the count of descriptors), ENOMEM, and errors of a seccomp(2)
 *                filter: pselect6, which has no such limit
 *   pselect6     any error: a sleep of SYS_PAUSE_MS, and then every descriptor counts as ready; the
 *                descriptors do not block
 *   read, write  any error but EAGAIN and EINTR: no byte was moved, see waiting_note()
 *   futex        any error but EAGAIN, EINTR, ETIMEDOUT: a sleep (sys_futex_wait() in sys.h)
 *   sleep        the first of nanosleep, clock_nanosleep, pselect6, ppoll, futex, rt_sigtimedwait that is
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

/* Wait like ppoll(2). Return only: the number of entries that are ready, 0, or -EINTR. */
int waiting_poll(struct pollfd *fds, size_t count, const struct timespec *timeout,
                 const sys_sigset *mask);
/* Call after each wait. `something`: the wait had a result. After 16 waits without a result, sleep. */
void waiting_note(bool something, const sys_sigset *mask);

#endif
