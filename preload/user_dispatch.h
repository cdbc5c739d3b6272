/*
 * user_dispatch.h - the host sets syscall user dispatch by prctl(2): the kernel then lets a thread's system calls
 * pass from one range of addresses alone, which can be libc's, and sends it SIGSYS for each other one while
 * the thread's selector byte says so.
 */
#ifndef HOTPATCH_USER_DISPATCH_H
#define HOTPATCH_USER_DISPATCH_H

#include <stdbool.h>

/* Before prctl(operation, mode, ..., selector) is made by the calling thread: if it starts user dispatch, make
 * syscall(2) and prctl(2) go on in libc from now on. */
void user_dispatch_note(long operation, long mode, const volatile char *selector);

/* libc's syscall(2), after such a request; else NULL. */
extern long (*user_dispatch_syscall)(long, ...) __attribute__((visibility("hidden")));

/* Signal handlers: return whether a system call of the shim's on the calling thread would be a SIGSYS. Known of the
 * thread that called prctl(2) for it last. */
bool user_dispatch_blocks(void);

#endif
