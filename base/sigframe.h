/*
 * sigframe.h - the state of the interrupted thread in a signal handler, and the handler's return. Defined in
 * arch/x86_64/sigframe.c.
 *
 * Any thread of the host, inside a signal handler: no lock, no allocation, no libc, no sanitizer.
 */
#ifndef HOTPATCH_SIGFRAME_H
#define HOTPATCH_SIGFRAME_H

#include <stdbool.h>
#include <stdint.h>

/* Return the interrupted pc. `context`: the handler's third argument (sigaction(2)). */
uintptr_t sigframe_pc(const void *context);
uintptr_t sigframe_sp(const void *context);
void sigframe_go_on(void *context, uintptr_t pc);
/* Return the address of the trap instruction that raised this SIGTRAP, if there was one. */
uintptr_t sigframe_trap(const void *context);

/* Read and set whether the thread raises SIGTRAP after its next instruction. */
bool sigframe_steps(const void *context);
void sigframe_step(void *context, bool steps);

/* Call sigreturn(2). For sa_restorer; the code has the form by which unwinders detect a signal frame. */
void sigframe_return(void);

#endif
