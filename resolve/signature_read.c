/*
 * signature_read.c - a reader of C declarations (C11, 6.7.6 "Declarators" and 6.7.7 "Type names"), as
 * far as function signatures need it.
 *
 * The text comes from a file, so it may be anything: nodes and depth are bounded, and what
 * does not parse is compared as text.
 */
#include "resolve/signature_read.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NODE_MAX = 1024, DEPTH_MAX = 64 };

struct parser {
    const char *at;
    struct node *nodes;
    size_t used, room;
    int depth;
    bool failed;
};

/* ---- tokens ---- */

static bool is_token_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static void skip_space(struct parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
}

static char peek(struct parser *p)
{
    skip_space(p);
    return *p->at;
}

static bool accept(struct parser *p, const char *punctuation)
{
    skip_space(p);
    if (strncmp(p->at, punctuation, strlen(punctuation)) != 0)
        return false;
    p->at += strlen(punctuation);
    return true;
}

/* Step over a bracketed group; `at` is on its opening bracket. */
static void skip_group(struct parser *p)
{
    int open = 0;

    do {
        if (*p->at == '(' || *p->at == '[' || *p->at == '<')
            open++;
        else if (*p->at == ')' || *p->at == ']' || *p->at == '>')
            open--;
        else if (*p->at == '\0') {
            p->failed = true;
            return;
        }
        p->at++;
    } while (open > 0);
}

/* Read a word with its C++ qualification and template arguments; empty where there is none. */
static struct token read_word(struct parser *p)
{
    struct token word;

    skip_space(p);
    word.text = p->at;
    for (;;) {
        if (is_token_word(*p->at))
            p->at++;
        else if (p->at > word.text && p->at[0] == ':' && p->at[1] == ':')
            p->at += 2;
        else if (p->at > word.text && *p->at == '<')
            skip_group(p);
        else
            break;
        if (p->failed)
            break;
    }
    word.length = (size_t)(p->at - word.text);
    return word;
}

bool token_is(struct token token, const char *text)
{
    return token.length == strlen(text) && memcmp(token.text, text, token.length) == 0;
}

static bool token_is_one_of(struct token token, const char *const *words)
{
    for (; *words; words++)
        if (token_is(token, *words))
            return true;
    return false;
}

static unsigned qualifier_of(struct token word)
{
    static const char *const constants[] = {"const", "__const", "__const__", NULL};
    static const char *const volatiles[] = {"volatile", "__volatile", "__volatile__", NULL};
    static const char *const restricts[] = {"restrict", "__restrict", "__restrict__", NULL};

    if (token_is_one_of(word, constants))
        return QUALIFIER_CONST;
    if (token_is_one_of(word, volatiles))
        return QUALIFIER_VOLATILE;
    if (token_is_one_of(word, restricts))
        return QUALIFIER_RESTRICT;
    return token_is(word, "_Atomic") ? QUALIFIER_ATOMIC : 0;
}

static bool is_ignored(struct token word)
{
    static const char *const words[] = {"register",      "extern",    "static",
                                        "inline",        "__inline",  "__inline__",
                                        "__extension__", "_Noreturn", NULL};

    return token_is_one_of(word, words);
}

static bool skip_attribute(struct parser *p, struct token word)
{
    static const char *const words[] = {"__attribute__", "__attribute", "_Alignas", "alignas",
                                        NULL};

    if (!token_is_one_of(word, words))
        return false;
    if (peek(p) == '(')
        skip_group(p);
    return true;
}

/* ---- specifiers ---- */

struct specifiers {
    unsigned qualifiers;
    unsigned longs, is_unsigned, is_signed, is_short, is_int, is_char, is_double, is_complex;
    struct token name; /* any other type word or typedef */
    char tag[8];       /* "struct", "union", "enum" */
    bool any;
};

static bool take_builtin(struct specifiers *s, struct token word)
{
    static const char *const signeds[] = {"signed", "__signed", "__signed__", NULL};
    static const char *const complexes[] = {"_Complex", "__complex__", NULL};

    if (token_is(word, "long"))
        s->longs++;
    else if (token_is(word, "unsigned"))
        s->is_unsigned = 1;
    else if (token_is_one_of(word, signeds))
        s->is_signed = 1;
    else if (token_is(word, "short"))
        s->is_short = 1;
    else if (token_is(word, "int"))
        s->is_int = 1;
    else if (token_is(word, "char"))
        s->is_char = 1;
    else if (token_is(word, "double"))
        s->is_double = 1;
    else if (token_is_one_of(word, complexes))
        s->is_complex = 1;
    else
        return false;
    s->any = true;
    return true;
}

/* Type words that stand alone or beside signedness, so that a name after them is a name. */
static bool take_plain(struct specifiers *s, struct token word)
{
    static const char *const words[] = {"void",       "float",     "bool",
                                        "_Bool",      "__int128",  "__int128_t",
                                        "__float128", "_Float128", NULL};

    if (!token_is_one_of(word, words))
        return false;
    s->name = token_is(word, "bool") ? (struct token){"_Bool", 5} : word;
    s->any = true;
    return true;
}

static bool take_tagged(struct parser *p, struct specifiers *s, struct token word)
{
    static const char *const words[] = {"struct", "union", "enum", "class", NULL};

    if (!token_is_one_of(word, words))
        return false;
    snprintf(s->tag, sizeof(s->tag), "%.*s", (int)word.length, word.text);
    s->name = read_word(p);
    s->any = true;
    if (s->name.length == 0)
        p->failed = true;
    return true;
}

static bool take_typeof(struct parser *p, struct specifiers *s, struct token word)
{
    static const char *const words[] = {"typeof", "__typeof__", "__typeof", "decltype", NULL};

    if (!token_is_one_of(word, words) || s->any)
        return false;
    if (peek(p) == '(')
        skip_group(p);
    s->name = (struct token){word.text, (size_t)(p->at - word.text)};
    s->any = true;
    return true;
}

static struct specifiers read_specifiers(struct parser *p)
{
    struct specifiers s = {0};

    while (!p->failed) {
        const char *before = (skip_space(p), p->at);
        struct token word = read_word(p);
        unsigned qualifier = qualifier_of(word);

        if (word.length == 0)
            break;
        if (qualifier)
            s.qualifiers |= qualifier;
        else if (is_ignored(word) || skip_attribute(p, word) || take_builtin(&s, word) ||
                 take_plain(&s, word) || take_tagged(p, &s, word) || take_typeof(p, &s, word))
            continue;
        else if (!s.any) {
            s.name = word; /* a typedef */
            s.any = true;
        } else {
            p->at = before; /* the declared name */
            break;
        }
    }
    if (!s.any)
        p->failed = true;
    return s;
}

static void name_builtin(const struct specifiers *s, char *text, size_t size)
{
    const char *sign = s->is_unsigned ? "unsigned " : s->is_signed && s->is_char ? "signed " : "";
    const char *width = s->is_short     ? "short"
                        : s->longs == 1 ? "long"
                        : s->longs      ? "long long"
                                        : "";

    if (s->is_char)
        snprintf(text, size, "%schar", sign);
    else if (s->is_double || s->is_complex)
        snprintf(text, size, "%s%s%s", s->is_complex ? "_Complex " : "", s->longs ? "long " : "",
                 "double");
    else
        snprintf(text, size, "%s%s", sign, *width ? width : "int");
}

/* ---- nodes ---- */

static struct node *new_node(struct parser *p, enum node_kind kind, struct node *inner)
{
    static struct node nowhere; /* never read once `failed` is set */

    if (p->used == p->room) {
        p->failed = true;
        return &nowhere;
    }
    p->nodes[p->used] = (struct node){.kind = kind, .inner = inner};
    return &p->nodes[p->used++];
}

static struct node *base_node(struct parser *p, const struct specifiers *s)
{
    struct node *node = new_node(p, NODE_BASE, NULL);

    if (p->failed)
        return node;
    node->qualifiers = s->qualifiers;
    node->whole = s->name;
    if (s->name.length == 0)
        name_builtin(s, node->text, sizeof(node->text));
    else
        snprintf(node->text, sizeof(node->text), "%s%s%s%s", s->is_unsigned ? "unsigned " : "",
                 s->is_complex ? "_Complex " : "", s->tag, *s->tag ? " " : "");
    return node;
}

/* ---- declarators ---- */

static struct node *read_declaration(struct parser *p);
static struct node *read_declarator(struct parser *p, struct node *type);

/* C11, 6.7.6.3: a parameter's array and function types become pointers, its own
 * qualifiers do not belong to the function's type. */
static struct node *adjust_parameter(struct parser *p, struct node *type)
{
    if (p->failed)
        return type;
    if (type->kind == NODE_ARRAY)
        type = new_node(p, NODE_POINTER, type->inner);
    else if (type->kind == NODE_FUNCTION)
        type = new_node(p, NODE_POINTER, type);
    type->qualifiers = 0;
    return type;
}

static bool is_plain_void(const struct node *node)
{
    return node->kind == NODE_BASE && token_is(node->whole, "void");
}

static void read_parameters(struct parser *p, struct node *function)
{
    struct node **last = &function->parameters;

    if (accept(p, ")"))
        return;
    do {
        if (accept(p, "...")) {
            function->variadic = true;
            break;
        }
        *last = adjust_parameter(p, read_declaration(p));
        if (p->failed)
            return;
        last = &(*last)->next;
    } while (accept(p, ","));
    if (!accept(p, ")"))
        p->failed = true;
    if (!p->failed && function->parameters && !function->parameters->next && !function->variadic &&
        is_plain_void(function->parameters))
        function->parameters = NULL;
}

static void read_bound(struct parser *p, struct node *array)
{
    size_t length = 0;

    while (peek(p) != ']' && !p->failed) {
        struct token word = read_word(p);

        if (word.length == 0) { /* an operator of a constant expression */
            word = (struct token){p->at, 1};
            if (*p->at == '\0' || *p->at == '[') {
                p->failed = true;
                return;
            }
            p->at++;
        }
        if (qualifier_of(word) || token_is(word, "static"))
            continue;
        if (length + word.length >= sizeof(array->text)) {
            p->failed = true;
            return;
        }
        memcpy(array->text + length, word.text, word.length);
        length += word.length;
    }
    p->at++;
}

/* Suffixes bind from the left: T x[2][3] is an array of 2 arrays of 3. */
static struct node *read_suffixes(struct parser *p, struct node *type)
{
    struct node *node;

    if (p->failed || ++p->depth > DEPTH_MAX) {
        p->failed = true;
        return type;
    }
    if (accept(p, "[")) {
        node = new_node(p, NODE_ARRAY, NULL);
        read_bound(p, node);
        node->inner = read_suffixes(p, type);
        type = node;
    } else if (accept(p, "(")) {
        node = new_node(p, NODE_FUNCTION, NULL);
        if (!p->failed)
            read_parameters(p, node);
        node->inner = read_suffixes(p, type);
        node->inner->qualifiers = 0; /* of a returned value: without meaning */
        type = node;
    }
    p->depth--;
    return type;
}

/* An opening bracket groups when a declarator follows it, else it begins parameters. */
static bool at_group(struct parser *p)
{
    const char *c;

    if (peek(p) != '(')
        return false;
    c = p->at + 1;
    while (isspace((unsigned char)*c))
        c++;
    return *c == '*' || *c == '&' || *c == '^' || *c == '(';
}

static struct node *read_group(struct parser *p, struct node *type)
{
    const char *inside = p->at + 1;
    const char *after;

    skip_group(p);
    type = read_suffixes(p, type);
    after = p->at;
    p->at = inside;
    type = read_declarator(p, type);
    if (!accept(p, ")"))
        p->failed = true;
    if (!p->failed)
        p->at = after;
    return type;
}

static struct node *read_pointers(struct parser *p, struct node *type)
{
    while (!p->failed) {
        if (accept(p, "*") || accept(p, "^")) {
            type = new_node(p, NODE_POINTER, type);
        } else if (peek(p) == '&') {
            bool rvalue = accept(p, "&&") || !accept(p, "&");

            type = new_node(p, NODE_REFERENCE, type);
            type->variadic = rvalue;
        } else {
            const char *before = p->at;
            struct token word = read_word(p);
            unsigned qualifier = qualifier_of(word);

            if (word.length > 0 && qualifier) {
                type->qualifiers |= qualifier;
            } else if (word.length == 0 || !skip_attribute(p, word)) {
                p->at = before;
                break;
            }
        }
    }
    return type;
}

static struct node *read_declarator(struct parser *p, struct node *type)
{
    if (p->failed || ++p->depth > DEPTH_MAX) {
        p->failed = true;
        return type;
    }
    type = read_pointers(p, type);
    if (at_group(p)) {
        type = read_group(p, type);
    } else {
        read_word(p); /* the name, if any */
        type = read_suffixes(p, type);
    }
    p->depth--;
    return type;
}

static struct node *read_declaration(struct parser *p)
{
    struct specifiers s = read_specifiers(p);

    return read_declarator(p, base_node(p, &s));
}

/* ---- the whole ---- */

int signature_read(const char *text, struct signature_tree *out)
{
    struct parser p = {.at = text};
    size_t length = strlen(text);

    if (length >= SIGNATURE_TEXT_MAX)
        return 1;
    /* Each letter makes two at most; there are patches of ten thousand signatures. */
    p.room = 2 * length + 8 < NODE_MAX ? 2 * length + 8 : NODE_MAX;
    p.nodes = malloc(p.room * sizeof(*p.nodes));
    if (!p.nodes)
        return -1;
    out->type = read_declaration(&p);
    out->nodes = p.nodes;
    if (!p.failed && peek(&p) == '\0')
        return 0;
    free(p.nodes);
    return 1;
}

void signature_tree_free(struct signature_tree *tree)
{
    free(tree->nodes);
}
