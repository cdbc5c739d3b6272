/*
 * stacks.h - does a thread's stack lead back among a function's first instructions?
 *
 * A thread that was interrupted there may be elsewhere, in a signal handler of the host's: its
 * signal frame holds where it goes on. Any word of the stack that could be that address counts; an
 * old one that nobody will use costs a refusal at most. Both bounds are exclusive, and what is not
 * known leads there.
 *
 * No libc: a function of it may be what is held.
 */
#ifndef HOTPATCH_STACKS_H
#define HOTPATCH_STACKS_H

#include <stdbool.h>
#include <stdint.h>

/* Where there may be stacks, from now on. 0, or -errno. Listener (or the thread that runs the
 * constructor), holding the engine lock, while nobody is asked. */
int stacks_look(void);
/* Of a thread that sleeps, and may wake, end and take its stack with it: likewise. */
bool stack_leads_into(uintptr_t pointer, uintptr_t begin, uintptr_t end);

/* Of the calling thread, whatever it is, in a signal handler. Where the stack that `pointer` points
 * into ends, up to where nobody else can take it away; 0: it is not known, or no stack of libc's or
 * the kernel's. */
uintptr_t own_stack_end(uintptr_t pointer);
bool own_stack_leads_into(uintptr_t pointer, uintptr_t stack_end, uintptr_t begin, uintptr_t end);

#endif
