/*
 * baseline_evidence.h - lists of where the references of equal code lead. For the files baseline*.c alone.
 */
#ifndef HOTPATCH_BASELINE_EVIDENCE_H
#define HOTPATCH_BASELINE_EVIDENCE_H

#include "resolve/baseline_work.h"

/* Add to the lists of the function that is being compared; short of memory, work->no_memory is set. */
void evidence_add(struct baseline_work *work, uint32_t symbol, enum evidence_kind kind,
                  uint64_t value);
void evidence_add_place(struct baseline_work *work, const struct code_place *place);

#endif
