/* call_signature.c - see call_signature.h. */
#include "cli/build/call_signature.h"

#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/object_dwarf.h"
#include "cli/build/types_table.h"

static const char *integer_of(uint64_t size)
{
    return size == 8 ? "long" : size == 4 || size == 2 || size == 1 ? "int" : NULL;
}

static const char *base_type_of(uint32_t encoding, uint64_t size)
{
    switch (encoding) {
    case DW_ATE_boolean:
    case DW_ATE_signed:
    case DW_ATE_signed_char:
    case DW_ATE_unsigned:
    case DW_ATE_unsigned_char:
    case DW_ATE_UTF:
        return integer_of(size);
    case DW_ATE_float:
        return size == 4 ? "float" : size == 8 ? "double" : size == 16 ? "long double" : NULL;
    default:
        return NULL;
    }
}

/* Return a type that is passed in the same way; NULL: not known. */
static const char *passed_as(const struct type_table *table, uint32_t type)
{
    const struct type_node *node = &table->nodes[type_table_peel(table, type, NULL)];

    switch (node->kind) {
    case TYPE_VOID:
        return "void";
    case TYPE_POINTER:
        return "void *";
    case TYPE_ENUM:
        return integer_of(node->size);
    case TYPE_BASE:
        return base_type_of(node->encoding, node->size);
    default:
        return NULL;
    }
}

static bool put_passed(FILE *file, const struct type_table *table, const struct type_node *node)
{
    const char *result = passed_as(table, node->target);

    if (!result)
        return false;
    fprintf(file, "%s (", result);
    for (size_t i = 0; i < node->count; i++) {
        const char *parameter = passed_as(table, table->members[node->first + i].type);

        if (!parameter)
            return false;
        fprintf(file, "%s%s", i ? ", " : "", parameter);
    }
    fputs(node->varargs ? node->count ? ", ...)" : "...)" : node->count ? ")" : "void)", file);
    return true;
}

char *call_signature(const struct object_dwarf *dwarf, uint32_t section, uint64_t offset)
{
    const struct dwarf_function *function = object_dwarf_function_at(dwarf, section, offset);
    struct type_table *table = function ? object_dwarf_types(dwarf) : NULL;
    Dwarf_Die origin = function ? function->origin : (Dwarf_Die){0};
    uint32_t type = table ? type_table_signature(table, &origin) : 0;
    char *text = NULL;
    size_t size;
    FILE *file;
    bool known;

    if (!type || table->nodes[type].kind != TYPE_FUNCTION || !(file = open_memstream(&text, &size)))
        return NULL;
    known = put_passed(file, table, &table->nodes[type]);
    if (fclose(file) == 0 && known)
        return text;
    free(text);
    return NULL;
}

/* Return whether gcc's flags have an optimisation; of several the last counts. */
static bool optimises(const char *flags)
{
    bool optimised = false;

    for (const char *o = strstr(flags, " -O"); o; o = strstr(o + 1, " -O"))
        optimised = o[3] != '0';
    return optimised;
}

bool calls_follow_abi(const struct object_dwarf *dwarf)
{
    const char *producer = dwarf ? object_dwarf_producer(dwarf) : NULL;

    if (!producer)
        return false;
    if (strncmp(producer, "GNU ", 4) == 0)
        return !optimises(producer);
    return strstr(producer, "clang") != NULL;
}
