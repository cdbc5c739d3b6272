/*
 * rel_object.c - see rel_object.h: the indexes of an object and the look-ups in them.
 */
#include "elf/rel_object.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

static bool is_indexed(const struct rel_symbol *symbol)
{
    return symbol->type != STT_SECTION && symbol->type != STT_FILE;
}

/* ------------------------------------------------------- by section --- */

struct ordered_symbol {
    uint32_t section, index;
    uint64_t value;
};

static int compare_ordered(const void *a, const void *b)
{
    const struct ordered_symbol *first = a, *second = b;

    if (first->section != second->section)
        return first->section < second->section ? -1 : 1;
    if (first->value != second->value)
        return first->value < second->value ? -1 : 1;
    return first->index < second->index ? -1 : first->index > second->index;
}

static size_t collect_placed(const struct rel_object *object, struct ordered_symbol *out)
{
    size_t count = 0;

    for (uint32_t i = 1; i < object->symbol_count; i++) {
        const struct rel_symbol *symbol = &object->symbols[i];
        if (is_indexed(symbol) && rel_symbol_placed(symbol))
            out[count++] = (struct ordered_symbol){symbol->section, i, symbol->value};
    }
    return count;
}

static int index_sections(struct rel_object *object)
{
    struct ordered_symbol *ordered = calloc(object->symbol_count, sizeof *ordered);

    object->section_symbols = calloc(object->section_count + 1, sizeof *object->section_symbols);
    object->by_section = calloc(object->symbol_count, sizeof *object->by_section);
    if (!ordered || !object->section_symbols || !object->by_section) {
        free(ordered);
        return -1;
    }
    size_t count = collect_placed(object, ordered), next = 0;
    qsort(ordered, count, sizeof *ordered, compare_ordered);
    for (uint32_t section = 0; section < object->section_count; section++) {
        object->section_symbols[section] = next;
        for (; next < count && ordered[next].section == section; next++)
            object->by_section[next] = ordered[next].index;
    }
    object->section_symbols[object->section_count] = next;
    free(ordered);
    return 0;
}

struct rel_symbols rel_section_symbols(const struct rel_object *object, uint32_t section)
{
    if (section >= object->section_count)
        return (struct rel_symbols){NULL, 0};
    size_t begin = object->section_symbols[section];
    return (struct rel_symbols){object->by_section + begin,
                                object->section_symbols[section + 1] - begin};
}

/* Return the number of symbols whose value is at most `offset`. */
static size_t symbols_up_to(const struct rel_object *object, struct rel_symbols symbols,
                            uint64_t offset)
{
    size_t low = 0, high = symbols.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (object->symbols[symbols.indexes[middle]].value <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_bytes_type(const struct rel_symbol *symbol)
{
    return symbol->type != STT_NOTYPE;
}

/* Return whether `a` names a place better than `b`: see rel_symbol_around(). */
static bool is_better(const struct rel_symbol *a, const struct rel_symbol *b)
{
    if (has_bytes_type(a) != has_bytes_type(b))
        return has_bytes_type(a);
    if ((a->binding != STB_LOCAL) != (b->binding != STB_LOCAL))
        return a->binding != STB_LOCAL;
    return a->size > b->size;
}

uint32_t rel_symbol_around(const struct rel_object *object, uint32_t section, uint64_t offset)
{
    enum {
        TRIED = 64
    }; /* symbols that overlap: a bound on the time that a damaged file can take */
    struct rel_symbols symbols = rel_section_symbols(object, section);
    size_t count = symbols_up_to(object, symbols, offset);
    uint32_t best = 0, last = 0;

    for (size_t i = count; i > 0 && count - i < TRIED; i--) {
        uint32_t index = symbols.indexes[i - 1];
        const struct rel_symbol *symbol = &object->symbols[index];
        bool reaches = symbol->size ? offset - symbol->value < symbol->size
                                    : !last || object->symbols[last].value == symbol->value;
        if (reaches && (!best || is_better(symbol, &object->symbols[best])))
            best = index;
        last = index;
    }
    return best;
}

const struct rel_relocation *rel_relocations_in(const struct rel_section *section, uint64_t offset,
                                                uint64_t size, size_t *count)
{
    size_t low = 0, high = section->relocation_count, end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (section->relocations[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low;
         end < section->relocation_count && section->relocations[end].offset - offset < size;)
        end++;
    *count = end - low;
    return section->relocations ? section->relocations + low : NULL;
}

/* ------------------------------------------------------- by name --- */

static bool is_defined(const struct rel_symbol *symbol)
{
    return symbol->section != REL_UNDEFINED;
}

struct named_symbol {
    const char *name;
    uint32_t index;
    bool defined;
};

/* Of one name the defined symbols stand first. */
static int compare_named(const void *a, const void *b)
{
    const struct named_symbol *first = a, *second = b;
    int order = strcmp(first->name, second->name);

    if (order)
        return order;
    if (first->defined != second->defined)
        return first->defined ? -1 : 1;
    return first->index < second->index ? -1 : first->index > second->index;
}

static int index_names(struct rel_object *object)
{
    struct named_symbol *named = calloc(object->symbol_count, sizeof *named);

    object->by_name = calloc(object->symbol_count, sizeof *object->by_name);
    if (!named || !object->by_name) {
        free(named);
        return -1;
    }
    for (uint32_t i = 1; i < object->symbol_count; i++) {
        const struct rel_symbol *symbol = &object->symbols[i];
        if (is_indexed(symbol) && symbol->name[0])
            named[object->name_count++] =
                (struct named_symbol){symbol->name, i, is_defined(symbol)};
    }
    qsort(named, object->name_count, sizeof *named, compare_named);
    for (size_t i = 0; i < object->name_count; i++)
        object->by_name[i] = named[i].index;
    free(named);
    return 0;
}

uint32_t rel_symbol_named(const struct rel_object *object, const char *name)
{
    size_t low = 0, high = object->name_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(object->symbols[object->by_name[middle]].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == object->name_count || strcmp(object->symbols[object->by_name[low]].name, name) != 0)
        return 0;
    return object->by_name[low];
}

uint32_t rel_section_named(const struct rel_object *object, const char *name)
{
    for (uint32_t i = 1; i < object->section_count; i++) {
        if (strcmp(object->sections[i].name, name) == 0)
            return i;
    }
    return 0;
}

int rel_object_index(struct rel_object *object)
{
    return index_sections(object) || index_names(object) ? -1 : 0;
}
