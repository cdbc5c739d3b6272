/*
 * object_dwarf_content.h - what is read from the debug information of an object when it is first asked for. For
 * object_dwarf.c.
 */
#ifndef HOTPATCH_OBJECT_DWARF_CONTENT_H
#define HOTPATCH_OBJECT_DWARF_CONTENT_H

#include <libelf.h>

#include "cli/build/dwarf_rows.h"
#include "cli/build/types_table.h"
#include "elf/rel_object.h"

/* A variable or function by its place. */
struct place_index {
    struct dwarf_place place;
    size_t index;
};

/* The entry of a function, by the name of its symbol. */
struct named_die {
    const char *name;
    Dwarf_Die die;
};

/* What is read when it is first asked for. */
struct dwarf_content {
    bool read;
    struct dwarf_variable *variables;
    size_t variable_count, variable_capacity;
    struct dwarf_formed *formed;
    size_t formed_count, formed_capacity;
    struct dwarf_function *functions;
    size_t function_count, function_capacity;
    struct named_die *named;
    size_t named_count, named_capacity;
    struct place_index *variables_by_place, *functions_by_place;
    char **texts;
    size_t text_count, text_capacity;
    bool types_read;
    struct type_table types;
    void *comparison;
    void (*comparison_free)(void *);
};

struct object_dwarf {
    const struct rel_object *object;
    uint8_t *bytes;
    Elf *elf;
    Dwarf *dwarf;
    struct dwarf_content *content;
};

/* Return the variables and functions, read and sorted. */
struct dwarf_content *dwarf_content_of(const struct object_dwarf *dwarf);

/* Return the types, read. */
struct type_table *dwarf_content_types(const struct object_dwarf *dwarf);

/* Return the last entry of a sorted list at or before the place, in the same section; or NULL. */
const struct place_index *dwarf_place_find(const struct place_index *list, size_t count,
                                           struct dwarf_place place);

#endif
