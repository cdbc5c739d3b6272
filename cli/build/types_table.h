/*
 * types_table.h - the types of one object's debug information (DWARF 4 and 5), read once into an array: after that no
 * comparison, spelling or search looks into the DWARF again.
 *
 * A type is an index; 0 is void, and also stands for what cannot be read. Cycles are as in the source: a structure's member
 * may lead back to it. Strings are libdw's. One thread.
 */
#ifndef HOTPATCH_TYPES_TABLE_H
#define HOTPATCH_TYPES_TABLE_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum type_kind {
    TYPE_VOID,
    TYPE_BASE,
    TYPE_POINTER, /* of C++ a reference too, with `encoding` as the tag */
    TYPE_STRUCT,  /* of C++ a class too */
    TYPE_UNION,
    TYPE_ENUM,
    TYPE_TYPEDEF,
    TYPE_ARRAY,
    TYPE_FUNCTION,
    TYPE_CONST,
    TYPE_VOLATILE,
    TYPE_RESTRICT,
    TYPE_ATOMIC,
    TYPE_OTHER /* nullptr_t, a pointer to a member: compared by tag, name and size */
};

#define TYPE_NO_COUNT UINT64_MAX /* array: no bound, or one that is not a constant */

/* A member, an enumerator, a parameter, a dimension. */
struct type_member {
    const char *name; /* NULL: anonymous; of C++ a base class has its type's name */
    uint32_t type;
    uint32_t bit_size;   /* of a bit field; 0: none */
    uint64_t bit_offset; /* from the start of the structure */
    int64_t value;       /* enumerator; dimension: the number of elements, -1 for TYPE_NO_COUNT */
    unsigned line;
};

struct type_node {
    enum type_kind kind;
    const char *name; /* tag, typedef or base type; C++: with its scopes; NULL: none */
    uint32_t
        target; /* pointer, typedef, qualifier, array's element, function's result, enum's type */
    uint32_t encoding;        /* DW_ATE_*; TYPE_OTHER, TYPE_POINTER: the tag */
    uint64_t size;            /* bytes; 0: not known */
    size_t first, count;      /* members: in type_table.members */
    bool declaration;         /* incomplete */
    bool varargs, prototyped; /* function */
    bool local;               /* declared in a function: its name says nothing in the unit */
    const char *file;
    unsigned line;
    Dwarf_Die die;
};

struct type_table {
    Dwarf *dwarf;
    struct type_node *nodes;
    size_t count, capacity;
    struct type_member *members;
    size_t member_count, member_capacity;
    size_t done;       /* nodes whose content was read */
    uint32_t *slots;   /* hash of DIE offsets: index of a node; 0: free */
    size_t slot_count; /* a power of two */
    char **names;      /* qualified names that were made */
    size_t name_count, name_capacity;
    size_t unit_types; /* the first nodes: [1, unit_types] are the types at the top of the units */
    bool units_read;
};

/* Read all named types at the top of the object's units, and what they lead to. Never fails: what is damaged is void. */
void type_table_read(struct type_table *table, Dwarf *dwarf);
void type_table_free(struct type_table *table);

/* Return the type of a DIE, or that which its DW_AT_type names (also through DW_AT_abstract_origin and
 * DW_AT_specification); 0: void, or none. What it leads to is read. */
uint32_t type_table_of(struct type_table *table, Dwarf_Die *type);
uint32_t type_table_typed(struct type_table *table, Dwarf_Die *die);
/* Return the function type of a DW_TAG_subprogram: its result and its parameters with their names. */
uint32_t type_table_signature(struct type_table *table, Dwarf_Die *subprogram);

/* Return the type without typedefs and qualifiers; `qualifiers` (NULL: not wanted) has a bit (1 << kind) for each that
 * was there. */
uint32_t type_table_peel(const struct type_table *table, uint32_t type, unsigned *qualifiers);

/* Return the bytes of an object of the type; 0: not known. */
uint64_t type_table_size(const struct type_table *table, uint32_t type);

#endif
