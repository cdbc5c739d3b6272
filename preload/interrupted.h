/*
 * interrupted.h - continues the system call that the doorbell interrupted, so that the host gets neither EINTR nor a
 * short count that it would not have got without the ring.
 *
 * Runs in the doorbell's signal handler, on a host thread, with all signals blocked: no libc, no lock.
 */
#ifndef HOTPATCH_INTERRUPTED_H
#define HOTPATCH_INTERRUPTED_H

/*
 * Continue the call that `context` (the handler's ucontext_t) interrupted. This is the last call in the handler:
 * where the handler interrupted this function itself, in a call that waits, the function does not return.
 *
 * libhotpatch_preload(7) lists how each call continues. A call for which a second wait is not enough is made here,
 * under the host's mask (under_mask.h), and its result is put into the context. Where a signal that the host handles
 * is pending, the call ends with EINTR, as it would have without the doorbell: a program that ends a wait by alarm(2)
 * must not continue to wait.
 */
void interrupted_go_on(void *context, int doorbell);

#endif
