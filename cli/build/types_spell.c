/*
 * types_spell.c - see types_spell.h.
 *
 * A declaration grows from its name outwards (C11, 6.7.6): a pointer is put before it, an array or a function after it, with
 * parentheses where a pointer is followed by one of these.
 */
#include "cli/build/types_spell.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

#define DEPTH_MAX \
    32 /* pointers, arrays and functions in one another; more are damaged, or unreadable */

/* Replace the text by a new one; both malloc'd. */
static void become(char **text, char *with)
{
    free(*text);
    *text = with;
}

static const char *tag_word(enum type_kind kind)
{
    switch (kind) {
    case TYPE_STRUCT:
        return "struct ";
    case TYPE_UNION:
        return "union ";
    case TYPE_ENUM:
        return "enum ";
    default:
        return "";
    }
}

/* gcc and clang spell them differently. */
static const char *const base_names[][2] = {
    {"long int", "long"},
    {"short int", "short"},
    {"long unsigned int", "unsigned long"},
    {"short unsigned int", "unsigned short"},
    {"long long int", "long long"},
    {"long long unsigned int", "unsigned long long"},
};

static const char *base_name_of(const struct type_node *node)
{
    for (size_t i = 0;
         node->kind == TYPE_BASE && node->name && i < sizeof(base_names) / sizeof(*base_names); i++)
        if (strcmp(node->name, base_names[i][0]) == 0)
            return base_names[i][1];
    return node->name;
}

/* Return "struct client", "size_t", "struct (a.c:12)". */
static char *named(const struct type_table *table, uint32_t type)
{
    const struct type_node *node = &table->nodes[type];

    if (node->kind == TYPE_VOID)
        return format_text("void");
    if (node->name)
        return format_text("%s%s", tag_word(node->kind), base_name_of(node));
    if (*tag_word(node->kind) && node->line)
        return format_text("%sof line %u", tag_word(node->kind), node->line);
    if (*tag_word(node->kind))
        return format_text("%s{...}", tag_word(node->kind));
    return format_text("(a type without a name)");
}

static const char *qualifier_word(enum type_kind kind)
{
    switch (kind) {
    case TYPE_CONST:
        return "const";
    case TYPE_VOLATILE:
        return "volatile";
    case TYPE_RESTRICT:
        return "restrict";
    case TYPE_ATOMIC:
        return "_Atomic";
    default:
        return NULL;
    }
}

static char *spell_type(const struct type_table *table, uint32_t type, const char *name, int depth);

static char *parameters(const struct type_table *table, const struct type_node *node,
                        bool with_names, int depth)
{
    char *text = format_text("%s", node->count || node->varargs ? ""
                                   : node->prototyped           ? "void"
                                                                : "");

    for (size_t i = 0; i < node->count; i++) {
        const struct type_member *member = &table->members[node->first + i];
        char *one = spell_type(table, member->type, with_names ? member->name : NULL, depth + 1);

        become(&text, format_text("%s%s%s", text, i ? ", " : "", one));
        free(one);
    }
    if (node->varargs)
        become(&text, format_text("%s%s...", text, node->count ? ", " : ""));
    return text;
}

/* Add what follows the name, or stands around it; a pointer before it gets parentheses. */
static void add_suffix(char **declarator, char *suffix)
{
    bool pointer = **declarator == '*';

    become(declarator,
           format_text("%s%s%s%s", pointer ? "(" : "", *declarator, pointer ? ")" : "", suffix));
    free(suffix);
}

static char *dimensions(const struct type_table *table, const struct type_node *node)
{
    char *text = format_text("%s", node->count ? "" : "[]");

    for (size_t i = 0; i < node->count; i++) {
        int64_t count = table->members[node->first + i].value;

        become(&text, count < 0 ? format_text("%s[]", text)
                                : format_text("%s[%llu]", text, (unsigned long long)count));
    }
    return text;
}

/* Wrap one pointer, array, function or qualifier of a pointer around the declarator. Return false where `type` is one of
 * none of these: it stands at the left. */
static bool wrap(const struct type_table *table, uint32_t type, char **declarator, bool with_names,
                 int depth)
{
    const struct type_node *node = &table->nodes[type];
    char *inner;

    switch (node->kind) {
    case TYPE_POINTER:
        become(declarator, format_text("*%s", *declarator));
        return true;
    case TYPE_ARRAY:
        add_suffix(declarator, dimensions(table, node));
        return true;
    case TYPE_FUNCTION:
        inner = parameters(table, node, with_names, depth);
        add_suffix(declarator, format_text("(%s)", inner));
        free(inner);
        return true;
    default:
        return false;
    }
}

static char *spell_around(const struct type_table *table, uint32_t type, char *declarator,
                          bool with_names, int depth)
{
    char *left, *result;

    for (; depth < DEPTH_MAX; depth++) {
        const struct type_node *node = &table->nodes[type];
        const char *word = qualifier_word(node->kind);

        if (word && table->nodes[node->target].kind != TYPE_POINTER)
            break;
        if (word)
            become(&declarator, format_text("%s%s%s", word, *declarator ? " " : "", declarator));
        else if (!wrap(table, type, &declarator, with_names, depth))
            break;
        with_names = false;
        type = node->target;
    }
    left = format_text("%s", "");
    for (const char *word; depth < DEPTH_MAX && (word = qualifier_word(table->nodes[type].kind));
         depth++) {
        become(&left, format_text("%s%s ", left, word));
        type = table->nodes[type].target;
    }
    result = depth >= DEPTH_MAX ? format_text("...") : named(table, type);
    become(&result, format_text("%s%s%s%s", left, result,
                                *declarator && *declarator != '[' ? " " : "", declarator));
    free(left);
    free(declarator);
    return result;
}

static char *spell_type(const struct type_table *table, uint32_t type, const char *name, int depth)
{
    return spell_around(table, type, format_text("%s", name ? name : ""), false, depth);
}

char *type_spell(const struct type_table *table, uint32_t type, const char *name)
{
    return spell_type(table, type, name, 0);
}

char *type_spell_function(const struct type_table *table, uint32_t signature, const char *name)
{
    return spell_around(table, signature, format_text("%s", name ? name : ""), true, 0);
}
