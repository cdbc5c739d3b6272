/* object_view.c - see object_view.h. */
#include "cli/build/object_view.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/generated_names.h"

static bool symbol_is_code(const struct rel_symbol *symbol)
{
    return symbol->type == STT_FUNC || symbol->type == STT_GNU_IFUNC;
}

/* A label of the compiler's or of an instruction in the source is no function where functions are marked. */
static bool has_functions(const struct rel_object *object, struct rel_symbols symbols)
{
    for (size_t i = 0; i < symbols.count; i++) {
        if (symbol_is_code(&object->symbols[symbols.indexes[i]]))
            return true;
    }
    return false;
}

static bool names_entity(const struct rel_symbol *symbol, enum section_class class, bool functions)
{
    bool temporary = !*symbol->name || strncmp(symbol->name, ".L", 2) == 0;

    switch (class) {
    case SECTION_CODE:
        return symbol_is_code(symbol) || (!functions && !temporary);
    case SECTION_WRITABLE:
    case SECTION_THREAD:
        return symbol->type != STT_NOTYPE || !temporary;
    case SECTION_CONSTANT:
    case SECTION_SPECIAL:
        return !name_is_fresh(symbol->name) ||
               (class == SECTION_SPECIAL && symbol->type == STT_OBJECT);
    case SECTION_IGNORED:
    case SECTION_STRINGS:
    case SECTION_LITERALS:
        break;
    }
    return false;
}

static enum entity_kind entity_kind_of(const struct rel_section *section, enum section_class class,
                                       const struct rel_symbol *symbol)
{
    if (class == SECTION_CODE || (class == SECTION_SPECIAL && (section->flags & SHF_EXECINSTR)))
        return ENTITY_FUNCTION;
    if (class == SECTION_THREAD || symbol->type == STT_TLS)
        return ENTITY_THREAD;
    if (class == SECTION_CONSTANT)
        return ENTITY_CONSTANT;
    return section->flags & SHF_WRITE ? ENTITY_VARIABLE : ENTITY_CONSTANT;
}

static bool symbol_is_external(const struct rel_symbol *symbol)
{
    return symbol->binding != STB_LOCAL;
}

/* Give the entity another symbol of its place. */
static void entity_add_symbol(struct object_view *view, struct entity *entity, uint32_t index)
{
    const struct rel_symbol *symbol = &view->object->symbols[index];
    const struct rel_symbol *old = &view->object->symbols[entity->symbol];

    view->of_symbol[index] = (uint32_t)(entity - view->entities) + 1;
    if (symbol_is_external(symbol) && !symbol_is_external(old)) {
        entity->symbol = index;
        entity->name = symbol->name;
    }
    entity->external |= symbol_is_external(symbol);
    if (symbol->size > entity->size)
        entity->size = symbol->size;
}

static struct entity *entity_new(struct object_view *view, uint32_t index)
{
    const struct rel_symbol *symbol = &view->object->symbols[index];
    struct entity *entity = &view->entities[view->entity_count++];

    *entity = (struct entity){.section = symbol->section,
                              .offset = symbol->value,
                              .size = symbol->size,
                              .symbol = index,
                              .name = symbol->name,
                              .external = symbol_is_external(symbol)};
    view->of_symbol[index] = view->entity_count;
    return entity;
}

static void attach_variable(struct object_view *view, struct entity *entity, uint32_t section)
{
    if (view->dwarf && entity->kind != ENTITY_FUNCTION)
        entity->variable = object_dwarf_variable_at(view->dwarf, section, entity->offset);
}

/* A function reaches to the next one; so does what has no size. */
static void entities_extend(struct object_view *view, const struct section_view *section,
                            uint64_t end)
{
    for (uint32_t i = section->entity_count; i > 0; i--) {
        struct entity *entity = &view->entities[section->entity + i - 1];

        if (entity->kind == ENTITY_FUNCTION || !entity->size)
            entity->size = end - entity->offset;
        end = entity->offset;
    }
}

static void section_entities(struct object_view *view, uint32_t index)
{
    const struct rel_object *object = view->object;
    const struct rel_section *section = &object->sections[index];
    struct section_view *seen = &view->sections[index];
    struct rel_symbols symbols = rel_section_symbols(object, index);
    bool functions = has_functions(object, symbols);
    struct entity *last = NULL;

    seen->entity = view->entity_count;
    for (size_t i = 0; i < symbols.count; i++) {
        const struct rel_symbol *symbol = &object->symbols[symbols.indexes[i]];

        if (!names_entity(symbol, seen->class, functions))
            continue;
        if (last && last->offset == symbol->value) {
            entity_add_symbol(view, last, symbols.indexes[i]);
            continue;
        }
        last = entity_new(view, symbols.indexes[i]);
        last->kind = entity_kind_of(section, seen->class, symbol);
        last->special = seen->class == SECTION_SPECIAL;
        attach_variable(view, last, index);
        seen->entity_count++;
    }
    entities_extend(view, seen, section->size);
}

static void common_entities(struct object_view *view)
{
    for (uint32_t i = 1; i < view->object->symbol_count; i++) {
        struct entity *entity;

        if (view->object->symbols[i].section != REL_COMMON)
            continue;
        entity = entity_new(view, i);
        entity->offset = 0;
        entity->kind = ENTITY_VARIABLE;
        attach_variable(view, entity, DWARF_SYMBOL | i);
    }
}

/* Code without any name, such as a statement of assembler outside of functions, is compared as a whole. */
static void code_without_names(struct object_view *view)
{
    for (uint32_t i = 1; i < view->object->section_count; i++) {
        if (view->sections[i].class == SECTION_CODE && !view->sections[i].entity_count)
            view->sections[i].class = SECTION_SPECIAL;
    }
}

uint32_t object_view_entity_at(const struct object_view *view, uint32_t section, uint64_t offset)
{
    const struct section_view *seen = &view->sections[section];
    uint32_t low = 0, high = seen->entity_count;

    if (seen->entity_count == 1)
        return seen->entity;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (view->entities[seen->entity + middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return UINT32_MAX;
    low += seen->entity - 1;
    return offset - view->entities[low].offset <= view->entities[low].size ? low : UINT32_MAX;
}

static struct target anonymous_target(const struct object_view *view,
                                      const struct rel_symbol *symbol, int64_t displacement)
{
    struct target target = {.kind = TARGET_ANONYMOUS,
                            .section = symbol->section,
                            .base = symbol->value,
                            .displacement = displacement};
    uint64_t size = view->object->sections[symbol->section].size;

    if (symbol->type != STT_SECTION || displacement < 0 || (uint64_t)displacement > size)
        return target;
    target.base += (uint64_t)displacement;
    target.displacement = 0;
    return target;
}

static struct target defined_target(const struct object_view *view, uint32_t index,
                                    int64_t displacement)
{
    const struct rel_symbol *symbol = &view->object->symbols[index];
    uint64_t offset = symbol->value + (uint64_t)displacement;
    uint32_t entity = view->of_symbol[index] - 1;

    if (!view->of_symbol[index])
        entity = object_view_entity_at(view, symbol->section, offset);
    if (entity == UINT32_MAX)
        return anonymous_target(view, symbol, displacement);
    return (struct target){.kind = TARGET_ENTITY,
                           .entity = entity,
                           .displacement = (int64_t)(offset - view->entities[entity].offset)};
}

struct target object_view_target(const struct object_view *view,
                                 const struct object_reference *reference, uint64_t origin)
{
    const struct rel_symbol *symbol = &view->object->symbols[reference->symbol];
    int64_t displacement = reference->displacement;

    if (!reference->placed)
        displacement -= (int64_t)(reference->offset - origin);
    if (!reference->symbol || symbol->section == REL_ABSOLUTE)
        return (struct target){.kind = TARGET_NUMBER,
                               .displacement = displacement + (int64_t)symbol->value};
    if (symbol->section == REL_UNDEFINED)
        return (struct target){
            .kind = TARGET_UNDEFINED, .symbol = reference->symbol, .displacement = displacement};
    if (symbol->section == REL_COMMON)
        return (struct target){.kind = TARGET_ENTITY,
                               .entity = view->of_symbol[reference->symbol] - 1,
                               .displacement = displacement};
    return defined_target(view, reference->symbol, displacement);
}

size_t object_view_reference_from(const struct section_view *section, uint64_t offset)
{
    size_t low = 0, high = section->reference_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (section->references[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- places of constants without a name ---- */

static int base_add(struct object_view *view, const struct target *target, size_t *rooms)
{
    struct section_view *section = &view->sections[target->section];
    size_t *room = &rooms[target->section];

    if (section->base_count == *room) {
        size_t wanted = *room ? *room * 2 : 16;
        uint64_t *larger = realloc(section->bases, wanted * sizeof(*larger));

        if (!larger)
            return -1;
        section->bases = larger;
        *room = wanted;
    }
    section->bases[section->base_count++] = target->base;
    return 0;
}

static int base_compare(const void *one, const void *two)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)two;

    return a < b ? -1 : a > b;
}

static int section_bases(struct object_view *view, uint32_t index, size_t *rooms)
{
    const struct section_view *section = &view->sections[index];

    for (size_t i = 0; i < section->reference_count; i++) {
        const struct object_reference *reference = &section->references[i];
        struct target target = object_view_target(view, reference, reference->offset);

        if (target.kind == TARGET_ANONYMOUS && reference->placed &&
            base_add(view, &target, rooms) < 0)
            return -1;
    }
    return 0;
}

static int bases_find(struct object_view *view)
{
    size_t *rooms = calloc(view->object->section_count, sizeof(*rooms));
    int result = rooms ? 0 : -1;

    for (uint32_t i = 1; !result && i < view->object->section_count; i++)
        result = section_bases(view, i, rooms);
    free(rooms);
    for (uint32_t i = 1; !result && i < view->object->section_count; i++) {
        struct section_view *section = &view->sections[i];

        if (section->base_count)
            qsort(section->bases, section->base_count, sizeof(*section->bases), base_compare);
    }
    return result;
}

bool object_view_anonymous_constant(const struct object_view *view, uint32_t section)
{
    const struct section_view *seen = &view->sections[section];

    switch (seen->class) {
    case SECTION_STRINGS:
    case SECTION_LITERALS:
    case SECTION_CONSTANT:
        return true;
    case SECTION_WRITABLE:
        return !seen->entity_count && view->object->sections[section].bytes;
    case SECTION_CODE:
    case SECTION_IGNORED:
    case SECTION_THREAD:
    case SECTION_SPECIAL:
        break;
    }
    return false;
}

uint64_t object_view_anonymous_end(const struct object_view *view, uint32_t section, uint64_t base)
{
    const struct section_view *seen = &view->sections[section];
    size_t low = 0, high = seen->base_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (seen->bases[middle] <= base)
            low = middle + 1;
        else
            high = middle;
    }
    return low < seen->base_count ? seen->bases[low] : view->object->sections[section].size;
}

/* ---- making and freeing ---- */

static int sections_read(struct object_view *view)
{
    const struct rel_object *object = view->object;

    for (uint32_t i = 1; i < object->section_count; i++) {
        struct section_view *section = &view->sections[i];

        section->class = section_class_of(&object->sections[i]);
        if (section->class != SECTION_IGNORED || section_is_unwind(&object->sections[i])) {
            if (object_references(object, i, &section->references, &section->reference_count) < 0)
                return -1;
        }
        section_entities(view, i);
    }
    common_entities(view);
    code_without_names(view);
    return bases_find(view);
}

int object_view_make(struct object_view **out, const struct rel_object *object,
                     struct object_dwarf *dwarf)
{
    struct object_view *view = calloc(1, sizeof(*view));

    *out = NULL;
    if (!view)
        return -1;
    view->object = object;
    view->dwarf = dwarf;
    view->sections = calloc(object->section_count + 1, sizeof(*view->sections));
    view->entities = calloc(object->symbol_count + 1, sizeof(*view->entities));
    view->of_symbol = calloc(object->symbol_count + 1, sizeof(*view->of_symbol));
    if (!view->sections || !view->entities || !view->of_symbol || sections_read(view) < 0) {
        object_view_free(view);
        return -1;
    }
    *out = view;
    return 0;
}

void object_view_free(struct object_view *view)
{
    if (!view)
        return;
    for (size_t i = 0; view->sections && i < view->object->section_count; i++) {
        free(view->sections[i].references);
        free(view->sections[i].bases);
    }
    free(view->sections);
    free(view->entities);
    free(view->of_symbol);
    free(view);
}
