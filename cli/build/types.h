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

struct rel_object;

/* A unit of the edit: all that were compiled, also those none of whose functions changed. */
struct types_unit {
    const char *source; /* as messages name it */
    const struct object_dwarf *old_dwarf,
        *new_dwarf; /* unedited, edited; NULL: the unit is new, or is gone */
    const struct rel_object *old_object, *new_object;
};

/* A function of the patch. */
struct types_function {
    size_t unit;
    const char *name;
    bool has_old, has_new; /* false: it is new; it is gone */
    struct dwarf_place old_place, new_place;
    bool replaces; /* the host's entry is redirected to it */
    const char *
        why_not_kept; /* types_check() may ask for the old entry to stay: NULL: it can; else why it cannot
                                 ("its address is taken") */
};

/* A variable of the host that code of the patch uses at its own address. */
struct types_variable {
    size_t unit;
    struct dwarf_place old_place, new_place;
};

struct types_question {
    const struct types_unit *units;
    size_t unit_count;
    const struct types_function *functions;
    size_t function_count;
    const struct types_variable *variables;
    size_t variable_count;
    bool force; /* --force-types: a difference is a note */
};

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
