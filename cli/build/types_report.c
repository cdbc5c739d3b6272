/* types_report.c - see types_report.h. */
#include "cli/build/types_report.h"

#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/build/types_compare.h"
#include "cli/build/types_spell.h"
#include "cli/output/output.h"

#define SHOWN_MAX 8
#define BITS 8

/* Add to a malloc'd text. */
static void append_text(char **text, char *more)
{
    char *whole = format_text("%s%s", *text, more);

    free(*text);
    free(more);
    *text = whole;
}

static char *place_text(const struct type_node *node)
{
    if (!node->line)
        return format_text("%s", "");
    return format_text(" (%s:%u)", node->file ? base_name(node->file) : "?", node->line);
}

static char *node_name(const struct type_table *table, uint32_t type)
{
    char *name = type_spell(table, type, NULL), *place = place_text(&table->nodes[type]);
    char *whole = format_text("%s%s", name, place);

    free(name);
    free(place);
    return whole;
}

char *type_pair_name(const struct type_comparison *comparison, uint32_t pair)
{
    return node_name(comparison->old_types, comparison->pairs[pair].old_type);
}

/* Return "int a at 0", "unsigned b:3 at bit 32". */
static char *member_text(const struct type_table *table, size_t index)
{
    const struct type_member *member = &table->members[index];
    char *declaration = type_spell(table, member->type, member->name), *whole;

    if (!member->type)
        whole = format_text("%s, number %lld", member->name ? member->name : "",
                            (long long)member->value);
    else if (member->bit_size)
        whole = format_text("%s:%u at bit %llu", declaration, member->bit_size,
                            (unsigned long long)member->bit_offset);
    else
        whole =
            format_text("%s at %llu", declaration, (unsigned long long)(member->bit_offset / BITS));
    free(declaration);
    return whole;
}

static char *enumerator_text(const struct type_table *table, size_t index)
{
    return format_text("%s = %lld", table->members[index].name ? table->members[index].name : "?",
                       (long long)table->members[index].value);
}

static char *difference_text(struct type_comparison *comparison, uint32_t pair,
                             const struct member_difference *difference)
{
    bool is_enum = comparison->old_types->nodes[comparison->pairs[pair].old_type].kind == TYPE_ENUM;
    char *(*text)(const struct type_table *, size_t) = is_enum ? enumerator_text : member_text;
    char *old = NULL, *new = NULL, *whole;

    if (difference->old_member != SIZE_MAX)
        old = text(comparison->old_types, difference->old_member);
    if (difference->new_member != SIZE_MAX)
        new = text(comparison->new_types, difference->new_member);
    if (old && new)
        whole = format_text("; %s became %s", old, new);
    else if (new)
        whole = format_text("; %s is new", new);
    else
        whole = format_text("; %s is gone", old ? old : "");
    free(old);
    free(new);
    return whole;
}

static char *size_text(const struct type_comparison *comparison, uint32_t pair)
{
    const struct type_pair *it = &comparison->pairs[pair];
    uint64_t old = type_table_size(comparison->old_types, it->old_type);
    uint64_t new = type_table_size(comparison->new_types, it->new_type);

    if (old == new)
        return format_text("%llu bytes as before", (unsigned long long)old);
    return format_text("%llu bytes became %llu", (unsigned long long)old, (unsigned long long)new);
}

static char *target_text(const struct type_comparison *comparison, uint32_t pair)
{
    const struct type_pair *it = &comparison->pairs[pair];
    char *old =
        type_spell(comparison->old_types, comparison->old_types->nodes[it->old_type].target, NULL);
    char *new =
        type_spell(comparison->new_types, comparison->new_types->nodes[it->new_type].target, NULL);
    char *whole = format_text("%s became %s", old, new);

    free(old);
    free(new);
    return whole;
}

static bool same_type_name(const struct type_node *old, const struct type_node *new)
{
    if (old->kind != new->kind)
        return false;
    return old->name == new->name || (old->name && new->name &&strcmp(old->name, new->name) == 0);
}

/* Return "has another layout", or "became struct other (b.h:4)" where the name differs. */
static char *verb_text(const struct type_comparison *comparison, uint32_t pair)
{
    const struct type_pair *it = &comparison->pairs[pair];
    char *name, *whole;

    if (same_type_name(&comparison->old_types->nodes[it->old_type],
                       &comparison->new_types->nodes[it->new_type]))
        return format_text("%s", it->change <= TYPE_RENAMED   ? "has the same layout in other words"
                                 : it->change == TYPE_COUNTED ? "has other values"
                                                              : "has another layout");
    name = node_name(comparison->new_types, it->new_type);
    whole = format_text("became %s", name);
    free(name);
    return whole;
}

char *type_pair_text(struct type_comparison *comparison, uint32_t pair)
{
    struct member_difference list[SHOWN_MAX];
    char *name = type_pair_name(comparison, pair), *verb = verb_text(comparison, pair);
    bool is_typedef =
        comparison->old_types->nodes[comparison->pairs[pair].old_type].kind == TYPE_TYPEDEF;
    char *text = format_text("%s %s: ", name, verb);
    size_t count = type_comparison_members(comparison, pair, list, SHOWN_MAX);

    free(name);
    free(verb);
    append_text(&text, is_typedef ? target_text(comparison, pair) : size_text(comparison, pair));
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++)
        append_text(&text, difference_text(comparison, pair, &list[i]));
    if (count > SHOWN_MAX)
        append_text(&text, format_text("; and %zu more", count - SHOWN_MAX));
    return text;
}
