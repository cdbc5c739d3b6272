/*
 * build_objects.h - the objects of the units that an edit concerns, and which of them are the target's.
 */
#ifndef HOTPATCH_BUILD_OBJECTS_H
#define HOTPATCH_BUILD_OBJECTS_H

#include "cli/build/build_state.h"

/* Compile and compare. Afterwards each affected unit is a stranger, with a note, or has chosen candidates with an unedited object
 * that is the target's, and with an edited one where the edit keeps the file. Return 0, or -1: HP-COMPILE, HP-BASELINE, HP-LTO. */
int build_objects(struct build_run *run, struct refusal *why);

#endif
