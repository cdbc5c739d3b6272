/*
 * select_closure.h - place the changed functions, and follow what they refer to: what the process has is bound, what it
 * has not is placed, too.
 */
#ifndef HOTPATCH_SELECT_CLOSURE_H
#define HOTPATCH_SELECT_CLOSURE_H

#include "cli/build/selecting.h"

/* Place all functions whose entries are to lead to new code, and all that they need. */
void select_closure(struct selecting *selecting);

/* Decide where an entity is found, and place its section if the process does not have it. */
enum entity_place select_entity(struct selecting *selecting, uint32_t unit, uint32_t entity);

/* Place a section. */
void select_section(struct selecting *selecting, uint32_t unit, uint32_t section);

#endif
