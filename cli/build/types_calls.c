/* types_calls.c - see types_calls.h. */
#include "cli/build/types_calls.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/debug/dwarf_text.h"
#include "cli/debug/dwarf_units.h"
#include "cli/output/output.h"

static const char *callee_symbol(Dwarf_Die *die)
{
    Dwarf_Attribute attribute;

    return dwarf_attr(die, DW_AT_linkage_name, &attribute) ? debug_text(&attribute)
                                                           : debug_die_name(die);
}

static void add_callee(struct callee_list *list, Dwarf_Die *die)
{
    const char *symbol = dwarf_tag(die) == DW_TAG_subprogram ? callee_symbol(die) : NULL;

    if (!symbol)
        return;
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : 64;
        list->list = reallocate(list->list, list->capacity * sizeof(*list->list));
    }
    list->list[list->count++] = (struct callee){symbol, *die};
}

static int compare_callees(const void *a, const void *b)
{
    const struct callee *left = a, *right = b;

    return strcmp(left->symbol, right->symbol);
}

void callee_list_read(struct callee_list *list, const struct object_dwarf *dwarf)
{
    Dwarf *handle = object_dwarf_handle(dwarf);
    Dwarf_CU *unit = NULL;
    Dwarf_Die die, child, split;
    uint8_t type;

    *list = (struct callee_list){0};
    while (handle && dwarf_get_units(handle, unit, &unit, NULL, &type, &die, &split) == 0) {
        if (dwarf_child(&die, &child) != 0)
            continue;
        do
            add_callee(list, &child);
        while (debug_next_sibling(&child));
    }
    if (list->count)
        qsort(list->list, list->count, sizeof(*list->list), compare_callees);
}

void callee_list_free(struct callee_list *list)
{
    free(list->list);
    *list = (struct callee_list){0};
}

Dwarf_Die *callee_list_find(struct callee_list *list, const char *symbol)
{
    struct callee wanted = {.symbol = symbol};
    struct callee *found = list->count ? bsearch(&wanted, list->list, list->count,
                                                 sizeof(*list->list), compare_callees)
                                       : NULL;

    return found ? &found->die : NULL;
}

/* Return the place that a relocation refers to. One that is counted from its own field has the distance to the next
 * instruction in the addend, 4 and more; with a section for each variable a place within that distance is the variable's. */
static struct dwarf_place referred(const struct rel_object *object,
                                   const struct rel_relocation *relocation)
{
    const struct rel_symbol *symbol = &object->symbols[relocation->symbol];
    int64_t offset = (int64_t)symbol->value + relocation->addend;

    if (!rel_symbol_placed(symbol))
        return (struct dwarf_place){DWARF_SYMBOL | relocation->symbol, 0};
    return (struct dwarf_place){symbol->section, offset > 0 ? (uint64_t)offset : 0};
}

int function_references(const struct rel_object *object, struct dwarf_place function,
                        reference_visit *each, void *context)
{
    uint32_t index;
    const struct rel_relocation *list;
    size_t count = 0;
    int result = 0;

    if (function.section >= object->section_count)
        return 0;
    index = rel_symbol_around(object, function.section, function.offset);
    list = rel_relocations_in(&object->sections[function.section], function.offset,
                              object->symbols[index].size, &count);
    for (size_t i = 0; i < count && result == 0; i++)
        result = each(list[i].symbol, referred(object, &list[i]), context);
    return result;
}
