/*
 * import.h - import slots: the words of every object that ld.so fills with the address of one function.
 *
 * Runs on whichever thread holds the engine lock; unless said otherwise inside objects_locked().
 */
#ifndef HOTPATCH_IMPORT_H
#define HOTPATCH_IMPORT_H

#include "loader/slots/slot.h"

/* Read the words of all objects that hold functions of others, or that others could interpose: those of one name, or
 * all. Words of objects that come later are read by imports_read_new(). 0, or -1: no memory. */
int imports_read_named(const char *name);
int imports_read_all(void);
int imports_read_new(void);

/* Read the words of an object again if it may have been closed and opened again where it lay. */
void imports_recheck(struct object *object);
/* Let the next imports_read_new() look at all objects: their list has changed. Not only inside objects_locked(). */
void imports_expect_new(void);

/* Return whether an object imports it that is no patch, and not only its definer for its own calls. */
bool import_is_used(const struct slot *slot);
/* Return whether the definition is in the OBJECT of a target. */
bool import_is_defined_in(const struct slot *slot, const struct symbol_spec *target);
/* Return whether the OBJECT of a target is an importer. */
bool import_is_used_in(const struct slot *slot, const struct symbol_spec *target);

/* Call `each` for what objects import and nothing can patch, with the reason. */
typedef void import_refused_fn(const struct object *importer, const struct image_symbol *symbol,
                               const char *why, void *context);
void imports_unpatchable(import_refused_fn *each, void *context);

/* Return whether `value` leads to the definition through a PLT, the importer's own or the program's. */
bool import_is_unbound(const struct slot *slot, const struct word *word, uintptr_t value);

#endif
