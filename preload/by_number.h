/*
 * by_number.h - what the shim's syscall(2) keeps of a call that the host makes through it.
 */
#ifndef HOTPATCH_BY_NUMBER_H
#define HOTPATCH_BY_NUMBER_H

/* The `syscall` instruction of the shim's syscall(2). While the call is made, and after it, its number is in
 * the red zone, at rsp - 8. NULL in a program without by_number.c. */
extern const char by_number_here[] __attribute__((weak, visibility("hidden")));

#endif
