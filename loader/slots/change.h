/*
 * change.h - a slot's change by a transaction: the layers that the slot will have, and the value that will be live.
 *
 * Called by the thread that holds the engine lock.
 */
#ifndef HOTPATCH_CHANGE_H
#define HOTPATCH_CHANGE_H

#include "loader/slots/slot.h"

struct change {
    struct change *next;
    struct slot *slot;
    struct layer *layers; /* after the commit: the slot's old layers */
    size_t layer_count;
    struct slot *provider;
    bool armed;              /* an entry slot that this transaction has armed */
    uintptr_t before, after; /* the live values, known after change_values() */
};

/* Make a change that leaves the slot as it is, and pin the slot. Return NULL if there is no memory. */
struct change *change_new(struct slot *slot);
void change_free(struct change *change);

/* Return the layer of a module; NULL if there is none. */
struct layer *change_layer_of(const struct change *change, const struct module *module);
/* Put a layer on top. Return 0, or -1 if there is no memory. */
int change_push_layer(struct change *change, const struct layer *layer);
void change_remove_layer(struct change *change, const struct layer *layer);

/* Return the value below all layers. */
uintptr_t change_base(const struct change *change);
/* Set the functions of the layers, whose modules are placed, and the values before and after the commit. */
void change_values(struct change *change);
/* Return the value that a word will hold. */
uintptr_t change_word_value(const struct change *change, const struct word *word);

#endif
