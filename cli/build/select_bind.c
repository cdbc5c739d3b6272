/* select_bind.c - see select_bind.h. */
#include "cli/build/select_bind.h"

#include <elf.h>
#include <string.h>

#include "cli/build/select_undefined.h"
#include "elf/binary.h"

/* ---- sections' symbols ---- */

/* A section's symbol names its first byte. */
static void choose_section(struct selecting *selecting, uint32_t unit, uint32_t symbol)
{
    struct placing_unit *of = &selecting->units[unit];
    uint32_t section = of->compare.after->object->symbols[symbol].section;
    const struct section_view *view = &of->compare.after->sections[section];
    struct symbol_choice *choice = &selecting->selection->units[unit].symbols[symbol];
    uint32_t from = UINT32_MAX;

    for (uint32_t i = view->entity; i < view->entity + view->entity_count; i++) {
        struct symbol_choice host = of->hosts[i];

        if (of->places[i] != PLACE_HOST)
            continue;
        host.at -= of->compare.after->entities[i].offset;
        if (from != UINT32_MAX && (choice->kind != host.kind || choice->at != host.at)) {
            selecting_refuse(selecting, HP_SECTION, unit, i,
                             "the variables of section %s do not lie as the binary has them",
                             of->compare.after->object->sections[section].name);
            return;
        }
        *choice = host;
        from = i;
    }
}

static void choose_entity(struct selecting *selecting, uint32_t unit, uint32_t symbol,
                          uint32_t entity)
{
    const struct placing_unit *of = &selecting->units[unit];

    if (of->places[entity] == PLACE_HOST)
        selecting->selection->units[unit].symbols[symbol] = of->hosts[entity];
}

/* The address of an IFUNC is what its resolver returned when the program started: the stub and the word of the program
 * have it. The resolver, which lies at the symbol's place, never runs again. */
static void choose_indirect(struct selecting *selecting, uint32_t unit, uint32_t symbol)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;
    const struct rel_symbol *named = &compare->after->object->symbols[symbol];
    struct symbol_choice *choice = &selecting->selection->units[unit].symbols[symbol];
    uint32_t before = compare->before ? rel_symbol_named(compare->before->object, named->name) : 0;
    struct baseline_symbol evidence = {0};

    if (before && before < compare->unit->baseline->symbol_count)
        evidence = compare->unit->baseline->symbols[before];
    if (evidence.has_call && binary_is_stub(selecting->binary, evidence.call, &(uint64_t){0})) {
        *choice = (struct symbol_choice){.kind = CHOICE_HOST, .at = evidence.call};
    } else if (evidence.has_got) {
        *choice = (struct symbol_choice){.kind = CHOICE_HOST_GOT, .at = evidence.got};
    } else {
        refuse(selecting->why, HP_LATER, "%s: %s is chosen when the program starts (IFUNC), and %s",
               compare->unit->source, named->name,
               before ? "no code of the program calls it" : "the program does not have it");
    }
}

void select_choose(struct selecting *selecting, uint32_t unit, uint32_t symbol)
{
    struct placing_unit *of = &selecting->units[unit];
    const struct object_view *view = of->compare.after;
    const struct rel_symbol *named = &view->object->symbols[symbol];

    if (!symbol || named->section == REL_ABSOLUTE)
        return;
    if (named->section == REL_UNDEFINED) {
        if (!of->chosen[symbol]) {
            of->chosen[symbol] = true;
            select_undefined(selecting, unit, symbol);
        }
        return;
    }
    if (named->type == STT_GNU_IFUNC)
        choose_indirect(selecting, unit, symbol);
    else if (view->of_symbol[symbol])
        choose_entity(selecting, unit, symbol, view->of_symbol[symbol] - 1);
    else if (named->section != REL_COMMON &&
             !selecting->selection->units[unit].sections[named->section])
        choose_section(selecting, unit, symbol);
}

/* ---- placed symbols ---- */

/* A section's symbol stands for the function at its beginning, too. */
static uint32_t function_of_symbol(const struct object_view *view, uint32_t symbol)
{
    const struct rel_symbol *named = &view->object->symbols[symbol];
    uint32_t entity = view->of_symbol[symbol];

    if (entity)
        return entity - 1;
    if (named->type != STT_SECTION)
        return UINT32_MAX;
    entity = object_view_entity_at(view, named->section, 0);
    return entity != UINT32_MAX && view->entities[entity].offset == 0 ? entity : UINT32_MAX;
}

static void own_symbol(struct selecting *selecting, uint32_t unit, uint32_t symbol)
{
    struct placing_unit *of = &selecting->units[unit];
    struct symbol_choice *choice = &selecting->selection->units[unit].symbols[symbol];
    uint32_t entity = function_of_symbol(of->compare.after, symbol);
    char *keep = choice->keep;

    memset(choice, 0, sizeof(*choice));
    choice->kind = CHOICE_OWN;
    choice->keep = keep;
    if (entity == UINT32_MAX || of->compare.after->entities[entity].kind != ENTITY_FUNCTION)
        return;
    choice->has_host = of->functions[entity].replaces ||
                       (of->functions[entity].has_host && !of->functions[entity].changed);
    choice->host = of->functions[entity].host;
}

static bool is_placed(const struct selecting *selecting, uint32_t unit, uint32_t symbol)
{
    const struct placing_unit *of = &selecting->units[unit];
    const struct rel_symbol *named = &of->compare.after->object->symbols[symbol];

    if (named->section == REL_COMMON)
        return of->places[of->compare.after->of_symbol[symbol] - 1] == PLACE_OWN;
    return rel_symbol_placed(named) && selecting->selection->units[unit].sections[named->section];
}

void select_own(struct selecting *selecting)
{
    for (uint32_t i = 0; i < selecting->count; i++) {
        const struct rel_object *after = selecting->units[i].compare.after->object;

        for (uint32_t k = 1; k < after->symbol_count; k++) {
            if (is_placed(selecting, i, k) && after->symbols[k].type != STT_GNU_IFUNC)
                own_symbol(selecting, i, k);
        }
    }
}
