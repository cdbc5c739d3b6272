/*
 * select_evidence.h - bind by what the comparison with the binary has shown.
 */
#ifndef HOTPATCH_SELECT_EVIDENCE_H
#define HOTPATCH_SELECT_EVIDENCE_H

#include "cli/build/selecting.h"

/* Bind by the evidence of the baseline. `external`: other objects may define the symbol. Return false: there is none. */
bool select_evidence(const struct binary *binary, const struct baseline_symbol *evidence,
                     bool external, struct symbol_choice *choice);

/* Bind an unchanged function to the binary's. */
void select_host_function(struct selecting *selecting, uint32_t unit, uint32_t entity,
                          struct symbol_choice *choice);

#endif
