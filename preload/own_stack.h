/*
 * own_stack.h - a function called on a stack of the shim's: a signal handler has what is left of the stack that it
 * interrupted, of which the kernel's frame alone takes 3.6 kB with AVX-512 and 11 kB with AMX.
 */
#ifndef HOTPATCH_OWN_STACK_H
#define HOTPATCH_OWN_STACK_H

/* Call function(argument) on that stack, or on the present one while another thread uses it. */
void own_stack_call(void (*function)(void *), void *argument);

#endif
