/*
 * stack_switch.h - calls a function on another stack. Defined in arch/x86_64/stack_switch.S.
 *
 * Any thread, also in signal handlers. Unwinders find the caller's frame from the function's.
 */
#ifndef HOTPATCH_STACK_SWITCH_H
#define HOTPATCH_STACK_SWITCH_H

/* Call function(argument) with the stack that ends at `top`, which is aligned to 16 bytes. */
void stack_switch_call(void (*function)(void *), void *argument, char *top);

#endif
