/*
 * call_number.h - the number of a system call, from the code that loads it.
 *
 * The kernel does not keep the number of a call that a signal ended. The number is read from the instructions before
 * `syscall`. Pure: any bytes, any thread, also in signal handlers.
 */
#ifndef HOTPATCH_CALL_NUMBER_H
#define HOTPATCH_CALL_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum { CALL_NUMBER_BYTES = 64 }; /* largest distance of the load */

/*
 * Return the number that the last instructions of `code` load into eax; -1: they do not, or this is not certain.
 * `code`: the bytes before the `syscall` instruction. After the load, each instruction must be known to continue to
 * the next and not to change eax.
 */
long call_number(const uint8_t *code, size_t size);

#endif
