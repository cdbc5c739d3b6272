/*
 * types_question.h - what types.h is asked: the units of an edit, and what of them is in the patch.
 */
#ifndef HOTPATCH_TYPES_QUESTION_H
#define HOTPATCH_TYPES_QUESTION_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/build/dwarf_rows.h"

struct object_dwarf;
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

#endif
