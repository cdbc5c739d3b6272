/*
 * types_brief.h - the proof that objects of the types that changed live only in automatic variables of the patch.
 *
 * A function that is entered after the switch makes objects of the new layout, and hands them to new code alone; one that
 * entered before keeps its own objects and goes on to call old code. Nobody sees an object of the other layout, whatever has
 * changed, if in the unedited objects of all units that were compiled
 *
 *  1. only structures and unions have another layout;
 *  2. no variable with static storage is, or leads to, such an object, and no other structure has one as a member, or
 *     leads to one, and no pointer to a function: so no object of longer life leads there;
 *  3. the functions that have such an object as a variable, a parameter or a result are all in the patch; besides those,
 *     pointers to one are only parameters, or local variables of functions that have one of these to point to;
 *  4. none of these functions calls one that may allocate such an object (that returns void *, char * or a pointer to one) or
 *     that may keep its bytes (that has a void * as a parameter), functions of C's library excepted that do
 *     neither (memset(3), printf(3));
 *  5. all functions of the patch with code of these units are among them, so that no cast hides in another one;
 *  6. of those that have one, or a pointer to one, as a parameter or a result, those that changed are not entered by old code:
 *     their old entry stays (types_function.replaces is false).
 *
 * The debug information of unoptimised code does not have the prototypes of functions of other units: there nothing is proved
 * of a function that calls one.
 */
#ifndef HOTPATCH_TYPES_BRIEF_H
#define HOTPATCH_TYPES_BRIEF_H

#include "cli/build/types_pairs.h"
#include "cli/build/types_question.h"

/* Return NULL where it is proved for all types that have another layout; else why it is not, such as "struct queue (a.c:4) leads
 * to it", malloc'd. `compare` returns the comparison of a unit's objects. */
char *types_brief_reason(const struct types_question *question,
                         struct type_comparison *(*compare)(const struct object_dwarf *old_dwarf,
                                                            const struct object_dwarf *new_dwarf));

#endif
