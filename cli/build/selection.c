/* selection.c - see selection.h. */
#include "cli/build/selection.h"

#include <stdlib.h>
#include <string.h>

#include "cli/build/call_signature.h"
#include "cli/build/correlate.h"
#include "cli/build/entry_judge.h"
#include "cli/build/generated_names.h"
#include "cli/build/select_bind.h"
#include "cli/build/select_changes.h"
#include "cli/build/select_closure.h"
#include "cli/build/select_data.h"
#include "cli/build/select_form.h"
#include "cli/build/select_old.h"
#include "cli/build/select_prototypes.h"
#include "cli/build/select_types.h"
#include "cli/build/selecting.h"

/* ---- the result ---- */

static bool has_row(const struct placing_unit *unit, uint32_t entity)
{
    return unit->places[entity] == PLACE_OWN &&
           unit->compare.after->entities[entity].kind == ENTITY_FUNCTION &&
           !name_is_part(unit->compare.after->entities[entity].name);
}

static void function_add(struct selecting *selecting, uint32_t unit, uint32_t index)
{
    const struct entity *entity = selecting_entity(selecting, unit, index);
    struct function_plan *plan = &selecting->units[unit].functions[index];
    struct selection *selection = selecting->selection;
    struct selected_function *function = &selection->functions[selection->function_count++];

    *function = (struct selected_function){.unit = unit,
                                           .symbol = entity->symbol,
                                           .replaces = plan->replaces,
                                           .host = plan->host,
                                           .host_size = plan->host_size,
                                           .name = entity->name,
                                           .source = selecting->units[unit].compare.unit->source,
                                           .why = plan->why};
    plan->why = NULL;
    if (!function->why)
        function->why = strdup("the binary does not have it");
    if (!function->why)
        selecting->no_memory = true;
    if (selecting->units[unit].compare.after->dwarf) {
        const char *file = object_dwarf_where(selecting->units[unit].compare.after->dwarf,
                                              entity->section, entity->offset, &function->line);

        if (file)
            function->source = file;
        function->signature = call_signature(selecting->units[unit].compare.after->dwarf,
                                             entity->section, entity->offset);
    }
}

static void functions_add(struct selecting *selecting)
{
    size_t count = 0;

    for (size_t i = 0; i < selecting->count; i++) {
        for (uint32_t k = 0; k < selecting->units[i].compare.after->entity_count; k++)
            count += has_row(&selecting->units[i], k);
    }
    selecting->selection->functions = calloc(count + 1, sizeof(*selecting->selection->functions));
    if (!selecting->selection->functions) {
        selecting->no_memory = true;
        return;
    }
    for (uint32_t i = 0; i < selecting->count; i++) {
        for (uint32_t k = 0; k < selecting->units[i].compare.after->entity_count; k++) {
            if (has_row(&selecting->units[i], k))
                function_add(selecting, i, k);
        }
    }
}

static bool replaces_any(const struct selection *selection)
{
    for (size_t i = 0; i < selection->function_count; i++) {
        if (selection->functions[i].replaces)
            return true;
    }
    return false;
}

static void refuse_unchanged(struct selecting *selecting)
{
    const struct selection *selection = selecting->selection;

    if (!selection->note_count)
        refuse(selecting->why, HP_UNCHANGED, "the edit changes no machine code");
    for (size_t i = 0; i < selection->note_count; i++)
        refuse(selecting->why, HP_UNCHANGED, "the edit changes no machine code: %s",
               selection->notes[i]);
}

/* ---- opening ---- */

static int unit_open(struct selecting *selecting, size_t index, const struct unit_pair *pair)
{
    struct placing_unit *unit = &selecting->units[index];
    struct selected_unit *selected = &selecting->selection->units[index];
    size_t entities;

    if (unit_compare_open(&unit->compare, pair) < 0)
        return -1;
    entities = unit->compare.after->entity_count + 1u;
    selected->object = pair->new_object;
    selected->source = pair->source;
    selected->baseline = pair->baseline;
    selected->follows_abi = calls_follow_abi(pair->old_dwarf);
    selected->sections = calloc(pair->new_object->section_count + 1, sizeof(bool));
    selected->symbols = calloc(pair->new_object->symbol_count + 1, sizeof(struct symbol_choice));
    unit->functions = calloc(entities, sizeof(*unit->functions));
    unit->places = calloc(entities, sizeof(*unit->places));
    unit->hosts = calloc(entities, sizeof(*unit->hosts));
    unit->in_use = calloc(entities, sizeof(*unit->in_use));
    unit->chosen = calloc(pair->new_object->symbol_count + 1, sizeof(*unit->chosen));
    if (!selected->sections || !selected->symbols || !unit->functions || !unit->places ||
        !unit->hosts || !unit->in_use || !unit->chosen)
        return -1;
    for (size_t i = 0; i < pair->new_object->symbol_count; i++)
        selected->symbols[i].kind = CHOICE_DISCARDED;
    return correlate(&unit->compare);
}

static void unit_close(struct placing_unit *unit)
{
    for (uint32_t i = 0; unit->functions && i < unit->compare.after->entity_count; i++) {
        free(unit->functions[i].why);
        free(unit->functions[i].no_entry);
    }
    free(unit->functions);
    free(unit->places);
    free(unit->hosts);
    free(unit->in_use);
    free(unit->chosen);
    unit_compare_close(&unit->compare);
}

static int selecting_open(struct selecting *selecting, const struct unit_pair *units, size_t count)
{
    selecting->units = calloc(count + 1, sizeof(*selecting->units));
    selecting->selection = calloc(1, sizeof(*selecting->selection));
    if (!selecting->units || !selecting->selection)
        return -1;
    selecting->selection->units = calloc(count + 1, sizeof(*selecting->selection->units));
    if (!selecting->selection->units)
        return -1;
    for (size_t i = 0; i < count; i++) {
        selecting->count = selecting->selection->unit_count = i + 1;
        if (unit_open(selecting, i, &units[i]) < 0)
            return -1;
    }
    return 0;
}

static void selecting_close(struct selecting *selecting)
{
    for (size_t i = 0; i < selecting->count; i++)
        unit_close(&selecting->units[i]);
    entry_judge_free(selecting->judge);
    free(selecting->units);
    free(selecting->work);
}

/* ---- the steps ---- */

static void select_steps(struct selecting *selecting)
{
    select_changes(selecting);
    select_prototypes(selecting);
    select_closure(selecting);
    select_own(selecting);
    select_data(selecting);
    select_form(selecting);
    if (!selecting->why->count)
        select_types(selecting);
    if (selecting->why->count)
        return;
    functions_add(selecting);
    select_old(selecting);
    if (!replaces_any(selecting->selection))
        refuse_unchanged(selecting);
}

int selection_make(struct selection **out, const struct unit_pair *units, size_t count,
                   struct binary *binary, const struct selection_options *options,
                   struct refusal *why)
{
    struct refusal own = {0};
    struct selecting selecting = {.force_types = options && options->force_types,
                                  .binary = binary,
                                  .why = &own,
                                  .decide = select_entity};
    int result = -1;

    *out = NULL;
    selecting.judge = entry_judge_new(options ? options->target : NULL);
    if (selecting_open(&selecting, units, count) < 0)
        selecting.no_memory = true;
    else
        select_steps(&selecting);
    if (selecting.no_memory) {
        refuse(why, HP_MEMORY, "select functions: no memory");
    } else if (own.count) {
        for (size_t i = 0; i < own.count; i++)
            refuse(why, own.items[i].code, "%s", refusal_text(&own, i));
    } else {
        *out = selecting.selection;
        result = 0;
    }
    refusal_clear(&own);
    selecting_close(&selecting);
    if (result < 0)
        selection_free(selecting.selection);
    return result;
}
