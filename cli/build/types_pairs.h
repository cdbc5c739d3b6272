/*
 * types_pairs.h - pairs of types, one of an unedited object and one of the edited, as types_compare.h compares them.
 */
#ifndef HOTPATCH_TYPES_PAIRS_H
#define HOTPATCH_TYPES_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/build/types_table.h"

/* How the newer of a pair differs from the older, by itself. The greater the worse. */
enum type_change {
    TYPE_SAME,
    TYPE_RENAMED, /* only names of members differ: a note */
    TYPE_COUNTED, /* enum: enumerators were added, and only the last of the old ones, by its name their number, moved */
    TYPE_GROWN,   /* members were added where none was, all others are where they were */
    TYPE_CHANGED
};

enum member_change {
    MEMBER_ADDED,
    MEMBER_GONE,
    MEMBER_RENAMED,
    MEMBER_MOVED, /* another place or another number of bits */
    MEMBER_RETYPED,
    MEMBER_VALUE /* enumerator */
};

struct member_difference {
    enum member_change change;
    size_t old_member, new_member; /* in type_table.members; SIZE_MAX: none */
};

struct type_pair {
    uint32_t old_type, new_type;
    enum type_change change;
    size_t first, count; /* of what it leads to: in type_comparison.edges */
    bool reaches;        /* it, or a pair that it leads to, is TYPE_GROWN or worse */
};

struct type_comparison {
    struct type_table *old_types, *new_types;
    struct type_pair *pairs;
    size_t count, capacity, done;
    uint32_t *edges; /* pairs */
    size_t edge_count, edge_capacity;
    uint32_t *slots;
    size_t slot_count;
    const char **old_tags, **new_tags; /* names of structures, unions and enums, sorted */
    size_t old_tag_count, new_tag_count;
    size_t marked;  /* pairs when `reaches` was last found */
    unsigned steps; /* of one question */
};

/* Pairs that a type leads to. */
struct pair_list {
    uint32_t *list;
    size_t count, capacity;
};

#endif
