/* change.c - see change.h. */
#include "loader/slots/change.h"

#include <stdlib.h>
#include <string.h>

#include "loader/slots/module_state.h"

struct change *change_new(struct slot *slot)
{
    struct change *change = calloc(1, sizeof(*change));

    if (!change)
        return NULL;
    change->layers = calloc(slot->layer_count + 1, sizeof(*change->layers));
    if (!change->layers) {
        free(change);
        return NULL;
    }
    if (slot->layer_count)
        memcpy(change->layers, slot->layers, slot->layer_count * sizeof(*change->layers));
    change->layer_count = slot->layer_count;
    change->provider = slot->provider;
    change->slot = slot;
    slot_pin(slot, change);
    return change;
}

void change_free(struct change *change)
{
    slot_unpin(change->slot);
    free(change->layers);
    free(change);
}

struct layer *change_layer_of(const struct change *change, const struct module *module)
{
    for (size_t i = 0; i < change->layer_count; i++)
        if (change->layers[i].module == module)
            return &change->layers[i];
    return NULL;
}

int change_push_layer(struct change *change, const struct layer *layer)
{
    struct layer *layers =
        realloc(change->layers, (change->layer_count + 1) * sizeof(*change->layers));

    if (!layers)
        return -1;
    change->layers = layers;
    layers[change->layer_count++] = *layer;
    return 0;
}

void change_remove_layer(struct change *change, const struct layer *layer)
{
    size_t index = (size_t)(layer - change->layers);

    memmove(&change->layers[index], &change->layers[index + 1],
            (change->layer_count - index - 1) * sizeof(*layer));
    change->layer_count--;
}

uintptr_t change_base(const struct change *change)
{
    const struct slot *slot = change->slot;

    if (slot->type != HOTPATCH_KIND_REQUIRED)
        return slot->base;
    return change->provider ? change->provider->stub : slot->fallback;
}

void change_values(struct change *change)
{
    for (size_t i = 0; i < change->layer_count; i++) {
        struct layer *layer = &change->layers[i];

        if (layer->module) {
            const struct replacement *replacement =
                &layer->module->replacements[layer->replacement];

            layer->function = replacement->function;
            layer->original = (uintptr_t *)replacement->original;
        }
    }
    change->before = change->slot->live;
    change->after = change->layer_count ? change->layers[change->layer_count - 1].function
                                        : change_base(change);
}

uintptr_t change_word_value(const struct change *change, const struct word *word)
{
    const struct slot *slot = change->slot;

    return slot->ops->word_value ? slot->ops->word_value(slot, change->layers, change->layer_count,
                                                         change->after, word)
                                 : change->after;
}
