/*
 * user_dispatch.h - syscall user dispatch, which the host sets by prctl(2). The kernel then allows a thread's system
 * calls only from one range of addresses, which can be libc's. It sends the thread SIGSYS for each other call while
 * the thread's selector byte demands it.
 */
#ifndef HOTPATCH_USER_DISPATCH_H
#define HOTPATCH_USER_DISPATCH_H

#include <stdbool.h>

/* Call before the calling thread makes prctl(operation, mode, ..., selector). If it starts user dispatch, make
 * syscall(2) and prctl(2) continue in libc from now on. */
void user_dispatch_note(long operation, long mode, const volatile char *selector);

/* libc's syscall(2), after such a call; else NULL. */
extern long (*user_dispatch_syscall)(long, ...) __attribute__((visibility("hidden")));

/* Return whether a system call of the shim on the calling thread would raise SIGSYS. Known only for the thread that
 * called prctl(2) for this last. Signal handlers. */
bool user_dispatch_blocks(void);

#endif
