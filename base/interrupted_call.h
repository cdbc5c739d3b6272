/*
 * interrupted_call.h - the system call that a signal interrupted, from the handler's context. `context`: the
 * handler's third argument (sigaction(2)). Defined in arch/x86_64/interrupted_call.c.
 *
 * Signal handlers: no libc, no lock; code and stack are read by process_vm_readv(2).
 */
#ifndef HOTPATCH_INTERRUPTED_CALL_H
#define HOTPATCH_INTERRUPTED_CALL_H

#include <stdbool.h>
#include <stdint.h>

/* Return whether the thread has just executed a system call instruction, whose address `*instruction` gets. False where
 * interrupted_call_set_result() has ended that call with -EINTR before: it stays ended. */
bool interrupted_call_is_over(const void *context, uint64_t *instruction);

/* Return whether the kernel has put the pc back to an instruction that was executed, so that the call is made again. */
bool interrupted_call_is_again(const void *context, uint64_t *instruction);

/* Return the result of a call that is over: -EINTR, another errno, or the number of bytes moved. */
long interrupted_call_result(const void *context);
/* Return the number of a call that is made again. */
long interrupted_call_number(const void *context);
/* Return the number of a call that is over, which the code before `instruction` loads; -1: not found. */
long interrupted_call_number_before(const void *context, uint64_t instruction);
void interrupted_call_arguments(const void *context, long arguments[6]);

/* Change the context so that the call is over, with this result. */
void interrupted_call_set_result(void *context, uint64_t instruction, long result);
/* Change the context so that the host makes the call itself after the handler has returned. */
void interrupted_call_put_back(void *context, uint64_t instruction, long number);

#endif
