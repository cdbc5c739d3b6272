/*
 * step_string.h - repeated string instructions, of which the trap flag ends each round: a memset(3) of a
 * hundred kilobytes by `rep stosb` would take a hundred thousand steps.
 *
 * Signal handlers: no libc, no lock, never faults.
 */
#ifndef HOTPATCH_STEP_STRING_H
#define HOTPATCH_STEP_STRING_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where `code` is `rep movs` or `rep stos` in the state `context` (a ucontext_t), do many of its rounds and
 * count them in the registers; the last one stays to be executed. Memory that cannot be written is left
 * to the instruction, which then faults as it would have.
 */
void step_string_shorten(void *context, const uint8_t *code, size_t size);

#endif
