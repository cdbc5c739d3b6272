/* select_closure.c - see select_closure.h. */
#include "cli/build/select_closure.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/generated_names.h"
#include "cli/build/select_bind.h"
#include "cli/build/select_evidence.h"
#include "cli/build/select_variable.h"
#include "cli/build/unwind_references.h"

/* ---- sections ---- */

static bool work_add(struct selecting *selecting, uint32_t unit, uint32_t section)
{
    if (selecting->work_count == selecting->work_room) {
        size_t room = selecting->work_room ? selecting->work_room * 2 : 64;
        void *larger = realloc(selecting->work, room * sizeof(*selecting->work));

        if (!larger)
            return false;
        selecting->work = larger;
        selecting->work_room = room;
    }
    selecting->work[selecting->work_count].unit = unit;
    selecting->work[selecting->work_count++].section = section;
    return true;
}

/* Refuse a section that holds what the process has beside what it has not. */
static bool section_is_mixed(struct selecting *selecting, uint32_t unit, uint32_t section)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;
    const struct section_view *view = &compare->after->sections[section];

    if (view->class != SECTION_WRITABLE || view->entity_count < 2)
        return false;
    for (uint32_t i = 0; i < view->entity_count; i++) {
        if (!compare->states[view->entity + i].match)
            continue;
        selecting_refuse(selecting, HP_SECTION, unit, view->entity + i,
                         "section %s has a new variable beside %s",
                         compare->after->object->sections[section].name,
                         compare->after->entities[view->entity + i].name);
        return true;
    }
    return false;
}

void select_section(struct selecting *selecting, uint32_t unit, uint32_t section)
{
    struct selected_unit *selected = &selecting->selection->units[unit];

    if (selected->sections[section] || section_is_mixed(selecting, unit, section))
        return;
    selected->sections[section] = true;
    if (!work_add(selecting, unit, section))
        selecting->no_memory = true;
}

/* ---- entities ---- */

static enum entity_place own(struct selecting *selecting, uint32_t unit, uint32_t index)
{
    const struct entity *entity = selecting_entity(selecting, unit, index);

    selecting->units[unit].places[index] = PLACE_OWN;
    if (entity->section < REL_ABSOLUTE)
        select_section(selecting, unit, entity->section);
    return selecting->units[unit].places[index];
}

/* A function that is not in the binary under this unit may be there under another: weak here, strong there. */
static bool is_elsewhere(const struct selecting *selecting, const struct unit_compare *compare,
                         uint32_t before, struct symbol_choice *choice)
{
    struct baseline_symbol evidence = host_symbol(compare, before);

    return compare->before->entities[before].external &&
           select_evidence(selecting->binary, &evidence, true, choice);
}

static enum entity_place decide_function(struct selecting *selecting, uint32_t unit, uint32_t index)
{
    struct placing_unit *of = &selecting->units[unit];
    const struct function_plan *plan = &of->functions[index];
    uint32_t match = of->compare.states[index].match;

    if (match && !plan->has_host && !name_is_part(selecting_entity(selecting, unit, index)->name) &&
        is_elsewhere(selecting, &of->compare, match - 1, &of->hosts[index]))
        return of->places[index] = PLACE_HOST;
    if (plan->changed || !plan->has_host || !match ||
        name_is_part(selecting_entity(selecting, unit, index)->name))
        return own(selecting, unit, index);
    select_host_function(selecting, unit, index, &of->hosts[index]);
    return of->places[index] = PLACE_HOST;
}

static enum entity_place decide_constant(struct selecting *selecting, uint32_t unit, uint32_t index)
{
    struct placing_unit *of = &selecting->units[unit];
    uint32_t match = of->compare.states[index].match;
    struct baseline_symbol evidence;

    if (!match)
        return own(selecting, unit, index);
    evidence = host_symbol(&of->compare, match - 1);
    if (select_evidence(selecting->binary, &evidence,
                        selecting_entity(selecting, unit, index)->external, &of->hosts[index]))
        return of->places[index] = PLACE_HOST;
    return own(selecting, unit, index);
}

static enum entity_place decide_variable(struct selecting *selecting, uint32_t unit, uint32_t index)
{
    struct placing_unit *of = &selecting->units[unit];

    of->places[index] = select_variable(selecting, unit, index, &of->hosts[index]);
    return of->places[index] == PLACE_OWN ? own(selecting, unit, index) : of->places[index];
}

enum entity_place select_entity(struct selecting *selecting, uint32_t unit, uint32_t index)
{
    struct placing_unit *of = &selecting->units[unit];
    const struct entity *entity = selecting_entity(selecting, unit, index);
    uint32_t match = of->compare.states[index].match;

    if (of->places[index] != PLACE_OPEN)
        return of->places[index];
    of->in_use[index] = true;
    if (entity->kind == ENTITY_FUNCTION)
        return decide_function(selecting, unit, index);
    if (entity->kind == ENTITY_CONSTANT &&
        !(match && entity_is_variable(&of->compare.before->entities[match - 1])))
        return decide_constant(selecting, unit, index);
    return decide_variable(selecting, unit, index);
}

/* ---- following ---- */

static void follow_anonymous(struct selecting *selecting, uint32_t unit, uint32_t section)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;

    if (!object_view_anonymous_constant(compare->after, section) &&
        compare->after->sections[section].class != SECTION_CODE) {
        refuse(selecting->why, HP_STATE, "%s: code of the patch uses data of %s that has no name",
               compare->unit->source, compare->after->object->sections[section].name);
        return;
    }
    select_section(selecting, unit, section);
}

static void follow_reference(struct selecting *selecting, uint32_t unit,
                             const struct object_reference *reference)
{
    const struct object_view *view = selecting->units[unit].compare.after;
    struct target target = object_view_target(view, reference, reference->offset);

    if (reference->kind == REFERENCE_NOTHING || reference->kind == REFERENCE_MODULE ||
        reference->kind == REFERENCE_TABLE)
        return;
    switch (target.kind) {
    case TARGET_NUMBER:
        break;
    case TARGET_ENTITY:
        if (view->object->symbols[reference->symbol].type != STT_GNU_IFUNC)
            select_entity(selecting, unit, target.entity);
        break;
    case TARGET_ANONYMOUS:
        follow_anonymous(selecting, unit, target.section);
        break;
    case TARGET_UNDEFINED:
        break;
    }
    select_choose(selecting, unit, reference->symbol);
}

struct unwound {
    struct selecting *selecting;
    uint32_t unit;
};

static void follow_unwound(const struct object_reference *reference, void *context)
{
    const struct unwound *unwound = context;

    follow_reference(unwound->selecting, unwound->unit, reference);
}

static void work_do(struct selecting *selecting)
{
    while (selecting->work_count && !selecting->no_memory) {
        uint32_t unit = selecting->work[--selecting->work_count].unit;
        uint32_t section = selecting->work[selecting->work_count].section;
        const struct section_view *view = &selecting->units[unit].compare.after->sections[section];

        for (size_t i = 0; i < view->reference_count; i++)
            follow_reference(selecting, unit, &view->references[i]);
        if (view->class == SECTION_CODE)
            unwind_references(selecting->units[unit].compare.after, section, follow_unwound,
                              &(struct unwound){selecting, unit});
    }
}

void select_closure(struct selecting *selecting)
{
    for (uint32_t i = 0; i < selecting->count; i++) {
        struct placing_unit *unit = &selecting->units[i];

        for (uint32_t k = 0; k < unit->compare.after->entity_count; k++) {
            if (unit->functions[k].replaces)
                select_entity(selecting, i, k);
        }
    }
    work_do(selecting);
}
