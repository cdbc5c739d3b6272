/*
 * types.h - do types and prototypes of an edit fit the living process?
 *
 * Each unit is compiled twice, unedited and edited, by the same command; the debug information of both is compared. One
 * thread. DRAFT: the decisions with their proofs follow here.
 */
#ifndef HOTPATCH_TYPES_H
#define HOTPATCH_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/refusal.h"
#include "cli/build/object_dwarf.h"
#include "cli/build/types_question.h"

/* What to tell the user beside a patch: each malloc'd; zeroed: none. */
struct types_notes {
    char **list;
    size_t count;
};

/* Return 0: the patch may be applied, perhaps with notes; or -1 with HP-TYPES for each type, prototype and variable that
 * differs (file:line, what of it, old and new, which function or variable uses it). */
int types_check(const struct types_question *question, struct types_notes *notes,
                struct refusal *why);
void types_notes_free(struct types_notes *notes);

enum types_prototype {
    PROTOTYPE_SAME,
    PROTOTYPE_LAYOUT, /* the same words, but a type that a parameter or the result reaches has another layout */
    PROTOTYPE_CHANGED,
    PROTOTYPE_UNKNOWN /* one of both has no debug information */
};

/* Compare the prototypes of the functions at two places of two objects. `old_text` and `new_text` (NULL: not wanted)
 * receive "int f(struct a *, int)", malloc'd, or NULL. */
enum types_prototype types_prototype(const struct object_dwarf *old_dwarf, struct dwarf_place old,
                                     const struct object_dwarf *new_dwarf, struct dwarf_place new,
                                     char **old_text, char **new_text);

/* Compare the types of two variables. Return NULL where they are the same (or not known on one side, where `*known` is
 * false), else "struct a (24 bytes) became struct a (32 bytes): ...", malloc'd. */
char *types_variable_difference(const struct object_dwarf *old_dwarf,
                                const struct dwarf_variable *old,
                                const struct object_dwarf *new_dwarf,
                                const struct dwarf_variable *new, bool *known);

#endif
