/* correlate.c - see correlate.h. */
#include "cli/build/correlate.h"

#include <elf.h>
#include <string.h>

#include "cli/build/changes.h"
#include "cli/build/correlate_use.h"
#include "cli/build/entity_names.h"
#include "cli/build/generated_names.h"

/* ---- functions ---- */

static bool is_special_function(const struct entity *entity)
{
    return name_is_clone(entity->name) || name_is_part(entity->name);
}

/* Return the function of the unedited object that has one of the names of `index`; UINT32_MAX: none. */
static uint32_t function_named(const struct unit_compare *compare, uint32_t index)
{
    const struct object_view *before = compare->before, *after = compare->after;
    const struct entity *entity = &after->entities[index];
    struct rel_symbols symbols = rel_section_symbols(after->object, entity->section);
    uint32_t found = rel_symbol_named(before->object, entity->name);

    for (size_t i = 0; (!found || !before->of_symbol[found]) && i < symbols.count; i++) {
        if (after->of_symbol[symbols.indexes[i]] == index + 1)
            found =
                rel_symbol_named(before->object, after->object->symbols[symbols.indexes[i]].name);
    }
    if (!found || !before->of_symbol[found] ||
        before->entities[before->of_symbol[found] - 1].kind != ENTITY_FUNCTION)
        return UINT32_MAX;
    return before->of_symbol[found] - 1;
}

static void share_entry(struct entity_state *state)
{
    state->shared = state->together = true;
}

/* Two names of one entry that the edit makes two functions: neither may take the entry without the other. */
static void function_share(struct unit_compare *compare, uint32_t before, uint32_t after)
{
    uint32_t other = compare->back[before];

    if (!other || other - 1 == after)
        return;
    share_entry(&compare->states[after]);
    share_entry(&compare->states[other - 1]);
}

/* Return whether the two names are of one function: the compiler gives it local aliases ("NAME.localalias"). */
static bool same_function_name(const char *one, const char *two)
{
    size_t length = strcspn(one, ".");

    return length == strcspn(two, ".") && memcmp(one, two, length) == 0;
}

static bool keeps_name(const struct object_view *view, uint32_t index, const char *name)
{
    struct rel_symbols symbols = rel_section_symbols(view->object, view->entities[index].section);

    for (size_t i = 0; i < symbols.count; i++) {
        if (view->of_symbol[symbols.indexes[i]] == index + 1 &&
            same_function_name(view->object->symbols[symbols.indexes[i]].name, name))
            return true;
    }
    return false;
}

/* A static function that the compiler merged with another (-fipa-icf), and that the edited object does not have: calls of it
 * that run go on to come to the entry, which must stay what it was. */
static void function_share_gone(struct unit_compare *compare, uint32_t before, uint32_t after)
{
    const struct object_view *view = compare->before;
    struct rel_symbols symbols = rel_section_symbols(view->object, view->entities[before].section);

    for (size_t i = 0; i < symbols.count; i++) {
        const struct rel_symbol *symbol = &view->object->symbols[symbols.indexes[i]];

        if (view->of_symbol[symbols.indexes[i]] == before + 1 && symbol->type == STT_FUNC &&
            symbol->binding == STB_LOCAL && !keeps_name(compare->after, after, symbol->name))
            share_entry(&compare->states[after]);
    }
}

static int clone_pairs(struct unit_compare *compare, uint32_t index)
{
    const struct entity *entity = &compare->after->entities[index];

    for (uint32_t i = 0; i < compare->before->entity_count; i++) {
        const struct entity *old = &compare->before->entities[i];

        if (old->kind == ENTITY_FUNCTION && name_same_but_numbers(old->name, entity->name) &&
            unit_compare_pair(compare, i, index) < 0)
            return -1;
    }
    return 0;
}

static int functions_match(struct unit_compare *compare)
{
    for (uint32_t i = 0; i < compare->after->entity_count; i++) {
        const struct entity *entity = &compare->after->entities[i];
        uint32_t old;

        if (entity->kind != ENTITY_FUNCTION)
            continue;
        if (is_special_function(entity)) {
            if (clone_pairs(compare, i) < 0)
                return -1;
            continue;
        }
        old = function_named(compare, i);
        if (old == UINT32_MAX)
            continue;
        function_share(compare, old, i);
        function_share_gone(compare, old, i);
        unit_compare_match(compare, old, i);
        if (unit_compare_pair(compare, old, i) < 0)
            return -1;
    }
    return 0;
}

/* ---- variables ---- */

/* A variable that is never written any more may lie among the constants; the opposite is a new variable. */
static bool may_be(const struct entity *old, const struct entity *new)
{
    if (!entity_is_variable(old))
        return false;
    return old->kind == new->kind || (old->kind == ENTITY_VARIABLE && new->kind == ENTITY_CONSTANT);
}

/* The variables of one name in one function, in both objects. */
struct group {
    uint32_t before, after; /* the last */
    size_t before_count, after_count;
};

static struct group group_of(const struct unit_compare *compare, const struct entity *entity)
{
    struct group group = {0};

    for (uint32_t i = 0; i < compare->before->entity_count; i++) {
        const struct entity *old = &compare->before->entities[i];

        if (entity_is_variable(old) && entity_same_name(old, entity)) {
            group.before = i;
            group.before_count++;
        }
    }
    for (uint32_t i = 0; i < compare->after->entity_count; i++) {
        const struct entity *new = &compare->after->entities[i];

        if (new->kind != ENTITY_FUNCTION && entity_same_name(new, entity)) {
            group.after = i;
            group.after_count++;
        }
    }
    return group;
}

/* Return the variable of the same order, if it begins with the same value; UINT32_MAX: none. */
static uint32_t in_same_order(const struct unit_compare *compare, uint32_t index)
{
    const struct entity *entity = &compare->after->entities[index];
    size_t order = entity_order(compare->after, entity);

    for (uint32_t i = 0; entity->variable && i < compare->before->entity_count; i++) {
        const struct entity *old = &compare->before->entities[i];

        if (old->variable && may_be(old, entity) && entity_same_name(old, entity) &&
            entity_order(compare->before, old) == order && old->size == entity->size &&
            !changes_differ(compare, i, index))
            return i;
    }
    return UINT32_MAX;
}

/* Compiler-made names say nothing of the variable. */
static bool name_counts(const struct entity *entity)
{
    return entity->variable || !name_is_fresh(entity->name);
}

static void variable_match(struct unit_compare *compare, uint32_t index)
{
    const struct entity *entity = &compare->after->entities[index];
    struct group group;
    uint32_t old;

    if (entity->kind == ENTITY_FUNCTION || !name_counts(entity))
        return;
    group = group_of(compare, entity);
    if (!group.before_count)
        return;
    if (group.before_count == 1 && group.after_count == 1) {
        if (may_be(&compare->before->entities[group.before], entity))
            unit_compare_match(compare, group.before, index);
        return;
    }
    compare->states[index].ambiguous = entity->kind != ENTITY_CONSTANT;
    if (group.before_count != group.after_count)
        return;
    old = in_same_order(compare, index);
    if (old != UINT32_MAX && !compare->back[old]) {
        unit_compare_match(compare, old, index);
        compare->states[index].ambiguous = false;
    }
}

/* A variable is not ambiguous if all old ones of its name have found their new ones: then it is new. */
static void ambiguity_check(struct unit_compare *compare, uint32_t index)
{
    const struct entity *entity = &compare->after->entities[index];
    bool left = false;

    if (!compare->states[index].ambiguous)
        return;
    for (uint32_t i = 0; i < compare->before->entity_count; i++) {
        const struct entity *old = &compare->before->entities[i];

        left |= may_be(old, entity) && entity_same_name(old, entity) && !compare->back[i];
    }
    compare->states[index].ambiguous = left && !compare->states[index].match;
}

/* ---- constants ---- */

static int constant_pairs(struct unit_compare *compare, uint32_t index)
{
    const struct entity *entity = &compare->after->entities[index];
    size_t length, old_length;
    const char *name = entity_source_name(entity, &length);

    for (uint32_t i = 0; i < compare->before->entity_count; i++) {
        const struct entity *old = &compare->before->entities[i];
        const char *old_name;

        if (old->kind != ENTITY_CONSTANT)
            continue;
        old_name = entity_source_name(old, &old_length);
        if (length == old_length && memcmp(name, old_name, length) == 0 &&
            unit_compare_pair(compare, i, index) < 0)
            return -1;
    }
    return 0;
}

/* The constant of the same function comes last, so that it is the first in the list of pairs. */
static int constants_pair(struct unit_compare *compare)
{
    for (uint32_t i = 0; i < compare->after->entity_count; i++) {
        if (compare->after->entities[i].kind == ENTITY_CONSTANT && !compare->states[i].match &&
            constant_pairs(compare, i) < 0)
            return -1;
    }
    return 0;
}

int correlate(struct unit_compare *compare)
{
    if (!compare->before)
        return 0;
    if (functions_match(compare) < 0)
        return -1;
    for (uint32_t i = 0; i < compare->after->entity_count; i++)
        variable_match(compare, i);
    if (constants_pair(compare) < 0 || correlate_by_use(compare) < 0)
        return -1;
    for (uint32_t i = 0; i < compare->after->entity_count; i++)
        ambiguity_check(compare, i);
    return 0;
}
