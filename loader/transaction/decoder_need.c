/* decoder_need.c - see decoder_need.h. */
#include "loader/transaction/decoder_need.h"

#include <string.h>

#include "loader/transaction/state.h"
#include "resolve/resolver.h"

/* Return whether the target names a declared slot of the program, by the rules of find.c. */
static bool names_declared(const char *text)
{
    struct symbol_spec target;

    if (symbol_spec_parse(text, &target) != 0)
        return true; /* no function is looked for */
    if (!resolver_may_be_declared(&target))
        return false;
    for (const struct slot *slot = slot_next_named(SLOT_DECLARED, target.name, NULL); slot;
         slot = slot_next_named(SLOT_DECLARED, target.name, slot))
        if (!slot->owner && slot_in_object(slot, &target))
            return true;
    return false;
}

bool decoder_is_needed(const struct transaction *transaction)
{
    for (size_t i = 0; i < transaction->load_count; i++) {
        const struct module *module = transaction->loads[i];

        if (module->hooks[HOOK_BEFORE_APPLY]) /* the hook may name other targets */
            return true;
        for (size_t k = 0; k < module->replacement_count; k++)
            if (module->replacements[k].by_place || !names_declared(module->replacements[k].target))
                return true;
    }
    return false;
}
