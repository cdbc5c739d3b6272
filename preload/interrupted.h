/*
 * interrupted.h - the system call that the doorbell interrupted goes on, so that the host sees no EINTR.
 *
 * Signal handler of the doorbell, on a host thread, with all signals blocked: no libc, no lock.
 */
#ifndef HOTPATCH_INTERRUPTED_H
#define HOTPATCH_INTERRUPTED_H

#include <stdbool.h>

/*
 * Change the interrupted state in `context` (the handler's ucontext_t) so that the call goes on when
 * the handler returns. Last in the handler. What SA_RESTART does not restart, signal(7), is put back:
 *
 *   poll, nanosleep, clock_nanosleep with a relative time, futex with one: restart_syscall(2), for
 *       the rest of the time;
 *   select, pselect, ppoll: again, with the rest that the kernel wrote back;
 *   epoll_wait, epoll_pwait, epoll_pwait2, sigtimedwait, semtimedop, calls under SO_RCVTIMEO or
 *       SO_SNDTIMEO, pause, sigsuspend: again, whole.
 *
 * Where a signal that the host does not block is pending, the call ends with EINTR, as it would have
 * without the doorbell: a program that ends a wait by alarm(2) must not wait on.
 *
 * `doorbell`: the signal; `once`: it stays blocked while a call goes on inside of the handler.
 */
void interrupted_go_on(void *context, int doorbell, bool once);

#endif
