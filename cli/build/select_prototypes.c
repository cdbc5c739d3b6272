/* select_prototypes.c - see select_prototypes.h. */
#include "cli/build/select_prototypes.h"

#include <stdlib.h>

#include "cli/build/host_callers.h"

/* Return whether the function of the binary is one that the patch replaces, or makes unused. */
static bool is_in_patch(const struct selecting *selecting, uint64_t address)
{
    for (size_t i = 0; i < selecting->count; i++) {
        const struct placing_unit *unit = &selecting->units[i];

        for (uint32_t k = 0; k < unit->compare.after->entity_count; k++) {
            const struct function_plan *plan = &unit->functions[k];

            if (plan->has_host && plan->host == address)
                return plan->changed;
        }
        for (uint32_t k = 0; unit->compare.before && k < unit->compare.before->entity_count; k++) {
            const struct entity *old = &unit->compare.before->entities[k];
            const struct baseline_function *host;

            if (old->kind != ENTITY_FUNCTION || unit->compare.back[k])
                continue;
            host = host_function(&unit->compare, k);
            if (host && host->verdict == BASELINE_EQUAL && host->address == address)
                return true;
        }
    }
    return false;
}

static bool is_outside(const struct binary_symbol *function, void *context)
{
    return !is_in_patch(context, function->address);
}

/* ---- names that other objects may know ---- */

struct making_private {
    struct selecting *selecting;
    uint64_t host;
};

static int add_private(const struct binary_symbol *symbol, void *context)
{
    const struct making_private *making = context;
    struct selection *selection = making->selecting->selection;
    struct selected_private *privates =
        realloc(selection->privates, (selection->private_count + 1) * sizeof(*privates));

    if (!privates) {
        making->selecting->no_memory = true;
        return -1;
    }
    selection->privates = privates;
    privates[selection->private_count++] =
        (struct selected_private){.name = symbol->name, .host = making->host};
    selecting_note(making->selecting,
                   "%s() is exported, and keeps its old entry: the load is refused where another "
                   "object of the process is bound to it; what finds it later, by dlopen() or "
                   "dlsym(), calls the old code",
                   symbol->name);
    return 0;
}

/* Leave the old entry as it is. Every caller of the binary is in the patch; the engine looks at the other objects. */
static void keep_entry(struct selecting *selecting, struct function_plan *plan)
{
    struct making_private making = {selecting, plan->host};

    plan->replaces = false;
    host_exported(selecting->binary, plan->host, add_private, &making);
}

static void check_prototype(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    struct function_plan *plan = &selecting->units[unit].functions[after];

    if (!(plan->prototype || plan->no_entry) || !plan->replaces ||
        !selecting_entity(selecting, unit, after)->external)
        return;
    if (!host_address_taken(selecting->binary, plan->host) &&
        !host_callers(selecting->binary, plan->host, is_outside, selecting))
        keep_entry(selecting, plan);
    else if (plan->no_entry && !plan->prototype)
        selecting_refuse(selecting, HP_NOT_PATCHABLE, unit, after,
                         "%s(): %s, and code outside of the patch may call it",
                         selecting_entity(selecting, unit, after)->name, plan->no_entry);
}

void select_prototypes(struct selecting *selecting)
{
    for (uint32_t i = 0; i < selecting->count; i++) {
        for (uint32_t k = 0; k < selecting->units[i].compare.after->entity_count; k++)
            check_prototype(selecting, i, k);
    }
}
