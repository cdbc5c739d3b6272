/*
 * types.h - do types and prototypes of an edit fit the living process?
 *
 * Each unit is compiled twice, unedited and edited, by the same command; the debug information of both is compared. One
 * thread. What the decisions below rest on: all units that read a changed file are compiled, and every function whose machine
 * code differs is in the patch. So code that stays is right for both layouts, and only two things can meet a layout that is not
 * theirs: new code an object from before the switch, and code that entered before the switch an object, or arguments, of new
 * code.
 *
 * Refused (HP-TYPES):
 * - A structure, union, enum or typedef that both units name, and that has another layout (types_compare.h says what is alike),
 *   if any function of the patch, or a variable that it uses, is of a unit that names it. Whether the functions of the patch use
 *   the type does not matter: a cast leaves no trace in debug information. Objects from before the switch may live.
 * - A variable that keeps its place in the process, and has another type.
 * - A function whose old entry is redirected, and that has another prototype: a caller from before the switch, or outside of the
 *   patch, passes the old arguments.
 * - A unit without types to compare.
 *
 * Not refused, and why:
 * - Only objects of the patch: where all objects of the types that changed are automatic variables of functions of the patch, and
 *   old callers keep the old callees. The proof is in types_brief.h; a note says so.
 * - Enumerators added, while the others keep their values: no object has a value that means something else.
 * - The last enumerator of an enum moved, whose name says that it is the number of the others (N_STATES, COLOUR_MAX): a note. That
 *   it is not stored as a state is what the name says, and not proved.
 * - An enumerator that is gone, and a member of another name with the same place and type: no byte moves; a note.
 * - Values of an enum without a name: constants like those of #define; code that has them is in the patch.
 * - Types that one of the units does not have, or does not name: debug information leaves out what no code of a unit uses, so
 *   no code of the patch can.
 * - A structure of the same name in another unit: units are compared each with itself.
 * - volatile and const: no byte of an object depends on them, and code that does is in the patch.
 * - Types of a function's own that no variable with static storage has: their objects are automatic.
 * - A static function of another prototype all callers of which are in the patch: its old entry is not redirected.
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
    PROTOTYPE_ONE_SIDED, /* one of both objects alone has debug information on it: it became assembler, or was */
    PROTOTYPE_UNKNOWN /* neither has, or one of both has no types */
};

/* Compare the prototypes of the functions at two places of two objects; where the compiler merged several, of each name that
 * both have, and return the greatest difference. `old_text` and `new_text` (NULL: not wanted)
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
