/* correlate_use.c - see correlate_use.h. */
#include "cli/build/correlate_use.h"

#include <stdlib.h>
#include <string.h>

#include "cli/build/changes.h"
#include "cli/build/entity_names.h"

/* What the places say: by entity of each object, the one of the other. */
struct votes {
    uint32_t *of_after, *of_before; /* + 1; 0: none yet; CONTRADICTED */
};

#define CONTRADICTED UINT32_MAX

static void vote(uint32_t *list, uint32_t entity, uint32_t other)
{
    if (!list[entity])
        list[entity] = other + 1;
    else if (list[entity] != other + 1)
        list[entity] = CONTRADICTED;
}

static bool is_open(const struct unit_compare *compare, const struct target *before,
                    const struct target *after)
{
    return before->kind == TARGET_ENTITY && after->kind == TARGET_ENTITY &&
           before->displacement == after->displacement &&
           entity_is_variable(&compare->before->entities[before->entity]) &&
           compare->before->entities[before->entity].kind ==
               compare->after->entities[after->entity].kind &&
           !compare->back[before->entity] && !compare->states[after->entity].match;
}

static void entity_vote(const struct unit_compare *compare, struct votes *votes, uint32_t before,
                        uint32_t after)
{
    const struct entity *old = &compare->before->entities[before];
    const struct entity *new = &compare->after->entities[after];
    const struct section_view *one, *two;
    size_t from, to;

    if (old->section >= REL_ABSOLUTE || new->section >= REL_ABSOLUTE)
        return;
    one = &compare->before->sections[old->section];
    two = &compare->after->sections[new->section];
    from = object_view_reference_from(one, old->offset);
    to = object_view_reference_from(two, new->offset);
    for (; to < two->reference_count && two->references[to].offset < new->offset + new->size;
         from++, to++) {
        struct target was =
            object_view_target(compare->before, &one->references[from], old->offset);
        struct target is = object_view_target(compare->after, &two->references[to], new->offset);

        if (!is_open(compare, &was, &is))
            continue;
        vote(votes->of_after, is.entity, was.entity);
        vote(votes->of_before, was.entity, is.entity);
    }
}

static void pairs_vote(const struct unit_compare *compare, struct votes *votes)
{
    for (size_t i = 0; i < compare->pair_count; i++) {
        const struct entity_pair *pair = &compare->pairs[i];

        if (changes_same_shape(compare, pair->before, pair->after))
            entity_vote(compare, votes, pair->before, pair->after);
    }
}

static void variables_vote(const struct unit_compare *compare, struct votes *votes)
{
    for (uint32_t i = 0; i < compare->after->entity_count; i++) {
        uint32_t match = compare->states[i].match;

        if (match && compare->after->entities[i].kind == ENTITY_VARIABLE &&
            changes_same_shape(compare, match - 1, i))
            entity_vote(compare, votes, match - 1, i);
    }
}

/* A renamed function: the only one that is gone of the shape of a new one. */
static void renamed_vote(const struct unit_compare *compare, struct votes *votes, uint32_t after)
{
    const struct entity *new = &compare->after->entities[after];
    uint32_t found = UINT32_MAX;

    for (uint32_t i = 0; i < compare->before->entity_count; i++) {
        const struct entity *old = &compare->before->entities[i];

        if (old->kind != ENTITY_FUNCTION || compare->back[i] || old->size != new->size ||
            !changes_same_shape(compare, i, after))
            continue;
        if (found != UINT32_MAX)
            return;
        found = i;
    }
    if (found != UINT32_MAX)
        entity_vote(compare, votes, found, after);
}

static void renamed_functions_vote(const struct unit_compare *compare, struct votes *votes)
{
    for (uint32_t i = 0; i < compare->after->entity_count; i++) {
        if (compare->after->entities[i].kind == ENTITY_FUNCTION && !compare->states[i].match &&
            !compare->states[i].pair)
            renamed_vote(compare, votes, i);
    }
}

static bool same_type(const struct entity *old, const struct entity *new)
{
    if (old->size != new->size || old->external != new->external)
        return false;
    return !old->variable || !new->variable || !old->variable->type || !new->variable->type ||
           strcmp(old->variable->type, new->variable->type) == 0;
}

static bool same_source_name(const struct entity *old, const struct entity *new)
{
    size_t old_length, new_length;
    const char *old_name = entity_source_name(old, &old_length);
    const char *new_name = entity_source_name(new, &new_length);

    return old_length == new_length && memcmp(old_name, new_name, old_length) == 0;
}

/* A renamed variable must also begin with the same value. */
static bool votes_match(struct unit_compare *compare, const struct votes *votes)
{
    bool any = false;

    for (uint32_t i = 0; i < compare->after->entity_count; i++) {
        const struct entity *new = &compare->after->entities[i], *old;
        uint32_t match = votes->of_after[i];

        if (!match || match == CONTRADICTED || votes->of_before[match - 1] != i + 1)
            continue;
        old = &compare->before->entities[match - 1];
        if (!same_type(old, new) ||
            (!same_source_name(old, new) && changes_differ(compare, match - 1, i)))
            continue;
        compare->states[i].renamed = !same_source_name(old, new);
        unit_compare_match(compare, match - 1, i);
        any = true;
    }
    return any;
}

/* A variable found so may show another: the one that its initial value points to. */
int correlate_by_use(struct unit_compare *compare)
{
    struct votes votes = {calloc(compare->after->entity_count + 1, sizeof(uint32_t)),
                          calloc(compare->before->entity_count + 1, sizeof(uint32_t))};
    int result = votes.of_after && votes.of_before ? 0 : -1;
    bool again = result == 0;

    while (again) {
        memset(votes.of_after, 0, compare->after->entity_count * sizeof(uint32_t));
        memset(votes.of_before, 0, compare->before->entity_count * sizeof(uint32_t));
        pairs_vote(compare, &votes);
        variables_vote(compare, &votes);
        renamed_functions_vote(compare, &votes);
        again = votes_match(compare, &votes);
    }
    free(votes.of_after);
    free(votes.of_before);
    return result;
}
