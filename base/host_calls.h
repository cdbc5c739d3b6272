/*
 * host_calls.h - syscall(2) as the host calls it. The function is arch/x86_64/by_number.c. It calls these functions
 * of the shim (preload/interpose/by_number.c) and user_dispatch_syscall(). vfork(2), arch/x86_64/vfork.c, calls
 * give_way().
 *
 * Any thread of the host, also in a signal handler: no libc but errno.
 */
#ifndef HOTPATCH_HOST_CALLS_H
#define HOTPATCH_HOST_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#define HOST_CALL __attribute__((visibility("hidden")))

/* Numbers below this value are looked up in syscall_seen, which has a bit for each number that is checked. */
enum { SYSCALL_NUMBERS = 448 };
extern const uint64_t syscall_seen[SYSCALL_NUMBERS / 64] HOST_CALL;

/* Return whether syscall_take() is to make the call. */
bool syscall_takes(long number, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
                   unsigned long e) HOST_CALL;
/* Make the call, and return as syscall(2) does. */
long syscall_take(long number, long a, long b, long c, long d, long e, long f) HOST_CALL;

/* The system call instruction of the function. While the call is made, and after it, the number of the call is in the
 * red zone. NULL in a program without the function. */
extern const char by_number_here[] __attribute__((weak, visibility("hidden")));

#endif
