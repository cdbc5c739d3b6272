/* host_place.c - see host_place.h. */
#include "cli/build/host_place.h"

#include <elf.h>
#include <string.h>

/* Call for each symbol of the entity's place, then for its section's symbol. Return the next one after `*at`, 0 at the
 * end. */
static uint32_t entity_next_symbol(const struct unit_compare *compare, uint32_t before,
                                   uint32_t *at)
{
    const struct object_view *view = compare->before;
    const struct entity *entity = &view->entities[before];

    for ((*at)++; *at < view->object->symbol_count; (*at)++) {
        const struct rel_symbol *symbol = &view->object->symbols[*at];

        if (view->of_symbol[*at] == before + 1 ||
            (symbol->type == STT_SECTION && symbol->section == entity->section))
            return *at;
    }
    return 0;
}

const struct baseline_function *host_function(const struct unit_compare *compare, uint32_t before)
{
    const struct entity *entity = &compare->before->entities[before];
    const struct baseline_function *found =
        baseline_function(compare->unit->baseline, entity->symbol);
    uint32_t at = 0, symbol;

    if (found)
        return found;
    while ((symbol = entity_next_symbol(compare, before, &at)) != 0) {
        found = baseline_function(compare->unit->baseline, symbol);
        if (found)
            return found;
    }
    return NULL;
}

static void merge_address(struct baseline_symbol *into, uint64_t address, bool by_name)
{
    if (into->has_address && into->address != address && by_name == into->by_name)
        into->conflict = true;
    if (into->has_address && by_name && !into->by_name)
        return;
    into->has_address = true;
    into->by_name = by_name;
    into->address = address;
}

static void merge_symbol(struct baseline_symbol *into, const struct baseline_symbol *from,
                         uint64_t offset)
{
    if (from->conflict)
        into->conflict = true;
    if (from->has_address)
        merge_address(into, from->address + offset, from->by_name);
    if (from->has_call && !offset) {
        into->has_call = true;
        into->call = from->call;
    }
    if (from->has_got && !offset) {
        into->has_got = true;
        into->got = from->got;
    }
    if (from->has_tls) {
        if (into->has_tls && into->tls != from->tls + (int64_t)offset)
            into->conflict = true;
        into->has_tls = true;
        into->tls = from->tls + (int64_t)offset;
    }
}

struct baseline_symbol host_symbol(const struct unit_compare *compare, uint32_t before)
{
    const struct entity *entity = &compare->before->entities[before];
    const struct baseline *baseline = compare->unit->baseline;
    struct baseline_symbol merged = {0};
    uint32_t at = 0, symbol;

    while ((symbol = entity_next_symbol(compare, before, &at)) != 0) {
        bool section = compare->before->object->symbols[symbol].type == STT_SECTION;

        if (symbol < baseline->symbol_count)
            merge_symbol(&merged, &baseline->symbols[symbol], section ? entity->offset : 0);
    }
    return merged;
}

bool host_undefined(const struct unit_compare *compare, const char *name,
                    struct baseline_symbol *out)
{
    const struct rel_symbol *symbol;
    uint32_t index;

    if (!compare->before)
        return false;
    index = rel_symbol_named(compare->before->object, name);
    if (!index || index >= compare->unit->baseline->symbol_count)
        return false;
    symbol = &compare->before->object->symbols[index];
    if (symbol->binding == STB_LOCAL)
        return false;
    *out = compare->unit->baseline->symbols[index];
    return true;
}
