/*
 * select_bind.h - where a symbol of an edited object is found in the process.
 */
#ifndef HOTPATCH_SELECT_BIND_H
#define HOTPATCH_SELECT_BIND_H

#include "cli/build/selecting.h"

/* Choose for a symbol that a placed section refers to. Its entity, if it is one of the object, was decided. */
void select_choose(struct selecting *selecting, uint32_t unit, uint32_t symbol);

/* Choose for the symbols of all placed sections. To be called when no more sections are placed. */
void select_own(struct selecting *selecting);

#endif
