/*
 * import.h - import slots: the words of every object that ld.so fills with the address of one function.
 *
 * Called by the thread that holds the engine lock; inside objects_locked() unless a comment says otherwise.
 */
#ifndef HOTPATCH_IMPORT_H
#define HOTPATCH_IMPORT_H

#include "loader/slots/slot.h"

/* Read the words of all objects that hold functions of other objects, or that other objects could interpose: the words
 * of one name, or all. imports_read_new() reads the words of objects that come later. Return 0, or -1 if there is no
 * memory. */
int imports_read_named(const char *name);
int imports_read_all(void);
int imports_read_new(void);

/* Read the words of an object again if it may have been closed and opened again at its old place. */
void imports_recheck(struct object *object);
/* Let the next imports_read_new() examine all objects: their list has changed. May be called outside
 * objects_locked(). */
void imports_expect_new(void);

/* Return whether an object imports the slot's function that is no patch, and that is not only the function's definer
 * for its own calls. */
bool import_is_used(const struct slot *slot);
/* Return whether the definition is in the OBJECT of a target. */
bool import_is_defined_in(const struct slot *slot, const struct symbol_spec *target);
/* Return whether the OBJECT of a target is an importer. */
bool import_is_used_in(const struct slot *slot, const struct symbol_spec *target);

/* Call `each` for every imported symbol that cannot be patched, with the reason. */
typedef void import_refused_fn(const struct object *importer, const struct image_symbol *symbol,
                               const char *why, void *context);
void imports_unpatchable(import_refused_fn *each, void *context);

/* Return whether `value` leads to the definition through a PLT, the importer's own or the program's. */
bool import_is_unbound(const struct slot *slot, const struct word *word, uintptr_t value);

#endif
