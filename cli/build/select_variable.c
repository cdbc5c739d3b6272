/* select_variable.c - see select_variable.h. */
#include "cli/build/select_variable.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/entity_names.h"
#include "cli/build/select_changes.h"
#include "cli/build/select_evidence.h"

/* The program keeps the value of a new variable over reloads by this: where it is declared, its type and size. */
static void make_key(struct selecting *selecting, uint32_t unit, uint32_t index)
{
    const struct entity *entity = selecting_entity(selecting, unit, index);
    const struct dwarf_variable *variable = entity->variable;
    size_t length;
    const char *name = entity_source_name(entity, &length);
    char **key = &selecting->selection->units[unit].symbols[entity->symbol].keep;

    if (*key)
        return;
    if (asprintf(key, "%s %s %.*s %zu %s %" PRIu64, selecting->units[unit].compare.unit->source,
                 variable && variable->function ? variable->function : "-", (int)length, name,
                 variable ? entity_order(selecting->units[unit].compare.after, entity) : (size_t)0,
                 variable && variable->type ? variable->type : "-", entity->size) < 0) {
        *key = NULL;
        selecting->no_memory = true;
    }
}

/* All new variables of a section are placed with it. */
static enum entity_place place_new(struct selecting *selecting, uint32_t unit, uint32_t index)
{
    const struct object_view *view = selecting->units[unit].compare.after;
    const struct entity *entity = &view->entities[index];
    const struct section_view *section;

    if (entity->section >= REL_ABSOLUTE) {
        make_key(selecting, unit, index);
        return PLACE_OWN;
    }
    section = &view->sections[entity->section];
    for (uint32_t i = 0; i < section->entity_count; i++)
        make_key(selecting, unit, section->entity + i);
    return PLACE_OWN;
}

static enum entity_place bind_to(struct selecting *selecting, uint32_t unit, uint32_t index,
                                 const struct unit_compare *compare, uint32_t before,
                                 struct symbol_choice *choice)
{
    const struct entity *entity = selecting_entity(selecting, unit, index);
    const struct entity *old = &compare->before->entities[before];
    struct baseline_symbol evidence = host_symbol(compare, before);
    char name[256];

    entity_describe(entity, name, sizeof(name));
    if (old->size != entity->size) {
        selecting_refuse(selecting, HP_STATE, unit, index,
                         "%s has %" PRIu64 " bytes in the program, and %" PRIu64 " after the edit",
                         name, old->size, entity->size);
        return PLACE_REFUSED;
    }
    if (select_evidence(selecting->binary, &evidence, entity->external, choice))
        return PLACE_HOST;
    /* No code of the program refers to it, and no other file sees it: the linker may have left it out. */
    if (!evidence.conflict && !old->external && entity->kind != ENTITY_THREAD)
        return place_new(selecting, unit, index);
    selecting_refuse(selecting, HP_STATE, unit, index, "%s: %s", name,
                     evidence.conflict ? "several variables of the program may be it"
                                       : "it was not found in the program");
    return PLACE_REFUSED;
}

static void refuse_unclear(struct selecting *selecting, uint32_t unit, uint32_t index)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;
    const struct entity *entity = selecting_entity(selecting, unit, index);
    size_t length, old_length, count = 0;
    const char *name = entity_source_name(entity, &length);
    char text[256];

    for (uint32_t i = 0; i < compare->before->entity_count; i++) {
        const char *old = entity_source_name(&compare->before->entities[i], &old_length);

        count += entity_is_variable(&compare->before->entities[i]) && old_length == length &&
                 strncmp(old, name, length) == 0 && !compare->back[i];
    }
    selecting_refuse(selecting, HP_STATE, unit, index,
                     "%s: %zu variables of that name of the program may be it",
                     entity_describe(entity, text, sizeof(text)), count);
}

static int not_local(const struct binary_symbol *symbol, void *context)
{
    (void)context;
    return symbol->binding != STB_LOCAL;
}

static enum entity_place place_unmatched(struct selecting *selecting, uint32_t unit, uint32_t index,
                                         struct symbol_choice *choice)
{
    const struct entity *entity = selecting_entity(selecting, unit, index);
    uint32_t from, before;
    char name[256];

    entity_describe(entity, name, sizeof(name));
    if (select_moved_from(selecting, unit, index, &from, &before))
        return bind_to(selecting, unit, index, &selecting->units[from].compare, before, choice);
    if (entity->kind == ENTITY_THREAD) {
        selecting_refuse(selecting, HP_THREAD_LOCAL, unit, index,
                         "%s is a thread-local variable that the program does not have", name);
        return PLACE_REFUSED;
    }
    if (entity->special) {
        selecting_refuse(
            selecting, HP_SECTION, unit, index, "%s is new in section %s", name,
            selecting->units[unit].compare.after->object->sections[entity->section].name);
        return PLACE_REFUSED;
    }
    if (entity->external && binary_named(selecting->binary, entity->name, not_local, NULL)) {
        selecting_refuse(
            selecting, HP_STATE, unit, index,
            "%s is new in this file, but another file of the program has a variable of that name",
            name);
        return PLACE_REFUSED;
    }
    return place_new(selecting, unit, index);
}

enum entity_place select_variable(struct selecting *selecting, uint32_t unit, uint32_t index,
                                  struct symbol_choice *choice)
{
    const struct unit_compare *compare = &selecting->units[unit].compare;
    const struct entity_state *state = &compare->states[index];

    if (state->ambiguous) {
        refuse_unclear(selecting, unit, index);
        return PLACE_REFUSED;
    }
    if (state->match)
        return bind_to(selecting, unit, index, compare, state->match - 1, choice);
    return place_unmatched(selecting, unit, index, choice);
}
