/*
 * own_stack.h - calls a function on a stack of the shim. A signal handler has only the rest of the interrupted stack,
 * of which the kernel's frame alone takes 3.6 kB with AVX-512 and 11 kB with AMX.
 */
#ifndef HOTPATCH_OWN_STACK_H
#define HOTPATCH_OWN_STACK_H

/* Call function(argument) on that stack, or on the present one while another thread uses it. */
void own_stack_call(void (*function)(void *), void *argument);

#endif
