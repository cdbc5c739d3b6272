/*
 * declared.h - declared slots: the slots of a table in a loaded object or in a patch's file, and the slots that a
 * program registers while it runs (hotpatch_register()).
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_DECLARED_H
#define HOTPATCH_DECLARED_H

#include "elf/image.h"
#include "loader/slots/slot.h"

struct registered_slot;

/* Register the slots of an object's table. Return 0; -1 if there is no memory; 1 if ld.so has listed the object and not
 * yet relocated it. Called with ld.so's list lock held. */
int declared_read(struct object *object);

/* Make the slots of a patch's file, unregistered and with addresses without load bias. Return 0, or -1 with `error`. */
int declared_from_file(const struct image *image, struct module *owner, struct slot **list,
                       char **name_space, struct elf_error *error);

/* Add the load bias of `object` to the addresses of such a slot. */
void declared_place(struct slot *slot, struct object *object);

/* Make slots for the structs that the program has registered since the last call. Return 0, or -1 if there is no
 * memory. */
int declared_adopt_registered(struct registered_slot *list);

/* Return the slot of a `struct hotpatch_slot`; NULL if there is none. */
struct slot *slot_of_declared(const struct hotpatch_slot *declared);

#endif
