/* select_data.c - see select_data.h. */
#include "cli/build/select_data.h"

#include <string.h>

#include "cli/build/changes.h"
#include "cli/build/entity_names.h"

/* ---- sections with a meaning of their own ---- */

static bool is_special(const struct object_view *view, uint32_t section)
{
    return view->sections[section].class == SECTION_SPECIAL && view->object->sections[section].size;
}

/* Return the section with the same name, and as many of that name before it; 0: none. */
static uint32_t special_like(const struct object_view *in, const struct object_view *view,
                             uint32_t section)
{
    const char *name = view->object->sections[section].name;
    unsigned nth = 0;

    for (uint32_t i = 1; i < section; i++)
        nth += is_special(view, i) && strcmp(view->object->sections[i].name, name) == 0;
    for (uint32_t i = 1; i < in->object->section_count; i++) {
        if (is_special(in, i) && strcmp(in->object->sections[i].name, name) == 0 && nth-- == 0)
            return i;
    }
    return 0;
}

static void check_special(struct selecting *selecting, const struct unit_compare *compare)
{
    const struct object_view *before = compare->before, *after = compare->after;

    for (uint32_t i = 1; i < after->object->section_count; i++) {
        uint32_t old = is_special(after, i) && before ? special_like(before, after, i) : 0;

        if (is_special(after, i) && (!old || !changes_same_section(compare, old, i)))
            refuse(selecting->why, HP_SECTION, "%s: section %s %s", compare->unit->source,
                   after->object->sections[i].name, old ? "changed" : "is new");
    }
    for (uint32_t i = 1; before && i < before->object->section_count; i++) {
        if (is_special(before, i) && !special_like(after, before, i))
            refuse(selecting->why, HP_SECTION, "%s: section %s is gone", compare->unit->source,
                   before->object->sections[i].name);
    }
}

/* A function of equal code may catch something else. With one table for all functions nothing can be said. */
static void check_exceptions(struct selecting *selecting, uint32_t unit)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;

    for (uint32_t i = 1; compare->before && i < compare->after->object->section_count; i++) {
        const struct rel_section *section = &compare->after->object->sections[i];
        uint32_t old = rel_section_named(compare->before->object, section->name);

        if (section_is_exception_table(section) && old &&
            strcmp(section->name, ".gcc_except_table") != 0 &&
            !selecting->selection->units[unit].sections[i] &&
            !changes_same_section(compare, old, i))
            refuse(selecting->why, HP_SECTION, "%s: exceptions of unchanged code changed: %s",
                   compare->unit->source, section->name);
    }
}

/* ---- references from data ---- */

/* Call `each` for the references of an entity of the unedited object; a true return stops and is returned. */
typedef bool target_visit(const struct unit_compare *compare, const struct target *target,
                          void *context);

static bool each_target(const struct unit_compare *compare, uint32_t before, target_visit *each,
                        void *context)
{
    const struct entity *entity = &compare->before->entities[before];
    const struct section_view *section;

    if (entity->section >= REL_ABSOLUTE)
        return false;
    section = &compare->before->sections[entity->section];
    for (size_t i = object_view_reference_from(section, entity->offset);
         i < section->reference_count &&
         section->references[i].offset < entity->offset + entity->size;
         i++) {
        struct target target =
            object_view_target(compare->before, &section->references[i], entity->offset);

        if (each(compare, &target, context))
            return true;
    }
    return false;
}

/* ---- constants ---- */

static bool is_entity(const struct unit_compare *compare, const struct target *target,
                      void *context)
{
    (void)compare;
    return target->kind == TARGET_ENTITY && target->entity == *(uint32_t *)context;
}

/* Return the variable of the program whose initial value points to the constant; UINT32_MAX: none. */
static uint32_t pointed_to_by(const struct unit_compare *compare, uint32_t before)
{
    for (uint32_t i = 0; i < compare->before->entity_count; i++) {
        if (entity_is_variable(&compare->before->entities[i]) &&
            each_target(compare, i, is_entity, &before))
            return i;
    }
    return UINT32_MAX;
}

static bool same_source(const struct entity *old, const struct entity *new)
{
    const char *old_function = old->variable ? old->variable->function : NULL;
    const char *new_function = new->variable ? new->variable->function : NULL;

    return strcmp(old_function ? old_function : "", new_function ? new_function : "") == 0;
}

/* Return the unedited constant that a changed one was: one that is equal to none of the edited; UINT32_MAX: none. */
static uint32_t changed_from(const struct unit_compare *compare, uint32_t after)
{
    for (uint32_t at = compare->states[after].pair; at; at = compare->pairs[at - 1].next) {
        uint32_t before = compare->pairs[at - 1].before;

        if (!compare->back[before] &&
            same_source(&compare->before->entities[before], &compare->after->entities[after]))
            return before;
    }
    return UINT32_MAX;
}

static void check_constant(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;
    const struct entity *entity = &compare->after->entities[after];
    uint32_t before, variable;
    char name[256], pointer[256];

    if (entity->kind != ENTITY_CONSTANT || compare->states[after].match || entity->special)
        return;
    before = changed_from(compare, after);
    if (before == UINT32_MAX)
        return;
    entity_describe(entity, name, sizeof(name));
    if (entity->external || compare->before->entities[before].external) {
        selecting_refuse(selecting, HP_DATA, unit, after,
                         "the content of %s changed, which code of other files may read", name);
        return;
    }
    variable = pointed_to_by(compare, before);
    if (variable != UINT32_MAX)
        selecting_refuse(
            selecting, HP_DATA, unit, after,
            "the content of %s changed, which the program reads through the variable %s", name,
            entity_describe(&compare->before->entities[variable], pointer, sizeof(pointer)));
}

/* A constant that the edit makes a variable: what other files read stays the old one. */
static void check_made_variable(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;
    const struct entity *entity = &compare->after->entities[after];
    size_t length, old_length;
    const char *name = entity_source_name(entity, &length);

    if (!entity_is_variable(entity) || compare->states[after].match || !entity->external ||
        !compare->before)
        return;
    for (uint32_t i = 0; i < compare->before->entity_count; i++) {
        const struct entity *old = &compare->before->entities[i];
        const char *old_name = entity_source_name(old, &old_length);

        if (old->kind == ENTITY_CONSTANT && old->external && old_length == length &&
            memcmp(old_name, name, length) == 0)
            selecting_refuse(selecting, HP_DATA, unit, after,
                             "%s was constant, and code of other files may read it", entity->name);
    }
}

/* ---- variables ---- */

static bool is_in_changed_function(const struct unit_compare *compare, const struct target *target,
                                   void *context)
{
    const struct placing_unit *unit = context;
    uint32_t after;

    if (target->kind != TARGET_ENTITY || target->displacement == 0 ||
        compare->before->entities[target->entity].kind != ENTITY_FUNCTION)
        return false;
    after = compare->back[target->entity];
    return !after || unit->functions[after - 1].changed;
}

/* A table of labels (&&label) that can be written leads into the old code. */
static void check_labels(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    struct placing_unit *of = &selecting->units[unit];
    char name[256];

    if (of->in_use[after] && of->places[after] == PLACE_HOST &&
        each_target(&of->compare, of->compare.states[after].match - 1, is_in_changed_function, of))
        selecting_refuse(selecting, HP_STATE, unit, after,
                         "%s holds addresses within a function that changed",
                         entity_describe(&of->compare.after->entities[after], name, sizeof(name)));
}

static void check_variable(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;
    const struct entity *entity = &compare->after->entities[after];
    uint32_t match = compare->states[after].match;
    char name[256], old[256], where[512];

    if (entity->kind == ENTITY_FUNCTION || !match ||
        !entity_is_variable(&compare->before->entities[match - 1]))
        return;
    check_labels(selecting, unit, after);
    entity_describe(entity, name, sizeof(name));
    entity_where(compare->after, entity, where, sizeof(where));
    if (compare->states[after].renamed)
        selecting_note(selecting, "%s%s%s is taken for the program's %s: the code uses it alike",
                       where, *where ? ": " : "", name,
                       entity_describe(&compare->before->entities[match - 1], old, sizeof(old)));
    if (compare->before->entities[match - 1].size == entity->size &&
        changes_differ(compare, match - 1, after))
        selecting_note(selecting, "%s%sthe initial value of %s changed: the live value stays",
                       where, *where ? ": " : "", name);
}

/* Nothing of the patch refers to it, or it would have been refused already. */
static void check_unused_size(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    const struct placing_unit *of = &selecting->units[unit];
    const struct entity *entity = &of->compare.after->entities[after];
    uint32_t match = of->compare.states[after].match;
    char name[256];

    if (!match || entity->kind == ENTITY_FUNCTION || of->in_use[after] ||
        !entity_is_variable(&of->compare.before->entities[match - 1]) ||
        of->compare.before->entities[match - 1].size == entity->size)
        return;
    selecting_refuse(selecting, HP_STATE, unit, after,
                     "%s has another size in the program than after the edit",
                     entity_describe(entity, name, sizeof(name)));
}

void select_data(struct selecting *selecting)
{
    for (uint32_t i = 0; i < selecting->count; i++) {
        const struct unit_compare *compare = &selecting->units[i].compare;

        check_special(selecting, compare);
        check_exceptions(selecting, i);
        for (uint32_t k = 0; k < compare->after->entity_count; k++) {
            check_constant(selecting, i, k);
            check_made_variable(selecting, i, k);
            check_variable(selecting, i, k);
            check_unused_size(selecting, i, k);
        }
    }
}
