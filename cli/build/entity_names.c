/* entity_names.c - see entity_names.h. */
#include "cli/build/entity_names.h"

#include <stdio.h>
#include <string.h>

#include "cli/build/generated_names.h"

const char *entity_describe(const struct entity *entity, char *text, size_t size)
{
    if (entity->variable && entity->variable->function)
        snprintf(text, size, "%s in %s()", entity->variable->name, entity->variable->function);
    else if (entity->kind == ENTITY_FUNCTION)
        snprintf(text, size, "%s()", entity->name);
    else
        snprintf(text, size, "%s", entity->variable ? entity->variable->name : entity->name);
    return text;
}

const char *entity_where(const struct object_view *view, const struct entity *entity, char *text,
                         size_t size)
{
    const char *file = NULL;
    unsigned line = 0;

    if (entity->variable) {
        file = entity->variable->file;
        line = entity->variable->line;
    } else if (view->dwarf && entity->section < REL_ABSOLUTE) {
        file = object_dwarf_where(view->dwarf, entity->section, entity->offset, &line);
    }
    *text = '\0';
    if (file)
        snprintf(text, size, "%s:%u", file, line);
    return text;
}

const char *entity_source_name(const struct entity *entity, size_t *length)
{
    const char *name = entity->variable ? entity->variable->name : entity->name;

    *length = entity->variable || entity->external ? strlen(name) : name_stem(name);
    return name;
}

static const char *function_of(const struct entity *entity)
{
    const char *function = entity->variable ? entity->variable->function : NULL;

    return function ? function : "";
}

bool entity_same_name(const struct entity *one, const struct entity *two)
{
    size_t one_length, two_length;
    const char *one_name = entity_source_name(one, &one_length);
    const char *two_name = entity_source_name(two, &two_length);

    return one_length == two_length && memcmp(one_name, two_name, one_length) == 0 &&
           strcmp(function_of(one), function_of(two)) == 0;
}

size_t entity_order(const struct object_view *view, const struct entity *entity)
{
    size_t order = 0;

    for (uint32_t i = 0; i < view->entity_count; i++) {
        const struct entity *other = &view->entities[i];

        order += other->kind != ENTITY_FUNCTION && other->variable &&
                 other->variable < entity->variable && entity_same_name(other, entity);
    }
    return order;
}
