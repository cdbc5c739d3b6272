/* select_old.c - see select_old.h. */
#include "cli/build/select_old.h"

#include <stdlib.h>

/* Return whether an entry of the patch leads from the address to new code: a function that moved to another unit. */
static bool is_replaced(const struct selecting *selecting, uint64_t address)
{
    for (size_t i = 0; i < selecting->count; i++) {
        const struct placing_unit *unit = &selecting->units[i];

        for (uint32_t k = 0; k < unit->compare.after->entity_count; k++)
            if (unit->functions[k].replaces && unit->functions[k].host == address)
                return true;
    }
    return false;
}

/* Return whether no code of the edited unit is this function. */
static bool is_old_code(const struct placing_unit *unit, uint32_t before)
{
    uint32_t after = unit->compare.back[before];

    return !after || (unit->functions[after - 1].changed && !unit->functions[after - 1].replaces);
}

static void add_old(struct selecting *selecting, const char *name, uint64_t host)
{
    struct selection *selection = selecting->selection;
    struct selected_old *olds =
        realloc(selection->olds, (selection->old_count + 1) * sizeof(*olds));

    if (!olds) {
        selecting->no_memory = true;
        return;
    }
    selection->olds = olds;
    olds[selection->old_count++] = (struct selected_old){name, host};
}

static void select_unit_old(struct selecting *selecting, const struct placing_unit *unit)
{
    const struct object_view *before = unit->compare.before;

    for (uint32_t i = 0; before && i < before->entity_count; i++) {
        const struct baseline_function *host;

        if (before->entities[i].kind != ENTITY_FUNCTION || !is_old_code(unit, i))
            continue;
        host = host_function(&unit->compare, i);
        if (host && host->verdict == BASELINE_EQUAL && !is_replaced(selecting, host->address))
            add_old(selecting, before->entities[i].name, host->address);
    }
}

void select_old(struct selecting *selecting)
{
    for (size_t i = 0; i < selecting->count; i++)
        select_unit_old(selecting, &selecting->units[i]);
}
