/*
 * types_calls.h - what the code of a function of an object refers to: the functions that it calls, and the variables that it
 * uses, by the relocations of its code.
 */
#ifndef HOTPATCH_TYPES_CALLS_H
#define HOTPATCH_TYPES_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/build/object_dwarf.h"
#include "elf/rel_object.h"

/* The functions that an object's debug information declares, sorted by the names of their symbols. */
struct callee_list {
    struct callee {
        const char *symbol;
        Dwarf_Die die;
    } * list;
    size_t count, capacity;
};

void callee_list_read(struct callee_list *list, const struct object_dwarf *dwarf);
void callee_list_free(struct callee_list *list);
/* Return the function's entry, or NULL. */
Dwarf_Die *callee_list_find(struct callee_list *list, const char *symbol);

/* Call `each` with the index of the symbol of each relocation of the function's code, and the place that it refers to. Stop at a
 * return value other than 0 and return it. */
typedef int reference_visit(uint32_t symbol, struct dwarf_place place, void *context);
int function_references(const struct rel_object *object, struct dwarf_place function,
                        reference_visit *each, void *context);

#endif
