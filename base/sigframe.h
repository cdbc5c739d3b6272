/*
 * sigframe.h - what a signal handler is given of the thread that it interrupted, and how the handler
 * returns. arch/x86_64/sigframe.c answers.
 *
 * Any thread of the host, inside a signal handler: no lock, no allocation, no libc, no sanitizer.
 */
#ifndef HOTPATCH_SIGFRAME_H
#define HOTPATCH_SIGFRAME_H

#include <stdbool.h>
#include <stdint.h>

/* `context`: the handler's third argument (sigaction(2)). */
uintptr_t sigframe_pc(const void *context);
uintptr_t sigframe_sp(const void *context);
void sigframe_go_on(void *context, uintptr_t pc);
/* Where the trap lies that raised this SIGTRAP, if it was one. */
uintptr_t sigframe_trap(const void *context);

/* Does the thread raise SIGTRAP after its next instruction? Make it do so, or no more. */
bool sigframe_steps(const void *context);
void sigframe_step(void *context, bool steps);

/* For sa_restorer: sigreturn(2), in the form by which unwinders know a signal frame. */
void sigframe_return(void);

#endif
