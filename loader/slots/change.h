/*
 * change.h - what a transaction makes of one slot: the layers that it will have, and the value that will be live.
 *
 * Runs on whichever thread holds the engine lock.
 */
#ifndef HOTPATCH_CHANGE_H
#define HOTPATCH_CHANGE_H

#include "loader/slots/slot.h"

struct change {
    struct change *next;
    struct slot *slot;
    struct layer *layers; /* after the commit: the old ones */
    size_t layer_count;
    struct slot *provider;
    bool armed;              /* an entry slot, by this transaction */
    uintptr_t before, after; /* live values, known from change_values() on */
};

/* Make a change that leaves the slot as it is, and pin the slot. NULL: no memory. */
struct change *change_new(struct slot *slot);
void change_free(struct change *change);

/* Return the layer of a module; NULL: there is none. */
struct layer *change_layer_of(const struct change *change, const struct module *module);
/* Put a layer on top. 0, or -1: no memory. */
int change_push_layer(struct change *change, const struct layer *layer);
void change_remove_layer(struct change *change, const struct layer *layer);

/* Return what lies below all layers. */
uintptr_t change_base(const struct change *change);
/* Fill in the functions of the layers, whose modules are placed, and the values before and after the commit. */
void change_values(struct change *change);
/* Return what a word will hold. */
uintptr_t change_word_value(const struct change *change, const struct word *word);

#endif
