/*
 * interrupted.h - the system call that the doorbell interrupted goes on, so that the host sees neither EINTR nor a
 * short count that it would not have seen without the ring.
 *
 * Signal handler of the doorbell, on a host thread, with all signals blocked: no libc, no lock.
 */
#ifndef HOTPATCH_INTERRUPTED_H
#define HOTPATCH_INTERRUPTED_H

/*
 * Let the call that `context` (the handler's ucontext_t) interrupted go on. Last in the handler: where the
 * handler interrupted this function itself, in a call that waits, it does not return.
 *
 * Which call goes on how is in libhotpatch_preload(7). A call that does not merely wait once more is made
 * here, under the host's mask (under_mask.h), and its result put into the context. Where a signal that
 * the host handles is pending, the call ends with EINTR, as it would have without the doorbell: a
 * program that ends a wait by alarm(2) must not wait on.
 */
void interrupted_go_on(void *context, int doorbell);

#endif
