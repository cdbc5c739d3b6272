/*
 * select_old.h - the step of a selection that finds the old code whose entries stay: clones, parts, functions that are gone or
 * whose callers all are in the patch. A thread may be in such a function long after the switch, and no slot shows it.
 */
#ifndef HOTPATCH_SELECT_OLD_H
#define HOTPATCH_SELECT_OLD_H

#include "cli/build/selecting.h"

/* Add these functions to the selection, after its plans are made. */
void select_old(struct selecting *selecting);

#endif
