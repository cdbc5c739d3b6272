/*
 * declared.h - declared slots: those of a table in a loaded object or in a patch's file, and those that a program
 * registers while it runs (hotpatch_register()).
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_DECLARED_H
#define HOTPATCH_DECLARED_H

#include "elf/image.h"
#include "loader/slots/slot.h"

struct registered_slot;

/* Register the slots of an object's table. 0; -1: no memory; 1: ld.so has listed the object and not yet relocated
 * it. Holding ld.so's list lock. */
int declared_read(struct object *object);

/* Make the slots of a patch's file, unregistered and with addresses without load bias. 0, or -1 with `fault`. */
int declared_from_file(const struct image *image, struct module *owner, struct slot **list,
                       char **name_space, struct elf_error *error);

/* Add the load bias of `object` to the addresses of such a slot. */
void declared_place(struct slot *slot, struct object *object);

/* Make slots of those that the program has registered since the last call. 0, or -1: no memory. */
int declared_adopt_registered(struct registered_slot *list);

/* Return the slot of a `struct hotpatch_slot`; NULL: there is none. */
struct slot *slot_of_declared(const struct hotpatch_slot *declared);

#endif
