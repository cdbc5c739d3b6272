/* thin_plan.c - see thin_plan.h. */
#include "loader/transaction/thin_plan.h"

#include "loader/module/parked.h"
#include "loader/module/thin_module.h"
#include "loader/module/thin_private.h"
#include "loader/module/thin_relies.h"
#include "loader/module/thin_state.h"
#include "loader/slots/thin_callers.h"
#include "resolve/keep_rules.h"

/* Return a module whose layer on the slot, live or planned, does not keep what is relied on; NULL: there is none. */
static const struct module *breaks_relied(const struct slot *slot, const struct arch_kept *kept,
                                          const struct module *old)
{
    const struct change *change = slot_change(slot);
    const struct layer *layers = change ? change->layers : slot->layers;
    size_t count = change ? change->layer_count : slot->layer_count;

    for (size_t i = 0; i < count; i++) {
        const struct module *module = layers[i].module;

        if (module && module != old && !module->injection &&
            !thin_callers_covered(kept, &module->replacements[layers[i].replacement].keep.kept))
            return module;
    }
    return NULL;
}

/* A replacement that is live already was planned without these calls. */
static int check_relied(struct transaction *transaction, const struct module *module,
                        const struct thin_relied *relied, const struct module *old)
{
    const struct slot *slot = slot_at(module->thin->target, relied->called);
    const struct module *breaks = slot ? breaks_relied(slot, &relied->kept, old) : NULL;
    char list[128];

    if (!breaks)
        return 0;
    keep_list(&relied->kept, list, sizeof(list));
    return refuse(
        transaction->why, HP_CALLERS,
        "%s: its code relies on %s over calls of %s, which %s replaces; revert that, load "
        "this, and load that again",
        module->path, list, slot->name, breaks->name);
}

static void plan_relied(struct transaction *transaction, const struct module *module,
                        const struct module *old)
{
    const struct thin_module *thin = module->thin;

    for (size_t i = 0; i < thin->relied_count; i++) {
        if (check_relied(transaction, module, &thin->relied[i], old) != 0)
            continue;
        if (!transaction->dry_run &&
            thin_callers_add(thin->target, thin->relied[i].called, &thin->relied[i].kept) != 0)
            refuse(transaction->why, HP_MEMORY, "plan the transaction: no memory");
    }
}

bool thin_plan(struct transaction *transaction, struct module *module, const struct module *old)
{
    if (thin_module_find(module, transaction->why) != 0)
        return false;
    if (old)
        thin_olds_follow(module, old);
    if (thin_private_check(module, transaction->why) != 0)
        return true;
    if ((old && module_is_same(module, old)) || parked_next(module, NULL))
        return true;
    if (thin_module_link(module, transaction->why) == 0)
        plan_relied(transaction, module, old);
    return true;
}
