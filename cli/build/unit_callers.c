/* unit_callers.c - see unit_callers.h. */
#include "cli/build/unit_callers.h"

/* Call `each` for the references to an entity's first byte; a true return stops and is returned. */
typedef bool reference_visit(const struct unit_compare *compare, uint32_t section,
                             const struct object_reference *reference, uint32_t entity);

static bool each_reference(const struct unit_compare *compare, const struct object_view *view,
                           uint32_t entity, reference_visit *each)
{
    for (uint32_t i = 1; i < view->object->section_count; i++) {
        const struct section_view *section = &view->sections[i];

        if (section->class == SECTION_IGNORED)
            continue;
        for (size_t k = 0; k < section->reference_count; k++) {
            const struct object_reference *reference = &section->references[k];
            struct target target = object_view_target(view, reference, reference->offset);

            if (target.kind == TARGET_ENTITY && target.entity == entity &&
                (target.displacement == 0 || !reference->placed) &&
                each(compare, i, reference, entity))
                return true;
        }
    }
    return false;
}

static bool is_address(const struct unit_compare *compare, uint32_t section,
                       const struct object_reference *reference, uint32_t entity)
{
    (void)compare, (void)section, (void)entity;
    /* A relative field of data belongs to a table of jumps. */
    return reference->kind != REFERENCE_BRANCH && reference->placed;
}

bool unit_callers_take_address(const struct unit_compare *compare, uint32_t after)
{
    uint32_t match = compare->states[after].match;

    return each_reference(compare, compare->after, after, is_address) ||
           (match && each_reference(compare, compare->before, match - 1, is_address));
}

static bool is_changed_caller(const struct unit_compare *compare, uint32_t section,
                              const struct object_reference *reference, uint32_t entity)
{
    uint32_t caller = object_view_entity_at(compare->after, section, reference->offset);
    const struct entity_state *state;
    const struct entity_pair *pair;

    if (caller == UINT32_MAX || caller == entity ||
        compare->after->entities[caller].kind != ENTITY_FUNCTION)
        return false;
    state = &compare->states[caller];
    pair = state->match ? unit_compare_find(compare, state->match - 1, caller) : NULL;
    return !pair || !pair->equal;
}

bool unit_callers_changed(const struct unit_compare *compare, uint32_t after)
{
    return each_reference(compare, compare->after, after, is_changed_caller);
}
