/*
 * step_string.h - repeated string instructions. The trap flag raises SIGTRAP after each iteration: a memset(3) of a
 * hundred kilobytes by `rep stosb` would take a hundred thousand steps.
 *
 * Signal handlers: no libc, no lock, never faults.
 */
#ifndef HOTPATCH_STEP_STRING_H
#define HOTPATCH_STEP_STRING_H

#include <stddef.h>
#include <stdint.h>

/*
 * If `code` is `rep movs` or `rep stos` in the state `context` (a ucontext_t), execute many of its iterations and
 * count them in the registers. The last iteration is left for the instruction. Memory that cannot be written is left
 * for the instruction too, which then faults as without the shim.
 */
void step_string_shorten(void *context, const uint8_t *code, size_t size);

#endif
