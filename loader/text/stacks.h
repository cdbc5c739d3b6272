/*
 * stacks.h - find whether a thread's stack leads back among a function's first instructions.
 *
 * A thread that was interrupted in the function may be in a signal handler of the host now. The address where it
 * continues is in its signal frame. Any word of the stack that could be that address counts as such an address. An old
 * word that no code will use costs at most a refusal. Both bounds are exclusive. A stack that cannot be examined counts
 * as leading there.
 *
 * No function of this file calls libc: the held function may be a function of libc.
 */
#ifndef HOTPATCH_STACKS_H
#define HOTPATCH_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read where stacks may lie. Return 0, or -errno. Called by the listener, or by the thread that runs the constructor,
 * with the engine lock held, while no question to a thread is open. */
int stacks_look(void);
/* Return whether the stack of a sleeping thread leads there. The thread may wake, end and unmap its stack meanwhile.
 * Called like stacks_look(). */
bool stack_leads_into(uintptr_t pointer, uintptr_t begin, uintptr_t end);

/* Read memory of the process. `memory`: its file (sys_open_own_memory()), or negative. Return false if the memory
 * cannot be read. */
bool stacks_read(int memory, void *to, uintptr_t from, size_t size);

/* Return the end of the stack that `pointer` points into, up to which no other thread can unmap it. Return 0 if the end
 * is not known, or if the stack is neither libc's nor the kernel's. Called in a signal handler, for the stack of the
 * calling thread, which may be any thread. */
uintptr_t own_stack_end(uintptr_t pointer);
bool own_stack_leads_into(uintptr_t pointer, uintptr_t stack_end, uintptr_t begin, uintptr_t end);

#endif
