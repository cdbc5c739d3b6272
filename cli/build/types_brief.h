/*
 * types_brief.h - the proof that objects of the types that changed live only in automatic variables of the patch.
 */
#ifndef HOTPATCH_TYPES_BRIEF_H
#define HOTPATCH_TYPES_BRIEF_H

#include "cli/build/types_pairs.h"
#include "cli/build/types_question.h"

/* Return NULL where it is proved for all types that have another layout; else "struct queue (a.c:4) leads to it", malloc'd:
 * why it is not. `compare` returns the comparison of a unit's objects. */
char *types_brief_reason(const struct types_question *question,
                         struct type_comparison *(*compare)(const struct object_dwarf *old_dwarf,
                                                            const struct object_dwarf *new_dwarf));

#endif
