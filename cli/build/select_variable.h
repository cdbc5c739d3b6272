/*
 * select_variable.h - bind a variable to the program's own, or decide that it is new.
 */
#ifndef HOTPATCH_SELECT_VARIABLE_H
#define HOTPATCH_SELECT_VARIABLE_H

#include "cli/build/selecting.h"

/* Decide on a variable or thread-local of an edited object. PLACE_HOST: `choice` is filled. PLACE_OWN: it is new, and its
 * key is in the choice of its symbol. PLACE_REFUSED: the refusal was added. */
enum entity_place select_variable(struct selecting *selecting, uint32_t unit, uint32_t entity,
                                  struct symbol_choice *choice);

#endif
