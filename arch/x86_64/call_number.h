/*
 * call_number.h - the number of a system call, from the code that loads it.
 *
 * The kernel does not keep the number of a call that a signal ended: it is read from the instructions
 * before `syscall`. Pure: any bytes, any thread, signal handlers too.
 */
#ifndef HOTPATCH_CALL_NUMBER_H
#define HOTPATCH_CALL_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum { CALL_NUMBER_BYTES = 64 }; /* how far back the load may lie */

/*
 * The number that the last instructions of `code` load into eax; -1: they do not, or may not. `code`: what
 * ends where the `syscall` instruction begins. From the load on, each instruction must be known to
 * go on to the next one, and to leave eax alone.
 */
long call_number(const uint8_t *code, size_t size);

#endif
