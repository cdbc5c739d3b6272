/* types_compare.c - see types_compare.h. */
#include "cli/build/types_compare.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/types_members.h"
#include "cli/output/output.h"

#define DEPTH_MAX 64      /* pointers, arrays and functions in one another */
#define STEPS_MAX 1000000 /* of one comparison: only damaged debug information needs more */

/* ---------------------------------------------------------------- pairs --- */

static size_t pair_slot(const struct type_comparison *comparison, uint32_t old_type,
                        uint32_t new_type)
{
    uint64_t hash = ((uint64_t)old_type << 32 | new_type) * UINT64_C(0x9e3779b97f4a7c15);
    size_t slot = (size_t)(hash >> 32) & (comparison->slot_count - 1);

    for (;; slot = (slot + 1) & (comparison->slot_count - 1)) {
        const struct type_pair *pair = &comparison->pairs[comparison->slots[slot]];

        if (!comparison->slots[slot] || (pair->old_type == old_type && pair->new_type == new_type))
            return slot;
    }
}

static void grow_slots(struct type_comparison *comparison)
{
    free(comparison->slots);
    comparison->slot_count = comparison->slot_count ? 2 * comparison->slot_count : 1024;
    comparison->slots = allocate(comparison->slot_count * sizeof(*comparison->slots));
    memset(comparison->slots, 0, comparison->slot_count * sizeof(*comparison->slots));
    for (size_t i = 1; i < comparison->count; i++)
        comparison->slots[pair_slot(comparison, comparison->pairs[i].old_type,
                                    comparison->pairs[i].new_type)] = (uint32_t)i;
}

static void append_pair(struct type_comparison *comparison, uint32_t old_type, uint32_t new_type)
{
    if (comparison->count == comparison->capacity) {
        comparison->capacity = comparison->capacity ? 2 * comparison->capacity : 256;
        comparison->pairs =
            reallocate(comparison->pairs, comparison->capacity * sizeof(*comparison->pairs));
    }
    comparison->pairs[comparison->count++] =
        (struct type_pair){.old_type = old_type, .new_type = new_type};
}

static uint32_t find_or_add_pair(struct type_comparison *comparison, uint32_t old_type,
                                 uint32_t new_type)
{
    size_t slot;

    if (2 * (comparison->count + 1) >= comparison->slot_count)
        grow_slots(comparison);
    slot = pair_slot(comparison, old_type, new_type);
    if (!comparison->slots[slot]) {
        append_pair(comparison, old_type, new_type);
        comparison->slots[slot] = (uint32_t)(comparison->count - 1);
    }
    return comparison->slots[slot];
}

static void list_pair(struct pair_list *pairs, uint32_t pair)
{
    if (!pairs)
        return;
    if (pairs->count == pairs->capacity) {
        pairs->capacity = pairs->capacity ? 2 * pairs->capacity : 16;
        pairs->list = reallocate(pairs->list, pairs->capacity * sizeof(*pairs->list));
    }
    pairs->list[pairs->count++] = pair;
}

/* ---------------------------------------------------------------- alike --- */

/* What is known of the way to a type. */
struct way {
    struct pair_list *pairs;
    int depth;
    bool passed; /* as an argument or a result of a call */
};

static bool alike(struct type_comparison *comparison, uint32_t old_type, uint32_t new_type,
                  struct way way);

static bool is_character(const struct type_node *node)
{
    return node->kind == TYPE_BASE && node->size == 1 && node->encoding != DW_ATE_boolean;
}

static bool is_signed(const struct type_node *node)
{
    return node->encoding == DW_ATE_signed || node->encoding == DW_ATE_signed_char;
}

static bool is_integer(const struct type_node *node)
{
    return is_signed(node) || node->encoding == DW_ATE_unsigned ||
           node->encoding == DW_ATE_unsigned_char || node->encoding == DW_ATE_UTF;
}

/* Each value of a _Bool in memory is one of a byte that stands for the same; a caller may rely on 0 or 1 in a result. The psABI
 * passes signed and unsigned integers of a register's width as the same bits; narrower ones are extended by their sign. */
static bool bases_alike(const struct type_node *old, const struct type_node *new, bool passed)
{
    if (old->size != new->size)
        return false;
    if (old->encoding == DW_ATE_boolean && is_integer(new) && new->size == 1)
        return !passed;
    if (is_integer(old) && is_integer(new))
        return is_signed(old) == is_signed(new) || (passed && new->size >= sizeof(int));
    return old->encoding == new->encoding;
}

static bool enum_and_integer(const struct type_node *old, const struct type_node *new)
{
    const struct type_node *base = old->kind == TYPE_BASE ? old : new;
    const struct type_node *other = old->kind == TYPE_BASE ? new : old;

    return base->kind == TYPE_BASE && other->kind == TYPE_ENUM && is_integer(base) &&
           base->size == other->size;
}

/* A pointer to void, or to characters, may stand for one to anything but a function. */
static bool targets_alike(struct type_comparison *comparison, const struct type_node *old,
                          const struct type_node *new, struct way way)
{
    uint32_t old_target = type_table_peel(comparison->old_types, old->target, NULL);
    uint32_t new_target = type_table_peel(comparison->new_types, new->target, NULL);
    const struct type_node *old_node = &comparison->old_types->nodes[old_target];
    const struct type_node *new_node = &comparison->new_types->nodes[new_target];
    bool any = old_node->kind == TYPE_VOID || new_node->kind == TYPE_VOID ||
               is_character(old_node) || is_character(new_node);

    if (old->encoding != new->encoding)
        return false;
    if (any)
        return old_node->kind != TYPE_FUNCTION && new_node->kind != TYPE_FUNCTION;
    way.passed = false;
    return alike(comparison, old->target, new->target, way);
}

static bool dimensions_alike(const struct type_comparison *comparison, const struct type_node *old,
                             const struct type_node *new)
{
    const struct type_member *left = &comparison->old_types->members[old->first];
    const struct type_member *right = &comparison->new_types->members[new->first];

    if (old->count != new->count)
        return false;
    for (size_t i = 0; i < old->count; i++)
        if ((left[i].value > 0 ? left[i].value : 0) != (right[i].value > 0 ? right[i].value : 0))
            return false;
    return true;
}

static bool parameters_alike(struct type_comparison *comparison, const struct type_node *old,
                             const struct type_node *new, struct way way)
{
    size_t count = old->count, left = old->first, right = new->first;
    uint32_t old_result = old->target, new_result = new->target;

    way.passed = true;
    if (!old->prototyped != !new->prototyped && (!old->count || !new->count))
        return alike(comparison, old_result, new_result, way); /* f() says nothing of parameters */
    if (old->count != new->count || old->varargs != new->varargs)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!alike(comparison, comparison->old_types->members[left + i].type,
                   comparison->new_types->members[right + i].type, way))
            return false;
    return alike(comparison, old_result, new_result, way);
}

static bool nodes_alike(struct type_comparison *comparison, const struct type_node *old,
                        const struct type_node *new, struct way way)
{
    switch (old->kind) {
    case TYPE_VOID:
        return true;
    case TYPE_BASE:
        return bases_alike(old, new, way.passed);
    case TYPE_POINTER:
        return targets_alike(comparison, old, new, way);
    case TYPE_ARRAY:
        return dimensions_alike(comparison, old, new) &&
               alike(comparison, old->target, new->target, way);
    case TYPE_FUNCTION:
        return parameters_alike(comparison, old, new, way);
    default:
        return old->encoding == new->encoding && old->size == new->size &&
               (old->name == new->name ||
                (old->name && new->name &&strcmp(old->name, new->name) == 0));
    }
}

static int compare_tags(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_tag(const char **tags, size_t count, const char *name)
{
    return count && bsearch(&name, tags, count, sizeof(*tags), compare_tags) != NULL;
}

/* Return whether two types of different names are not one that was renamed: one of the names is in both units. */
static bool other_type(const struct type_comparison *comparison, const struct type_node *old,
                       const struct type_node *new)
{
    return old->name && new->name &&strcmp(old->name, new->name) != 0 &&
           (has_tag(comparison->new_tags, comparison->new_tag_count, old->name) ||
            has_tag(comparison->old_tags, comparison->old_tag_count, new->name));
}

static bool alike(struct type_comparison *comparison, uint32_t old_type, uint32_t new_type,
                  struct way way)
{
    unsigned old_qualifiers, new_qualifiers;
    uint32_t old_peeled = type_table_peel(comparison->old_types, old_type, &old_qualifiers);
    uint32_t new_peeled = type_table_peel(comparison->new_types, new_type, &new_qualifiers);
    const struct type_node *old = &comparison->old_types->nodes[old_peeled];
    const struct type_node *new = &comparison->new_types->nodes[new_peeled];

    if (++way.depth > DEPTH_MAX || ++comparison->steps > STEPS_MAX ||
        ((old_qualifiers ^ new_qualifiers) & (1u << TYPE_ATOMIC)))
        return false;
    if (old->kind != new->kind)
        return enum_and_integer(old, new);
    if (old->kind != TYPE_STRUCT && old->kind != TYPE_UNION && old->kind != TYPE_ENUM)
        return nodes_alike(comparison, old, new, way);
    if (other_type(comparison, old, new))
        return false;
    list_pair(way.pairs, find_or_add_pair(comparison, old_peeled, new_peeled));
    return true;
}

/* ------------------------------------------------------------- contents --- */

static bool content_alike(struct type_comparison *comparison, uint32_t old_type, uint32_t new_type,
                          struct pair_list *pairs)
{
    return alike(comparison, old_type, new_type, (struct way){.pairs = pairs});
}

static void compare_pair(struct type_comparison *comparison, uint32_t index)
{
    struct pair_list pairs = {0};
    enum type_change change = type_members_compare(comparison, index, content_alike, &pairs, NULL);
    struct type_pair *pair = &comparison->pairs[index];

    if (comparison->edge_count + pairs.count > comparison->edge_capacity) {
        comparison->edge_capacity = 2 * (comparison->edge_count + pairs.count);
        comparison->edges =
            reallocate(comparison->edges, comparison->edge_capacity * sizeof(*comparison->edges));
    }
    if (pairs.count)
        memcpy(comparison->edges + comparison->edge_count, pairs.list,
               pairs.count * sizeof(*pairs.list));
    pair->change = change;
    pair->first = comparison->edge_count;
    pair->count = pairs.count;
    comparison->edge_count += pairs.count;
    free(pairs.list);
}

static void compare_queue(struct type_comparison *comparison)
{
    for (; comparison->done < comparison->count; comparison->done++)
        compare_pair(comparison, (uint32_t)comparison->done);
}

/* Find which pairs lead to a change. A round costs all edges, and the rounds are as many as the longest way is long: few. */
static void mark_reaching(struct type_comparison *comparison)
{
    bool again = comparison->marked != comparison->count;

    comparison->marked = comparison->count;
    for (size_t i = 1; again && i < comparison->count; i++)
        comparison->pairs[i].reaches = comparison->pairs[i].change >= TYPE_GROWN;
    while (again) {
        again = false;
        for (size_t i = comparison->count; i-- > 1;) {
            struct type_pair *pair = &comparison->pairs[i];

            for (size_t k = 0; k < pair->count && !pair->reaches; k++)
                if (comparison->pairs[comparison->edges[pair->first + k]].reaches)
                    pair->reaches = again = true;
        }
    }
}

/* ------------------------------------------------------------ interface --- */

static bool is_tagged(const struct type_node *node)
{
    return node->kind == TYPE_STRUCT || node->kind == TYPE_UNION || node->kind == TYPE_ENUM;
}

static int compare_type_names(const struct type_node *left, const struct type_node *right)
{
    int order = strcmp(left->name, right->name);

    if (order != 0)
        return order;
    if ((left->kind == TYPE_TYPEDEF) != (right->kind == TYPE_TYPEDEF))
        return left->kind == TYPE_TYPEDEF ? 1 : -1;
    return 0;
}

/* By name, and complete types before declarations. */
static int compare_roots(const void *a, const void *b)
{
    const struct type_node *left = *(const struct type_node *const *)a;
    const struct type_node *right = *(const struct type_node *const *)b;
    int order = compare_type_names(left, right);

    if (order == 0)
        order = left->declaration - right->declaration;
    return order ? order : (left > right) - (left < right);
}

/* Return the named types at the top of the units, sorted, each name once. */
static const struct type_node **sorted_roots(const struct type_table *table, size_t *count)
{
    const struct type_node **list = allocate((table->unit_types + 1) * sizeof(*list));
    size_t kept = 0, found = 0;

    for (size_t i = 1; i <= table->unit_types; i++)
        if (table->nodes[i].name &&
            (is_tagged(&table->nodes[i]) || table->nodes[i].kind == TYPE_TYPEDEF))
            list[found++] = &table->nodes[i];
    qsort(list, found, sizeof(*list), compare_roots);
    for (size_t i = 0; i < found; i++)
        if (kept == 0 || compare_type_names(list[kept - 1], list[i]) != 0)
            list[kept++] = list[i];
    *count = kept;
    return list;
}

static void add_both(struct type_comparison *comparison, const struct type_node *old,
                     const struct type_node *new)
{
    uint32_t old_type = (uint32_t)(old - comparison->old_types->nodes);
    uint32_t new_type = (uint32_t)(new - comparison->new_types->nodes);

    if (old->kind == TYPE_TYPEDEF || (is_tagged(old) && is_tagged(new)))
        find_or_add_pair(comparison, old_type, new_type);
}

static const char **tags_of(const struct type_node **roots, size_t count, size_t *out)
{
    const char **tags = allocate((count + 1) * sizeof(*tags));

    *out = 0;
    for (size_t i = 0; i < count; i++)
        if (is_tagged(roots[i]))
            tags[(*out)++] = roots[i]->name;
    return tags;
}

static void add_roots(struct type_comparison *comparison)
{
    size_t old_count, new_count, i = 0, k = 0;
    const struct type_node **old = sorted_roots(comparison->old_types, &old_count);
    const struct type_node **new = sorted_roots(comparison->new_types, &new_count);

    comparison->old_tags = tags_of(old, old_count, &comparison->old_tag_count);
    comparison->new_tags = tags_of(new, new_count, &comparison->new_tag_count);
    while (i < old_count && k < new_count) {
        int order = compare_type_names(old[i], new[k]);

        if (order == 0)
            add_both(comparison, old[i], new[k]);
        i += order <= 0;
        k += order >= 0;
    }
    free(old);
    free(new);
}

struct type_comparison *type_comparison_new(struct type_table *old_types,
                                            struct type_table *new_types)
{
    struct type_comparison *comparison = allocate(sizeof(*comparison));

    *comparison = (struct type_comparison){.old_types = old_types, .new_types = new_types};
    append_pair(comparison, 0, 0); /* index 0 is no pair */
    comparison->done = 1;
    add_roots(comparison);
    compare_queue(comparison);
    return comparison;
}

void type_comparison_free(struct type_comparison *comparison)
{
    if (!comparison)
        return;
    free(comparison->pairs);
    free(comparison->edges);
    free(comparison->slots);
    free(comparison->old_tags);
    free(comparison->new_tags);
    free(comparison);
}

bool type_comparison_alike(struct type_comparison *comparison, uint32_t old_type, uint32_t new_type,
                           struct pair_list *pairs)
{
    bool result;

    comparison->steps = 0;
    result = alike(comparison, old_type, new_type, (struct way){.pairs = pairs});
    compare_queue(comparison);
    return result;
}

bool type_comparison_reaches(struct type_comparison *comparison, const struct pair_list *pairs)
{
    mark_reaching(comparison);
    for (size_t i = 0; i < pairs->count; i++)
        if (comparison->pairs[pairs->list[i]].reaches)
            return true;
    return false;
}

size_t type_comparison_members(struct type_comparison *comparison, uint32_t pair,
                               struct member_difference *list, size_t room)
{
    struct member_differences found = {.list = list, .room = room};

    comparison->steps = 0;
    type_members_compare(comparison, pair, content_alike, NULL, &found);
    compare_queue(comparison);
    return found.count;
}
