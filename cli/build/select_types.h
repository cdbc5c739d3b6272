/*
 * select_types.h - ask types.h whether types and prototypes of what was selected fit the process.
 */
#ifndef HOTPATCH_SELECT_TYPES_H
#define HOTPATCH_SELECT_TYPES_H

#include "cli/build/selecting.h"

/* After the closure; its notes are added to the selection. */
void select_types(struct selecting *selecting);

#endif
