/*
 * cfi_expression.h - DWARF expressions in call frame information (DWARF 5, 2.5), as compilers and the
 * linker write them: PLT entries, signal frames, realigned stacks. See cfi.h.
 */
#ifndef HOTPATCH_CFI_EXPRESSION_H
#define HOTPATCH_CFI_EXPRESSION_H

#include "base/cfi_frame.h"

/* Evaluate the expression in [at, end), with `*first` on the stack unless it is NULL. Return false if the expression
 * is damaged, unknown, or takes too many steps. */
bool cfi_evaluate(const struct cfi_memory *memory, const struct cfi_frame *frame, uint64_t at,
                  uint64_t end, const uint64_t *first, uint64_t *result);

#endif
