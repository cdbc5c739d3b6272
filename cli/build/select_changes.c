/* select_changes.c - see select_changes.h. */
#include "cli/build/select_changes.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/changes.h"
#include "cli/build/entity_names.h"
#include "cli/build/entry_judge.h"
#include "cli/build/generated_names.h"
#include "cli/build/object_dwarf_convention.h"
#include "cli/build/types.h"
#include "cli/build/unit_callers.h"

/* ---- names of other units ---- */

static uint32_t external_named(const struct object_view *view, const char *name)
{
    uint32_t symbol = view ? rel_symbol_named(view->object, name) : 0;
    uint32_t entity = symbol ? view->of_symbol[symbol] : 0;

    return entity && view->entities[entity - 1].external ? entity : 0;
}

/* A function that its callers of all units are to reach in the patch, and not at its old entry. */
static bool changes_with_callers(const struct unit_compare *compare, uint32_t entity)
{
    const struct entity_state *state = &compare->states[entity];
    const struct entity_pair *pair =
        state->match ? unit_compare_find(compare, state->match - 1, entity) : NULL;

    return state->together && pair && !pair->equal;
}

bool select_means_another(const char *name, void *context)
{
    const struct selecting *selecting = context;
    bool before = false, now = false;

    for (size_t i = 0; i < selecting->count; i++) {
        const struct unit_compare *compare = &selecting->units[i].compare;
        uint32_t entity = external_named(compare->after, name);

        if (entity && changes_with_callers(compare, entity - 1))
            return true;
        before |= external_named(compare->before, name) != 0;
        now |= entity != 0;
    }
    return now && !before;
}

bool select_moved_from(const struct selecting *selecting, uint32_t unit, uint32_t entity,
                       uint32_t *from, uint32_t *before)
{
    const struct entity *moved = selecting_entity(selecting, unit, entity);

    if (!moved->external || selecting->units[unit].compare.states[entity].match)
        return false;
    for (uint32_t i = 0; i < selecting->count; i++) {
        const struct unit_compare *compare = &selecting->units[i].compare;
        uint32_t found = external_named(compare->before, moved->name);

        if (i == unit || !found || compare->back[found - 1] ||
            compare->before->entities[found - 1].kind != moved->kind)
            continue;
        *from = i;
        *before = found - 1;
        return true;
    }
    return false;
}

/* ---- functions whose callers change with them ---- */

static struct dwarf_place entity_dwarf_place(const struct entity *entity)
{
    return (struct dwarf_place){entity->section, entity->offset};
}

/* Return whether old callers must go on to call the old code: the prototype is another; or a parameter leads to a type of
 * another layout, and then types_check() may find that objects of the old layout stay with old code. */
static bool prototype_differs(const struct unit_compare *compare, uint32_t before, uint32_t after)
{
    const struct unit_pair *unit = compare->unit;
    enum types_prototype result;

    if (!unit->old_dwarf || !unit->new_dwarf)
        return false;
    result = types_prototype(
        unit->old_dwarf, entity_dwarf_place(&compare->before->entities[before]), unit->new_dwarf,
        entity_dwarf_place(&compare->after->entities[after]), NULL, NULL);
    return result == PROTOTYPE_CHANGED || result == PROTOTYPE_LAYOUT ||
           result == PROTOTYPE_ONE_SIDED;
}

static bool is_ordinary(const struct entity *entity)
{
    return entity->kind == ENTITY_FUNCTION && !name_is_clone(entity->name) &&
           !name_is_part(entity->name);
}

static bool is_clang(const struct unit_compare *compare)
{
    const char *producer =
        compare->unit->new_dwarf ? object_dwarf_producer(compare->unit->new_dwarf) : NULL;

    return producer && strstr(producer, "clang");
}

static bool keeps_convention(const struct unit_compare *compare, uint32_t before, uint32_t after)
{
    const struct unit_pair *unit = compare->unit;

    return unit->old_dwarf && unit->new_dwarf &&
           object_dwarf_has_convention(unit->old_dwarf,
                                       entity_dwarf_place(&compare->before->entities[before])) &&
           object_dwarf_has_convention(unit->new_dwarf,
                                       entity_dwarf_place(&compare->after->entities[after]));
}

/* clang leaves out arguments of static functions that no code uses, under the same name: a caller that changes may do so
 * because it passes others now. */
static bool convention_may_change(const struct placing_unit *unit, uint32_t after)
{
    const struct unit_compare *compare = &unit->compare;

    return is_clang(compare) && unit_callers_changed(compare, after) &&
           !keeps_convention(compare, compare->states[after].match - 1, after);
}

/* Find out whether the old entry can be patched. */
static bool has_no_entry(struct selecting *selecting, struct placing_unit *unit, uint32_t after)
{
    struct function_plan *plan = &unit->functions[after];
    const struct baseline_function *host =
        host_function(&unit->compare, unit->compare.states[after].match - 1);
    char text[256];

    if (host && host->verdict != BASELINE_ABSENT && !plan->no_entry &&
        entry_judge_refuses(selecting->judge, host->address, host->size, text, sizeof(text))) {
        plan->no_entry = strdup(text);
        selecting->no_memory |= !plan->no_entry;
    }
    return plan->no_entry != NULL;
}

/* Return whether the function is the resolver of an IFUNC. */
static bool is_ifunc_entity(const struct object_view *view, uint32_t entity)
{
    for (uint32_t i = 1; i < view->object->symbol_count; i++)
        if (view->of_symbol[i] == entity + 1 && view->object->symbols[i].type == STT_GNU_IFUNC)
            return true;
    return false;
}

static bool mark_together(struct selecting *selecting, struct placing_unit *unit, uint32_t after)
{
    struct unit_compare *compare = &unit->compare;
    struct entity_state *state = &compare->states[after];
    const struct entity *entity = &compare->after->entities[after];
    struct function_plan *plan = &unit->functions[after];
    const struct entity_pair *pair;

    if (!is_ordinary(entity) || !state->match || state->together ||
        is_ifunc_entity(compare->after, after))
        return false;
    pair = unit_compare_find(compare, state->match - 1, after);
    if (!pair || pair->equal)
        return false;
    plan->prototype = prototype_differs(compare, state->match - 1, after);
    if (!has_no_entry(selecting, unit, after) && !plan->prototype &&
        (entity->external || !convention_may_change(unit, after)))
        return false;
    if (!entity->external && unit_callers_take_address(compare, after))
        return false;
    state->together = true;
    return true;
}

static void units_compare(struct selecting *selecting)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 0; i < selecting->count; i++)
            changes_find(&selecting->units[i].compare);
        for (size_t i = 0; i < selecting->count; i++) {
            struct placing_unit *unit = &selecting->units[i];

            for (uint32_t k = 0; k < unit->compare.after->entity_count; k++)
                again |= mark_together(selecting, unit, k);
        }
    }
}

/* ---- plans ---- */

static void explain(struct selecting *selecting, struct function_plan *plan, const char *text)
{
    plan->why = strdup(text);
    if (!plan->why)
        selecting->no_memory = true;
}

/* Take over where the binary has the old code. */
static void plan_host(struct selecting *selecting, uint32_t unit, uint32_t after,
                      const struct baseline_function *host)
{
    struct function_plan *plan = &selecting->units[unit].functions[after];
    const struct entity *entity = selecting_entity(selecting, unit, after);

    if (!host || host->verdict == BASELINE_ABSENT)
        return;
    plan->has_host = true;
    plan->host = host->address;
    plan->host_size = host->size;
    if (host->verdict != BASELINE_EQUAL && plan->changed)
        selecting_refuse(selecting, HP_BASELINE, unit, after,
                         "%s() of the unedited source is not the binary's: %s", entity->name,
                         host->reason ? host->reason : "its code differs");
}

/* Return whether old callers may go on to call the old code: all that call it are in the patch. */
static bool keeps_entry(const struct placing_unit *unit, uint32_t after)
{
    const struct entity_state *state = &unit->compare.states[after];

    return state->together && !unit->compare.after->entities[after].external &&
           !unit_callers_take_address(&unit->compare, after);
}

/* Return whether the edited resolver may still choose each function that the old one might have chosen. */
static bool resolver_keeps(const struct unit_compare *compare, uint32_t before)
{
    const struct entity *entity = &compare->before->entities[before];
    const struct section_view *section = &compare->before->sections[entity->section];

    for (size_t i = object_view_reference_from(section, entity->offset);
         i < section->reference_count &&
         section->references[i].offset < entity->offset + entity->size;
         i++) {
        struct target target =
            object_view_target(compare->before, &section->references[i], entity->offset);

        if (target.kind == TARGET_ENTITY &&
            compare->before->entities[target.entity].kind == ENTITY_FUNCTION &&
            !compare->back[target.entity])
            return false;
    }
    return true;
}

/* A resolver ran when the program started, and never runs again. */
static void plan_resolver(struct selecting *selecting, uint32_t unit, uint32_t before,
                          uint32_t after)
{
    struct placing_unit *of = &selecting->units[unit];
    const struct unit_compare *compare = &of->compare;
    const struct entity *entity = &compare->after->entities[after];
    int length = (int)strcspn(entity->name, "."); /* chosen.resolver */
    char where[512];

    of->functions[after].changed = false;
    entity_where(compare->after, entity, where, sizeof(where));
    if (!is_ifunc_entity(compare->before, before))
        selecting_refuse(selecting, HP_LATER, unit, after,
                         "%.*s() becomes an IFUNC, which is chosen when a program starts", length,
                         entity->name);
    else if (!is_ifunc_entity(compare->after, after))
        selecting_refuse(
            selecting, HP_LATER, unit, after,
            "%.*s() was an IFUNC: callers have what was chosen when the program started", length,
            entity->name);
    else if (!resolver_keeps(compare, before))
        selecting_refuse(
            selecting, HP_LATER, unit, after,
            "the resolver of %.*s (IFUNC) may have chosen a function that the edit removes", length,
            entity->name);
    else
        selecting_note(selecting,
                       "%s%sthe resolver of %.*s (IFUNC) changed: what it chose when the program "
                       "started stays",
                       where, *where ? ": " : "", length, entity->name);
}

static void plan_matched(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    struct placing_unit *of = &selecting->units[unit];
    struct function_plan *plan = &of->functions[after];
    uint32_t before = of->compare.states[after].match - 1;
    const struct entity_pair *pair = unit_compare_find(&of->compare, before, after);
    char text[512];

    plan->changed = !pair || !pair->equal;
    plan_host(selecting, unit, after, host_function(&of->compare, before));
    if (!plan->changed)
        return;
    if (is_ifunc_entity(of->compare.after, after) ||
        (is_ifunc_entity(of->compare.before, before) &&
         of->compare.after->entities[after].external)) {
        plan_resolver(selecting, unit, before, after);
        return;
    }
    plan->replaces = plan->has_host && !keeps_entry(of, after) && !of->compare.states[after].shared;
    changes_explain(&of->compare, before, after, text, sizeof(text));
    explain(selecting, plan, text);
    if (of->compare.states[after].shared && of->compare.after->entities[after].external)
        selecting_refuse(
            selecting, HP_LATER, unit, after,
            "%s() and another function have one entry in the binary, and the edit separates them",
            of->compare.after->entities[after].name);
}

static void plan_new(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    struct placing_unit *of = &selecting->units[unit];
    struct function_plan *plan = &of->functions[after];
    const struct entity *entity = selecting_entity(selecting, unit, after);
    uint32_t from, before;

    plan->changed = true;
    if (select_moved_from(selecting, unit, after, &from, &before)) {
        plan_host(selecting, unit, after, host_function(&selecting->units[from].compare, before));
        plan->replaces = plan->has_host;
        explain(selecting, plan, "it moved here from another file");
    } else {
        explain(selecting, plan,
                of->compare.states[after].pair && name_is_clone(entity->name) ? CODE_CHANGED
                                                                              : "it is new");
    }
}

static void plan_special(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    struct placing_unit *of = &selecting->units[unit];
    uint32_t match = of->compare.states[after].match;

    if (match)
        plan_host(selecting, unit, after, host_function(&of->compare, match - 1));
    else
        plan_new(selecting, unit, after);
}

static void plan_function(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    const struct entity *entity = selecting_entity(selecting, unit, after);

    if (entity->kind != ENTITY_FUNCTION)
        return;
    if (!is_ordinary(entity))
        plan_special(selecting, unit, after);
    else if (selecting->units[unit].compare.states[after].match)
        plan_matched(selecting, unit, after);
    else
        plan_new(selecting, unit, after);
}

void select_changes(struct selecting *selecting)
{
    for (size_t i = 0; i < selecting->count; i++) {
        selecting->units[i].compare.means_another = select_means_another;
        selecting->units[i].compare.context = selecting;
    }
    units_compare(selecting);
    for (uint32_t i = 0; i < selecting->count; i++) {
        for (uint32_t k = 0; k < selecting->units[i].compare.after->entity_count; k++)
            plan_function(selecting, i, k);
    }
}
