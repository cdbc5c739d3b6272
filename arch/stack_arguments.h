/*
 * stack_arguments.h - the number of bytes of arguments that a function's own code reads from the stack.
 *
 * A keeping stub copies these bytes (keep.h). If no signature gives their number, it is found from the code: the
 * stack pointer is followed from the entry over each branch, and accesses above the return address count, also in the
 * functions that the function jumps to at its end.
 *
 * Reads only the code that it is given; allocates; takes no lock. Compiled into engine and command.
 */
#ifndef HOTPATCH_STACK_ARGUMENTS_H
#define HOTPATCH_STACK_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

/* Return the bytes of the piece of code that contains `address`, and its beginning and size (up to the next
 * function). NULL: none is known. */
typedef const uint8_t *arch_code_around(void *context, uint64_t address, uint64_t *begin,
                                        size_t *size);

/*
 * Return the bytes of arguments on the stack of the function at `entry`, a multiple of 8. -1: not known: the function
 * takes an address among them, as va_start does, or computes one from an index; it jumps to an unknown place; it is
 * too large. The result may be too large, never too small.
 */
int64_t arch_stack_arguments(uint64_t entry, arch_code_around *code_around, void *context);

#endif
