/*
 * select_form.c - see select_form.h.
 *
 * A compiler that sees all stores into a static variable may do without it: one that nothing stores into is a number
 * wherever it is read, or read-only; one that is either its initial value or one other is a truth value (clang); a
 * structure becomes its members (clang). An edit that adds or removes a store changes that, and then the edited code
 * does not find in the program's variable what it expects, or does not look there. Debug information shows it.
 */
#include "cli/build/select_form.h"

#include <string.h>

#include "cli/build/entity_names.h"

/* What an object has for a variable of the source. */
struct shown {
    size_t placed; /* variables with a place */
    size_t formed; /* others */
    const char *form;
};

static bool names_it(const char *name, const char *function, const char *wanted, size_t length,
                     const char *in)
{
    return name && strncmp(name, wanted, length) == 0 && !name[length] &&
           strcmp(function ? function : "", in ? in : "") == 0;
}

static struct shown look_up(const struct object_dwarf *dwarf, const struct entity *entity)
{
    const char *function = entity->variable ? entity->variable->function : NULL;
    const struct dwarf_variable *variables;
    const struct dwarf_formed *formed;
    struct shown shown = {.form = ""};
    size_t length, count;
    const char *name = entity_source_name(entity, &length);

    variables = object_dwarf_variables(dwarf, &count);
    for (size_t i = 0; i < count; i++)
        shown.placed += names_it(variables[i].name, variables[i].function, name, length, function);
    formed = object_dwarf_formed(dwarf, &count);
    for (size_t i = 0; i < count; i++) {
        if (!names_it(formed[i].name, formed[i].function, name, length, function))
            continue;
        shown.formed++;
        shown.form = formed[i].form;
    }
    return shown;
}

/* Return whether the edited object has the variable among constants that the linker merges, of which no entity is made: clang
 * puts what nothing stores into there. */
static bool is_merged_now(const struct object_view *after, const struct entity *entity)
{
    const char *function = entity->variable ? entity->variable->function : NULL;
    size_t length, count;
    const char *name = entity_source_name(entity, &length);
    const struct dwarf_variable *variables = object_dwarf_variables(after->dwarf, &count);

    for (size_t i = 0; i < count; i++) {
        uint32_t section = variables[i].place.section;

        if (section < after->object->section_count &&
            (after->sections[section].class == SECTION_LITERALS ||
             after->sections[section].class == SECTION_STRINGS) &&
            names_it(variables[i].name, variables[i].function, name, length, function))
            return true;
    }
    return false;
}

/* The entity is a variable of the program that the edited code does not have as one. */
static bool is_lost(const struct unit_compare *compare, uint32_t before)
{
    const struct entity *entity = &compare->before->entities[before];
    uint32_t match = compare->back[before];
    struct shown old = look_up(compare->before->dwarf, entity);
    struct shown new = look_up(compare->after->dwarf, entity);

    /* What is read-only may be a number wherever its place is known: an element of an array. */
    if (match)
        return compare->after->entities[match - 1].kind == ENTITY_CONSTANT;
    if ((new.formed &&new.placed < old.placed) || is_merged_now(compare->after, entity))
        return true;
    for (uint32_t i = 0; i < compare->after->entity_count; i++) {
        const struct entity *other = &compare->after->entities[i];

        if (other->kind == ENTITY_CONSTANT && !compare->states[i].match && other->variable &&
            entity_same_name(other, entity))
            return true;
    }
    return false;
}

static void check_lost(struct selecting *selecting, const struct unit_compare *compare,
                       uint32_t before)
{
    const struct entity *entity = &compare->before->entities[before];
    char name[256], where[512];

    if (!entity_is_variable(entity) || entity->external || !is_lost(compare, before))
        return;
    entity_where(compare->before, entity, where, sizeof(where));
    refuse(selecting->why, HP_STATE,
           "%s: %s: nothing stores into it after the edit, so that the compiler takes its initial "
           "value, which the program's variable may have no more",
           *where ? where : compare->unit->source, entity_describe(entity, name, sizeof(name)));
}

/* Return whether the edited object has the variable in another form than the unedited one. */
static bool form_differs(const struct unit_compare *compare, const struct entity *entity,
                         bool matched)
{
    struct shown old = look_up(compare->before->dwarf, entity);
    struct shown new = look_up(compare->after->dwarf, entity);

    if (!old.formed && !new.formed)
        return false;
    if (!matched)
        return old.formed && *old.form && strcmp(old.form, new.form) != 0;
    return !old.placed != !new.placed || strcmp(old.form, new.form) != 0;
}

static void check_form(struct selecting *selecting, uint32_t unit, uint32_t after)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;
    const struct entity *entity = &compare->after->entities[after];
    char name[256];

    if (!entity_is_variable(entity) || entity->external ||
        !form_differs(compare, entity, compare->states[after].match))
        return;
    selecting_refuse(selecting, HP_STATE, unit, after,
                     "%s: the compiler keeps it in another form after the edit than the program "
                     "has it",
                     entity_describe(entity, name, sizeof(name)));
}

void select_form(struct selecting *selecting)
{
    for (uint32_t i = 0; i < selecting->count; i++) {
        const struct unit_compare *compare = &selecting->units[i].compare;

        if (!compare->before || !compare->before->dwarf || !compare->after->dwarf)
            continue;
        for (uint32_t k = 0; k < compare->before->entity_count; k++)
            check_lost(selecting, compare, k);
        for (uint32_t k = 0; k < compare->after->entity_count; k++)
            check_form(selecting, i, k);
    }
}
