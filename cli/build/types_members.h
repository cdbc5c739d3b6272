/*
 * types_members.h - how two structures, unions, enums or typedefs differ by themselves. For types_compare.c.
 */
#ifndef HOTPATCH_TYPES_MEMBERS_H
#define HOTPATCH_TYPES_MEMBERS_H

#include "cli/build/types_pairs.h"

struct member_differences {
    struct member_difference *list;
    size_t room, count; /* `count` may be greater */
};

/* Return whether two types are alike, apart from the pairs that they lead to, which are added to `pairs`. */
typedef bool type_alike(struct type_comparison *comparison, uint32_t old_type, uint32_t new_type,
                        struct pair_list *pairs);

/* Compare a pair by itself. `pairs` receives what it leads to, `differences` how the members differ; NULL: not wanted. */
enum type_change type_members_compare(struct type_comparison *comparison, uint32_t pair,
                                      type_alike *alike, struct pair_list *pairs,
                                      struct member_differences *differences);

#endif
