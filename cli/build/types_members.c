/*
 * types_members.c - see types_members.h.
 *
 * Members are matched by name; those without a name in their order. In an unchanged list the match is the next one.
 */
#include "cli/build/types_members.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

#define BITS 8
#define NONE SIZE_MAX
#define WORD_MAX 16

/* One comparison of two lists of members. */
struct match {
    struct type_comparison *comparison;
    type_alike *alike;
    struct pair_list *pairs;
    struct member_differences *differences;
    const struct type_node *old, *new;
    size_t *partner; /* of each old member: a new one, counted from its first; NONE */
    bool *taken;     /* of each new member */
};

static const struct type_member *old_member(const struct match *match, size_t i)
{
    return &match->comparison->old_types->members[match->old->first + i];
}

static const struct type_member *new_member(const struct match *match, size_t i)
{
    return &match->comparison->new_types->members[match->new->first + i];
}

static void note(const struct match *match, enum member_change change, size_t old, size_t new)
{
    struct member_differences *differences = match->differences;

    if (!differences)
        return;
    if (differences->count < differences->room)
        differences->list[differences->count] = (struct member_difference){
            change,
            old == NONE ? NONE : match->old->first + old,
            new == NONE ? NONE : match->new->first + new,
        };
    differences->count++;
}

static bool same_member_name(const struct type_member *a, const struct type_member *b)
{
    return a->name == b->name || (a->name && b->name && strcmp(a->name, b->name) == 0);
}

static size_t partner_from(const struct match *match, size_t i, size_t begin, size_t end)
{
    for (size_t k = begin; k < end; k++)
        if (!match->taken[k] && same_member_name(old_member(match, i), new_member(match, k)))
            return k;
    return NONE;
}

static void match_names(struct match *match)
{
    size_t next = 0;

    for (size_t i = 0; i < match->old->count; i++) {
        size_t found = partner_from(match, i, next, match->new->count);

        if (found == NONE)
            found = partner_from(match, i, 0, next);
        match->partner[i] = found;
        if (found == NONE)
            continue;
        match->taken[found] = true;
        next = found + 1;
    }
}

static bool members_alike(struct match *match, size_t old, size_t new)
{
    return match->alike(match->comparison, old_member(match, old)->type,
                        new_member(match, new)->type, match->pairs);
}

static bool same_place(const struct type_member *old, const struct type_member *new)
{
    return old->bit_offset == new->bit_offset && old->bit_size == new->bit_size;
}

static enum type_change worse(enum type_change a, enum type_change b)
{
    return a > b ? a : b;
}

/* ----------------------------------------------------- structures, unions --- */

/* Find the member of another name that took the place of a member that is gone. */
static enum type_change match_renamed(struct match *match, size_t i)
{
    for (size_t k = 0; k < match->new->count; k++)
        if (!match->taken[k] && same_place(old_member(match, i), new_member(match, k)) &&
            new_member(match, k)->type && members_alike(match, i, k)) {
            match->taken[k] = true;
            match->partner[i] = k;
            note(match, MEMBER_RENAMED, i, k);
            return TYPE_RENAMED;
        }
    note(match, MEMBER_GONE, i, NONE);
    return TYPE_CHANGED;
}

static enum type_change compare_matched(struct match *match, size_t i)
{
    size_t k = match->partner[i];

    if (!same_place(old_member(match, i), new_member(match, k)) ||
        old_member(match, i)->value != new_member(match, k)->value) {
        note(match, MEMBER_MOVED, i, k);
        return TYPE_CHANGED;
    }
    if (!members_alike(match, i, k)) {
        note(match, MEMBER_RETYPED, i, k);
        return TYPE_CHANGED;
    }
    return TYPE_SAME;
}

static uint64_t bits_of(const struct type_table *table, const struct type_member *member)
{
    return member->bit_size ? member->bit_size : BITS * type_table_size(table, member->type);
}

/* Return whether an added member lies where no old member does. One without a type is a virtual function. */
static bool lies_in_a_hole(const struct match *match, const struct type_member *added)
{
    uint64_t begin = added->bit_offset;
    uint64_t end = begin + bits_of(match->comparison->new_types, added);

    for (size_t i = 0; i < match->old->count; i++) {
        const struct type_member *member = old_member(match, i);
        uint64_t bits = bits_of(match->comparison->old_types, member);

        if (begin < member->bit_offset + bits && member->bit_offset < end)
            return false;
    }
    return added->type != 0 && end > begin;
}

static enum type_change compare_added(struct match *match)
{
    enum type_change change = TYPE_SAME;

    for (size_t k = 0; k < match->new->count; k++) {
        if (match->taken[k])
            continue;
        note(match, MEMBER_ADDED, NONE, k);
        change =
            worse(change, lies_in_a_hole(match, new_member(match, k)) ? TYPE_GROWN : TYPE_CHANGED);
    }
    return change;
}

static enum type_change compare_members(struct match *match)
{
    enum type_change change = TYPE_SAME;

    match_names(match);
    for (size_t i = 0; i < match->old->count; i++)
        change = worse(change, match->partner[i] == NONE ? match_renamed(match, i)
                                                         : compare_matched(match, i));
    change = worse(change, compare_added(match));
    if (match->new->size < match->old->size ||
        (match->new->size > match->old->size &&change < TYPE_GROWN))
        change = TYPE_CHANGED;
    return change;
}

/* ------------------------------------------------------------------ enums --- */

static bool is_counting_word(const char *word)
{
    static const char *const words[] = {"max",   "num", "count", "last",   "end", "limit",
                                        "total", "nr",  "n",     "number", "size"};

    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* Return whether the name of an enumerator says that it is the number of the others: METRIC_MAX, N_STATES. */
static bool counts_others(const char *name)
{
    char word[WORD_MAX];
    size_t length = 0;

    for (const char *at = name;; at++) {
        if (*at && *at != '_') {
            if (length + 1 < sizeof(word))
                word[length++] = (char)tolower((unsigned char)*at);
            continue;
        }
        word[length] = 0;
        if (length && is_counting_word(word))
            return true;
        length = 0;
        if (!*at)
            return false;
    }
}

/* Return whether the enumerator is the greatest of its enum, before and after. */
static bool is_last(const struct match *match, size_t old, size_t new)
{
    for (size_t i = 0; i < match->old->count; i++)
        if (i != old && old_member(match, i)->value >= old_member(match, old)->value)
            return false;
    for (size_t i = 0; i < match->new->count; i++)
        if (i != new &&new_member(match, i)->value > new_member(match, new)->value)
            return false;
    return true;
}

static enum type_change compare_enumerator(struct match *match, size_t i)
{
    size_t k = match->partner[i];
    const struct type_member *old = old_member(match, i);

    if (k == NONE) {
        note(match, MEMBER_GONE, i, NONE);
        return TYPE_RENAMED;
    }
    if (old->value == new_member(match, k)->value)
        return TYPE_SAME;
    note(match, MEMBER_VALUE, i, k);
    return old->name && counts_others(old->name) && is_last(match, i, k) ? TYPE_COUNTED
                                                                         : TYPE_CHANGED;
}

static enum type_change compare_enumerators(struct match *match)
{
    enum type_change change = match->old->size == match->new->size ? TYPE_SAME : TYPE_CHANGED;

    match_names(match);
    for (size_t i = 0; i < match->old->count; i++)
        change = worse(change, compare_enumerator(match, i));
    return change;
}

/* -------------------------------------------------------------- interface --- */

static enum type_change compare_lists(struct match *match)
{
    enum type_change change;

    match->partner = allocate((match->old->count + 1) * sizeof(*match->partner));
    match->taken = allocate(match->new->count + 1);
    memset(match->taken, 0, match->new->count + 1);
    change = match->old->kind == TYPE_ENUM ? compare_enumerators(match) : compare_members(match);
    free(match->partner);
    free(match->taken);
    return change;
}

enum type_change type_members_compare(struct type_comparison *comparison, uint32_t pair,
                                      type_alike *alike, struct pair_list *pairs,
                                      struct member_differences *differences)
{
    uint32_t old_type = comparison->pairs[pair].old_type,
             new_type = comparison->pairs[pair].new_type;
    struct match match = {
        .comparison = comparison,
        .alike = alike,
        .pairs = pairs,
        .differences = differences,
        .old = &comparison->old_types->nodes[old_type],
        .new = &comparison->new_types->nodes[new_type],
    };

    if (match.old->kind == TYPE_TYPEDEF)
        return alike(comparison, match.old->target, match.new->target, pairs) ? TYPE_SAME
                                                                              : TYPE_CHANGED;
    if (match.old->kind != match.new->kind)
        return TYPE_CHANGED;
    if (match.old->declaration || match.new->declaration)
        return TYPE_SAME; /* this unit does not know what is in it */
    return compare_lists(&match);
}
