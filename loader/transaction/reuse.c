/*
 * reuse.c - see reuse.h. In a mapping that is used again, data has the values that the module left, and constructors
 * have run. So a program in which one patch, or several in turn, are applied and reverted without end does not grow.
 *
 * A thread may have been in the module's code since before the revert. When it reads the pointer of HOTPATCH_ORIGINAL
 * it must not find the function that lies below the module now. That may be a function that called the thread's
 * function, which would then run twice in one call. So a mapping is used whose pointers already hold the values that
 * they will have. If there is none, a mapping is used in which a look at all threads shows no thread, or which was
 * reverted REST_MS ago. If there is none either, the file is mapped again.
 *
 * Called by the listener.
 */
#include "loader/transaction/reuse.h"
#include "base/clock.h"

#include "base/services.h"
#include "loader/module/parked.h"
#include "loader/objects/object.h"
#include "loader/text/thread_scan.h"

enum { REST_MS = 1000 }; /* longer than any call that does not sleep in the patch */

/* Return the function or data of a layer; 0 if its module is not mapped yet. */
static uintptr_t layer_value(const struct layer *layer)
{
    const struct module *module = layer->module;

    if (!module)
        return layer->function;
    if (module->placed)
        return module->replacements[layer->replacement].function;
    return module->reused ? module->replacements[layer->replacement].function + module->bias : 0;
}

/* Return the value below all layers. A slot that the module itself declares is placed together with the module. */
static uintptr_t base_in(const struct change *change, const struct module *module, uintptr_t bias)
{
    const struct slot *slot = change->slot;

    if (slot->owner == module && !slot->object)
        return slot->fallback ? slot->fallback + bias : 0;
    return change_base(change);
}

static bool originals_hold_in(const struct change *change, const struct module *module,
                              uintptr_t bias)
{
    for (size_t i = 0; i < change->layer_count; i++) {
        const struct layer *layer = &change->layers[i];
        uintptr_t original, below;

        if (layer->module != module || module->replacements[layer->replacement].original == 0)
            continue;
        original = module->replacements[layer->replacement].original + bias;
        below = i == 0 ? base_in(change, module, bias) : layer_value(layer - 1);
        if (*(const uintptr_t *)original != below)
            return false;
    }
    return true;
}

static bool originals_hold(const struct transaction *transaction, const struct module *module,
                           const struct parked *parked)
{
    for (const struct change *c = transaction->changes; c; c = c->next)
        if (!originals_hold_in(c, module, parked->bias))
            return false;
    return true;
}

static bool is_left(const struct parked *parked, uint64_t now)
{
    return now - parked->since >= REST_MS ||
           thread_scan_has_left(parked->object->begin, parked->object->end);
}

static struct parked *choose(const struct transaction *transaction, const struct module *module)
{
    struct parked *parked, *oldest = NULL;

    for (parked = parked_next(module, NULL); parked; parked = parked_next(module, parked)) {
        if (originals_hold(transaction, module, parked))
            return parked;
        oldest = parked;
    }
    return oldest && is_left(oldest, clock_ms()) ? oldest : NULL;
}

void reuse_mappings(struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->load_count; i++) {
        struct module *module = transaction->loads[i];
        struct parked *parked = module->injection ? NULL : choose(transaction, module);

        if (parked)
            parked_take(parked, module);
    }
}
