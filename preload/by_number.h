/*
 * by_number.h - what the shim's syscall(2) keeps of a call that the host makes through it.
 */
#ifndef HOTPATCH_BY_NUMBER_H
#define HOTPATCH_BY_NUMBER_H

/* The `syscall` instruction of the shim's syscall(2). While the call is made, and after it, its number is in
 * the red zone, at rsp - 8. NULL in a program without by_number.c. */
extern const char by_number_here[] __attribute__((weak, visibility("hidden")));

/*
 * The host asks prctl(2) for syscall user dispatch: the kernel then lets system calls pass from one range of
 * addresses alone, which can be libc's. If `operation` and `mode` are such a request, make syscall(2)
 * and prctl(2) go on in libc from now on.
 */
void by_number_leave_to_libc(long operation, long mode);

/* libc's syscall(2), after such a request; else NULL. */
extern long (*by_number_libc)(long, ...) __attribute__((visibility("hidden")));

#endif
