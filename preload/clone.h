/*
 * clone.h - what clone.c keeps of a call that the host makes through syscall(2).
 */
#ifndef HOTPATCH_CLONE_H
#define HOTPATCH_CLONE_H

/* The `syscall` instruction of the shim's syscall(2). While the call is made, and after it, its number is in
 * the red zone, at rsp - 8. NULL in a program without clone.c. */
extern const char clone_syscall_here[] __attribute__((weak, visibility("hidden")));

#endif
