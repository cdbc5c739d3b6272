/*
 * baseline_references.h - what the fields of code and of constants refer to. For the files baseline*.c alone.
 */
#ifndef HOTPATCH_BASELINE_REFERENCES_H
#define HOTPATCH_BASELINE_REFERENCES_H

#include "resolve/baseline_work.h"

/* As arch_compare.refer; `context` is the struct baseline_work. */
const char *reference_check(const struct arch_reference *reference, void *context);
/* A field of a constant, at `field` in the binary: its relocation; `base` is its distance from the constant's begin.
 * Return NULL, or what differs. */
const char *reference_check_data(struct baseline_work *work,
                                 const struct rel_relocation *relocation, uint64_t field,
                                 uint64_t base);
/* Check a place inside code when all functions have been compared. */
bool reference_place_leads(const struct baseline_work *work, const struct code_place *place);

#endif
