/* changes.c - see changes.h. */
#include "cli/build/changes.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "cli/build/entity_names.h"
#include "cli/build/generated_names.h"

/* Constants without a name refer to others: tables of tables of strings. */
enum { DEPTH_MAX = 16 };

/* Bytes of one section of each object. */
struct byte_range {
    uint32_t section;
    uint64_t begin, end;
};

static uint8_t byte_at(const struct rel_section *section, uint64_t offset)
{
    return section->bytes ? section->bytes[offset] : 0;
}

/* Return whether the bytes outside of relocated fields are equal. The fields of both were found to be the same. */
static bool plain_bytes_equal(const struct unit_compare *compare, const struct byte_range *before,
                              const struct byte_range *after)
{
    const struct rel_section *one = &compare->before->object->sections[before->section];
    const struct rel_section *two = &compare->after->object->sections[after->section];
    const struct section_view *fields = &compare->after->sections[after->section];
    uint64_t size = after->end - after->begin;
    size_t next = object_view_reference_from(fields, after->begin);

    for (uint64_t i = 0; i < size; i++) {
        if (next < fields->reference_count && fields->references[next].offset == after->begin + i) {
            uint8_t field = fields->references[next++].size;

            if (field) {
                i += field - 1u;
                continue;
            }
        }
        if (byte_at(one, before->begin + i) != byte_at(two, after->begin + i))
            return false;
    }
    return true;
}

static size_t references_between(const struct section_view *section, const struct byte_range *range,
                                 const struct object_reference **first)
{
    size_t begin = object_view_reference_from(section, range->begin);
    size_t end = object_view_reference_from(section, range->end);

    *first = section->references + begin;
    return end - begin;
}

static bool same_fields(const struct unit_compare *compare, const struct byte_range *before,
                        const struct byte_range *after)
{
    const struct object_reference *one, *two;
    size_t count = references_between(&compare->before->sections[before->section], before, &one);

    if (references_between(&compare->after->sections[after->section], after, &two) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (one[i].offset - before->begin != two[i].offset - after->begin ||
            one[i].kind != two[i].kind || one[i].size != two[i].size ||
            one[i].relative != two[i].relative || one[i].kind == REFERENCE_UNKNOWN)
            return false;
    }
    return true;
}

static bool same_shape(const struct unit_compare *compare, const struct byte_range *before,
                       const struct byte_range *after)
{
    return before->end - before->begin == after->end - after->begin &&
           same_fields(compare, before, after) && plain_bytes_equal(compare, before, after);
}

/* ---- what references lead to ---- */

static bool same_target(const struct unit_compare *compare, const struct target *before,
                        const struct target *after, int depth);

/* Return the number of the first reference of the range that leads elsewhere, or the number of them. */
static size_t first_other_target(const struct unit_compare *compare,
                                 const struct byte_range *before, const struct byte_range *after,
                                 int depth)
{
    const struct object_reference *one, *two;
    size_t count = references_between(&compare->before->sections[before->section], before, &one);

    references_between(&compare->after->sections[after->section], after, &two);
    for (size_t i = 0; i < count; i++) {
        struct target old = object_view_target(compare->before, &one[i], before->begin);
        struct target new = object_view_target(compare->after, &two[i], after->begin);

        if (one[i].kind != REFERENCE_NOTHING && one[i].kind != REFERENCE_MODULE &&
            !same_target(compare, &old, &new, depth))
            return i;
    }
    return count;
}

static bool same_range(const struct unit_compare *compare, const struct byte_range *before,
                       const struct byte_range *after, int depth)
{
    const struct object_reference *first;

    return same_shape(compare, before, after) &&
           first_other_target(compare, before, after, depth) ==
               references_between(&compare->after->sections[after->section], after, &first);
}

static struct byte_range entity_range(const struct object_view *view, uint32_t entity)
{
    const struct entity *of = &view->entities[entity];

    return (struct byte_range){of->section, of->offset, of->offset + of->size};
}

static bool same_function(const struct unit_compare *compare, uint32_t before, uint32_t after,
                          int64_t displacement)
{
    const struct entity_state *state = &compare->states[after];
    const struct entity_pair *pair = unit_compare_find(compare, before, after);

    if (!pair)
        return false;
    /* An address within a function is one of its code, which changes with it. */
    if (state->together || displacement || name_is_clone(compare->after->entities[after].name) ||
        name_is_part(compare->after->entities[after].name))
        return pair->equal;
    return state->match == before + 1;
}

static bool same_entity(const struct unit_compare *compare, const struct target *before,
                        const struct target *after)
{
    const struct entity *new = &compare->after->entities[after->entity];
    const struct entity_pair *pair;

    if (before->displacement != after->displacement)
        return false;
    if (new->kind == ENTITY_FUNCTION)
        return same_function(compare, before->entity, after->entity, after->displacement);
    if (compare->states[after->entity].match == before->entity + 1 &&
        entity_is_variable(&compare->before->entities[before->entity]))
        return true;
    pair = unit_compare_find(compare, before->entity, after->entity);
    return pair && pair->equal && new->kind == ENTITY_CONSTANT;
}

static bool same_string(const struct object_view *one, const struct target *before,
                        const struct object_view *two, const struct target *after)
{
    const struct rel_section *old = &one->object->sections[before->section];
    const struct rel_section *new = &two->object->sections[after->section];
    uint64_t width = old->entry_size;

    if (width != new->entry_size)
        return false;
    for (uint64_t at = 0;; at += width) {
        bool end = true;

        if (before->base + at + width > old->size || after->base + at + width > new->size)
            return false;
        for (uint64_t i = 0; i < width; i++) {
            uint8_t byte = byte_at(new, after->base + at + i);

            if (byte_at(old, before->base + at + i) != byte)
                return false;
            end &= !byte;
        }
        if (end)
            return true;
    }
}

/* The bytes of what has no name: of a symbol that the compiler gave it, or up to the next place that is referred to. */
static struct byte_range anonymous_range(const struct object_view *view,
                                         const struct target *target)
{
    const struct rel_section *section = &view->object->sections[target->section];
    struct byte_range range = {target->section, target->base, section->size};
    uint32_t symbol;

    if (view->sections[target->section].class == SECTION_LITERALS) {
        range.end = target->base - target->base % section->entry_size + section->entry_size;
        return range;
    }
    symbol = rel_symbol_around(view->object, target->section, target->base);
    if (symbol && view->object->symbols[symbol].size) {
        range.begin = view->object->symbols[symbol].value;
        range.end = range.begin + view->object->symbols[symbol].size;
        return range;
    }
    range.end = object_view_anonymous_end(view, target->section, target->base);
    return range;
}

static bool same_anonymous(const struct unit_compare *compare, const struct target *before,
                           const struct target *after, int depth)
{
    enum section_class class = compare->after->sections[after->section].class;
    struct byte_range old, new;

    if (compare->before->sections[before->section].class != class ||
        before->displacement != after->displacement || depth >= DEPTH_MAX)
        return false;
    if (class == SECTION_STRINGS)
        return same_string(compare->before, before, compare->after, after);
    if (!object_view_anonymous_constant(compare->before, before->section) ||
        !object_view_anonymous_constant(compare->after, after->section))
        return false;
    old = anonymous_range(compare->before, before);
    new = anonymous_range(compare->after, after);
    return before->base - old.begin ==
           after->base - new.begin &&old.end <=
               compare->before->object->sections[old.section].size &&new.end <=
               compare->after->object->sections[new.section].size &&same_range(compare, &old, &new,
                                                                               depth + 1);
}

static bool same_undefined(const struct unit_compare *compare, const struct target *before,
                           const struct target *after)
{
    const char *name = compare->after->object->symbols[after->symbol].name;

    return strcmp(compare->before->object->symbols[before->symbol].name, name) == 0 &&
           before->displacement == after->displacement &&
           !(compare->means_another && compare->means_another(name, compare->context));
}

static bool same_target(const struct unit_compare *compare, const struct target *before,
                        const struct target *after, int depth)
{
    if (before->kind != after->kind)
        return false;
    switch (after->kind) {
    case TARGET_NUMBER:
        return before->displacement == after->displacement;
    case TARGET_ENTITY:
        return same_entity(compare, before, after);
    case TARGET_ANONYMOUS:
        return same_anonymous(compare, before, after, depth);
    case TARGET_UNDEFINED:
        return same_undefined(compare, before, after);
    }
    return false;
}

/* ---- pairs ---- */

static bool has_bytes(const struct entity *entity)
{
    return entity->section < REL_ABSOLUTE;
}

bool changes_same_shape(const struct unit_compare *compare, uint32_t before, uint32_t after)
{
    const struct entity *old = &compare->before->entities[before];
    const struct entity *new = &compare->after->entities[after];
    struct byte_range one, two;

    if (!has_bytes(old) || !has_bytes(new))
        return old->section == new->section && old->size == new->size;
    one = entity_range(compare->before, before);
    two = entity_range(compare->after, after);
    return same_shape(compare, &one, &two);
}

/* Return whether the variable begins as zero, and has no bytes in the file: .bss, COMMON. */
static bool begins_as_zero(const struct object_view *view, uint32_t entity)
{
    const struct entity *of = &view->entities[entity];

    return !has_bytes(of) || !view->object->sections[of->section].bytes;
}

bool changes_differ(const struct unit_compare *compare, uint32_t before, uint32_t after)
{
    struct byte_range one, two;

    if (!has_bytes(&compare->before->entities[before]) ||
        !has_bytes(&compare->after->entities[after]))
        return !begins_as_zero(compare->before, before) || !begins_as_zero(compare->after, after);
    one = entity_range(compare->before, before);
    two = entity_range(compare->after, after);
    return !same_range(compare, &one, &two, 0);
}

/* Match what has several pairs with an equal one; the first is that of the same name. */
static void match_equal(struct unit_compare *compare)
{
    for (uint32_t i = 0; i < compare->after->entity_count; i++) {
        struct entity_state *state = &compare->states[i];
        const struct entity *entity = &compare->after->entities[i];

        if (entity->kind != ENTITY_CONSTANT &&
            !(entity->kind == ENTITY_FUNCTION &&
              (name_is_clone(entity->name) || name_is_part(entity->name))))
            continue;
        if (state->match && entity_is_variable(&compare->before->entities[state->match - 1]))
            continue;
        state->match = 0;
        for (uint32_t at = state->pair; at; at = compare->pairs[at - 1].next) {
            if (compare->pairs[at - 1].equal)
                unit_compare_match(compare, compare->pairs[at - 1].before, i);
        }
    }
}

void changes_find(struct unit_compare *compare)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 0; i < compare->pair_count; i++) {
            struct entity_pair *pair = &compare->pairs[i];

            if (pair->equal && changes_differ(compare, pair->before, pair->after)) {
                pair->equal = false;
                again = true;
            }
        }
    }
    match_equal(compare);
}

bool changes_same_section(const struct unit_compare *compare, uint32_t before, uint32_t after)
{
    struct byte_range one = {before, 0, 0}, two = {after, 0, 0};

    if (!before || !after)
        return before == after;
    one.end = compare->before->object->sections[before].size;
    two.end = compare->after->object->sections[after].size;
    return same_range(compare, &one, &two, 0);
}

/* ---- reasons ---- */

static void explain_function(const struct unit_compare *compare, const struct entity *entity,
                             uint32_t index, bool branch, char *text, size_t size)
{
    const struct entity_state *state = &compare->states[index];
    const char *verb = branch ? "calls" : "refers to";

    if (name_is_part(entity->name))
        snprintf(text, size, "its part %s changed", entity->name);
    else if (name_is_clone(entity->name))
        snprintf(text, size, "%s %s, which changed", verb, entity->name);
    else if (state->match && state->together)
        snprintf(text, size, "%s %s, which changed together with its callers", verb, entity->name);
    else
        snprintf(text, size, "%s %s, which is %s", verb, entity->name,
                 state->match ? "another function now" : "new");
}

static void explain_entity(const struct unit_compare *compare, uint32_t index, bool branch,
                           char *text, size_t size)
{
    const struct entity *entity = &compare->after->entities[index];
    const struct entity_state *state = &compare->states[index];
    char name[256];

    if (entity->kind == ENTITY_FUNCTION)
        explain_function(compare, entity, index, branch, text, size);
    else if (entity->kind == ENTITY_CONSTANT && state->pair && !state->match)
        snprintf(text, size, "refers to %s, whose content changed",
                 entity_describe(entity, name, sizeof(name)));
    else
        snprintf(text, size, "refers to %s, which is %s",
                 entity_describe(entity, name, sizeof(name)),
                 state->match ? "another variable now" : "new");
}

static void explain_target(const struct unit_compare *compare, const struct target *before,
                           const struct target *after, bool branch, char *text, size_t size)
{
    const char *name = NULL;

    if (after->kind == TARGET_ENTITY) {
        explain_entity(compare, after->entity, branch, text, size);
        return;
    }
    if (after->kind == TARGET_UNDEFINED)
        name = compare->after->object->symbols[after->symbol].name;
    if (name)
        snprintf(text, size, "%s %s", branch ? "calls" : "refers to", name);
    else if (after->kind == TARGET_ANONYMOUS && before->kind == TARGET_ANONYMOUS)
        snprintf(text, size, "%s that it uses changed",
                 compare->after->sections[after->section].class == SECTION_STRINGS ? "a string"
                                                                                   : "a constant");
    else
        snprintf(text, size, CODE_CHANGED);
}

void changes_explain(const struct unit_compare *compare, uint32_t before, uint32_t after,
                     char *text, size_t size)
{
    struct byte_range one = entity_range(compare->before, before);
    struct byte_range two = entity_range(compare->after, after);
    const struct object_reference *old, *new;
    size_t count, other;

    snprintf(text, size, CODE_CHANGED);
    if (!same_shape(compare, &one, &two))
        return;
    references_between(&compare->before->sections[one.section], &one, &old);
    count = references_between(&compare->after->sections[two.section], &two, &new);
    other = first_other_target(compare, &one, &two, 0);
    if (other < count) {
        struct target from = object_view_target(compare->before, &old[other], one.begin);
        struct target to = object_view_target(compare->after, &new[other], two.begin);

        explain_target(compare, &from, &to, new[other].kind == REFERENCE_BRANCH, text, size);
    }
}
