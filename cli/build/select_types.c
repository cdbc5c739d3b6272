/* select_types.c - see select_types.h. */
#include "cli/build/select_types.h"

#include <stdlib.h>

#include "cli/build/types.h"
#include "cli/build/unit_callers.h"

struct types_asking {
    struct types_unit *units;
    struct types_function *functions;
    struct types_variable *variables;
    size_t function_count, variable_count;
};

static struct dwarf_place place_in(const struct entity *entity)
{
    struct dwarf_place place = {entity->section, entity->offset};

    if (entity->section == REL_COMMON)
        place.section = DWARF_SYMBOL | entity->symbol;
    return place;
}

static const char *why_not_kept(const struct placing_unit *unit, uint32_t after)
{
    if (unit->compare.after->entities[after].external)
        return "code outside of the patch may call it";
    return unit_callers_take_address(&unit->compare, after) ? "its address is taken" : NULL;
}

static void ask_function(struct types_asking *asking, const struct selecting *selecting,
                         uint32_t unit, uint32_t after)
{
    const struct placing_unit *of = &selecting->units[unit];
    const struct entity *entity = selecting_entity(selecting, unit, after);
    uint32_t match = of->compare.states[after].match;
    struct types_function *question;

    if (!of->functions[after].changed || of->places[after] != PLACE_OWN)
        return;
    question = &asking->functions[asking->function_count++];
    *question = (struct types_function){.unit = unit,
                                        .name = entity->name,
                                        .has_old = match != 0,
                                        .has_new = true,
                                        .new_place = place_in(entity),
                                        .replaces = of->functions[after].replaces};
    if (match)
        question->old_place = place_in(&of->compare.before->entities[match - 1]);
    if (question->replaces)
        question->why_not_kept = why_not_kept(of, after);
}

static void ask_variable(struct types_asking *asking, const struct selecting *selecting,
                         uint32_t unit, uint32_t after)
{
    const struct placing_unit *of = &selecting->units[unit];
    uint32_t match = of->compare.states[after].match;

    if (of->places[after] != PLACE_HOST || !match)
        return;
    asking->variables[asking->variable_count++] =
        (struct types_variable){.unit = unit,
                                .old_place = place_in(&of->compare.before->entities[match - 1]),
                                .new_place = place_in(selecting_entity(selecting, unit, after))};
}

/* Variables of other files: the object has their types, but not them. */
static void ask_undefined(struct types_asking *asking, const struct selecting *selecting,
                          uint32_t unit)
{
    const struct placing_unit *of = &selecting->units[unit];
    const struct rel_object *after = of->compare.after->object;

    for (uint32_t i = 1; of->compare.before && i < after->symbol_count; i++) {
        uint32_t old;

        if (!of->chosen[i] || after->symbols[i].section != REL_UNDEFINED)
            continue;
        old = rel_symbol_named(of->compare.before->object, after->symbols[i].name);
        if (!old || of->compare.before->object->symbols[old].section != REL_UNDEFINED)
            continue;
        asking->variables[asking->variable_count++] = (struct types_variable){
            .unit = unit, .old_place = {DWARF_SYMBOL | old, 0}, .new_place = {DWARF_SYMBOL | i, 0}};
    }
}

static void ask_unit(struct types_asking *asking, const struct selecting *selecting, uint32_t unit)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;

    asking->units[unit] = (struct types_unit){.source = compare->unit->source,
                                              .old_dwarf = compare->unit->old_dwarf,
                                              .new_dwarf = compare->unit->new_dwarf,
                                              .old_object = compare->unit->old_object,
                                              .new_object = compare->unit->new_object};
    for (uint32_t k = 0; k < compare->after->entity_count; k++) {
        if (compare->after->entities[k].kind == ENTITY_FUNCTION)
            ask_function(asking, selecting, unit, k);
        else
            ask_variable(asking, selecting, unit, k);
    }
    ask_undefined(asking, selecting, unit);
}

static void ask_types(struct types_asking *asking, struct selecting *selecting)
{
    struct types_notes notes = {0};
    struct types_question question = {.units = asking->units,
                                      .unit_count = selecting->count,
                                      .functions = asking->functions,
                                      .variables = asking->variables,
                                      .force = selecting->force_types};

    for (uint32_t i = 0; i < selecting->count; i++)
        ask_unit(asking, selecting, i);
    question.function_count = asking->function_count;
    question.variable_count = asking->variable_count;
    types_check(&question, &notes, selecting->why);
    for (size_t i = 0; i < notes.count; i++)
        selecting_note(selecting, "%s", notes.list[i]);
    types_notes_free(&notes);
}

void select_types(struct selecting *selecting)
{
    struct types_asking asking = {0};
    size_t room = 1;

    for (size_t i = 0; i < selecting->count; i++)
        room += selecting->units[i].compare.after->entity_count +
                selecting->units[i].compare.after->object->symbol_count;
    asking.units = calloc(selecting->count + 1, sizeof(*asking.units));
    asking.functions = calloc(room, sizeof(*asking.functions));
    asking.variables = calloc(room, sizeof(*asking.variables));
    if (asking.units && asking.functions && asking.variables)
        ask_types(&asking, selecting);
    else
        selecting->no_memory = true;
    free(asking.units);
    free(asking.functions);
    free(asking.variables);
}
