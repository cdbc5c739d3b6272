/*
 * stack_arguments.h - how many arguments a function's own code reads from the stack.
 *
 * A keeping stub copies them (keep.h). Where no signature tells how many there are, the code does: the
 * stack pointer is followed from the entry over each branch, and what is read or written above the
 * return address counts, also in the functions that it jumps to at its end.
 *
 * Reads only the code that it is given; allocates; takes no lock. Compiled into engine and command.
 */
#ifndef HOTPATCH_STACK_ARGUMENTS_H
#define HOTPATCH_STACK_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

/* The piece of code that holds `address`: where it begins, its size (up to the next function), its
 * bytes. NULL: none is known. */
typedef const uint8_t *arch_code_around(void *context, uint64_t address, uint64_t *begin,
                                        size_t *size);

/*
 * Bytes of arguments on the stack, a multiple of 8, of the function at `entry`. -1: not known: it takes
 * an address among them, as va_start does, or counts an index to one; it jumps where no instruction
 * says; it is too large. More than are there may be given, never fewer.
 */
int64_t arch_stack_arguments(uint64_t entry, arch_code_around *code_around, void *context);

#endif
