/*
 * fields.h - where a function's instructions end that have a field relative to themselves.
 *
 * A relocation of such a field counts from the field, the processor from the instruction's end: an immediate operand
 * between both is part of the addend.
 */
#ifndef HOTPATCH_ARCH_FIELDS_H
#define HOTPATCH_ARCH_FIELDS_H

#include <stddef.h>
#include <stdint.h>

/* `field`: offset of a relative field in the code; `end`: of the end of its instruction. */
typedef void arch_field(size_t field, size_t end, void *context);

/* Call `each` for the relative fields of the code, in order, up to the first bytes that are no instruction. Return how
 * many bytes were decoded. Pure; any thread. */
size_t arch_fields(const uint8_t *code, size_t size, arch_field *each, void *context);

#endif
