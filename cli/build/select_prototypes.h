/*
 * select_prototypes.h - functions that other files see, and whose prototype changed, or whose entry cannot be patched.
 *
 * If every function of the binary that calls one is in the patch, the old entry stays as it is: an old caller that
 * still runs reaches the old callee. Where the binary exports the function, the patch says so (struct selected_private),
 * and the engine loads it only if no other object is bound to it. A plugin that comes later was made for the prototype
 * of the program that runs, and reaches the code of that prototype. Else the change is refused, of a prototype by
 * types_check().
 */
#ifndef HOTPATCH_SELECT_PROTOTYPES_H
#define HOTPATCH_SELECT_PROTOTYPES_H

#include "cli/build/selecting.h"

/* After select_changes(), before the closure. */
void select_prototypes(struct selecting *selecting);

#endif
