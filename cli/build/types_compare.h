/*
 * types_compare.h - are the types of an unedited and of an edited object laid out alike?
 *
 * Structures, unions and enums are compared in pairs, each pair once and each by itself: its size, and its members with
 * their names, places and types; what a member leads to is a pair of its own, which is taken for equal here. So recursive
 * types end, the cost is that of the members, and what differs is named where it differs and not wherever it is used. (This is
 * the largest bisimulation: two types are equal unless something that they reach differs.)
 *
 * What counts as equal, although the words differ, and why:
 * - typedefs, const, volatile and restrict: they do not lay out bytes. Code that depends on volatile differs, and what
 *   differs is part of the patch. _Atomic counts: code that still runs may not keep to it.
 * - the word for a base type of the same size and kind (long, long long); an enum and an integer of its size.
 * - a parameter or a result of 4 or 8 bytes that becomes signed or unsigned: the caller passes the same bits.
 * - a pointer to void or to characters for any other pointer to data: the pointer is the same bits, and what it points to is
 *   compared wherever its type is named.
 * - a structure of another tag with the same members at the same places, if the unit before does not have the new tag, and the
 *   unit after not the old one.
 * - enumerators that are added, while those that exist keep their values.
 */
#ifndef HOTPATCH_TYPES_COMPARE_H
#define HOTPATCH_TYPES_COMPARE_H

#include "cli/build/types_pairs.h"

/* Compare all types that both units name at their top. The tables outlive the result, and may grow. */
struct type_comparison *type_comparison_new(struct type_table *old_types,
                                            struct type_table *new_types);
void type_comparison_free(struct type_comparison *comparison); /* NULL is allowed */

/* Return whether two types are alike, apart from the pairs that they lead to, which are added to `pairs` (NULL: not
 * wanted) and compared. */
bool type_comparison_alike(struct type_comparison *comparison, uint32_t old_type, uint32_t new_type,
                           struct pair_list *pairs);
/* Return whether one of the pairs reaches a pair that is TYPE_GROWN or worse. */
bool type_comparison_reaches(struct type_comparison *comparison, const struct pair_list *pairs);

/* Find how the members of a pair differ: at most `room`; return their number, which may be greater. */
size_t type_comparison_members(struct type_comparison *comparison, uint32_t pair,
                               struct member_difference *list, size_t room);

#endif
