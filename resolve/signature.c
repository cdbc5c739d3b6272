/* signature.c - see signature.h. */
#include "resolve/signature.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolve/signature_read.h"

static bool is_type_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '$';
}

struct writer {
    char *text;
    size_t size, length;
    bool failed;
};

__attribute__((format(printf, 2, 3))) static void write_text(struct writer *w, const char *format,
                                                             ...)
{
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(w->text + w->length, w->size - w->length, format, arguments);
    va_end(arguments);
    if (n < 0 || (size_t)n >= w->size - w->length)
        w->failed = true;
    else
        w->length += (size_t)n;
}

static void put_spelling(struct writer *w, struct token token)
{
    for (size_t i = 0; i < token.length; i++)
        if (!isspace((unsigned char)token.text[i]))
            write_text(w, "%c", token.text[i]);
}

static void put_qualifiers(struct writer *w, unsigned qualifiers)
{
    if (qualifiers & QUALIFIER_CONST)
        write_text(w, "const ");
    if (qualifiers & QUALIFIER_VOLATILE)
        write_text(w, "volatile ");
    if (qualifiers & QUALIFIER_ATOMIC)
        write_text(w, "_Atomic ");
    /* restrict says nothing about the calling convention */
}

static void put_type(struct writer *w, const struct node *node)
{
    put_qualifiers(w, node->qualifiers);
    switch (node->kind) {
    case NODE_BASE:
        write_text(w, "%s", node->text);
        put_spelling(w, node->whole);
        return;
    case NODE_POINTER:
        write_text(w, "pointer to ");
        break;
    case NODE_REFERENCE:
        write_text(w, node->variadic ? "rvalue reference to " : "reference to ");
        break;
    case NODE_ARRAY:
        write_text(w, "array[%s] of ", node->text);
        break;
    case NODE_FUNCTION:
        write_text(w, "function(");
        for (const struct node *n = node->parameters; n && !w->failed; n = n->next) {
            put_type(w, n);
            write_text(w, n->next || node->variadic ? ", " : "");
        }
        write_text(w, node->variadic ? "...) returning " : ") returning ");
        break;
    }
    if (!w->failed)
        put_type(w, node->inner);
}

static char *folded_text(const char *text)
{
    char *out = malloc(strlen(text) + 1);
    size_t n = 0;

    if (!out)
        return NULL;
    for (const char *p = text; *p; p++) {
        if (!isspace((unsigned char)*p))
            out[n++] = *p;
        else if (n > 0 && is_type_word(out[n - 1])) {
            while (isspace((unsigned char)p[1]))
                p++;
            if (is_type_word(p[1]))
                out[n++] = ' ';
        }
    }
    out[n] = '\0';
    return out;
}

/* NULL: it is too long, or no memory. */
static char *written(const struct node *type)
{
    struct writer w = {.size = 8 * SIGNATURE_TEXT_MAX};

    w.text = malloc(w.size);
    if (!w.text)
        return NULL;
    put_type(&w, type);
    if (!w.failed)
        return w.text;
    free(w.text);
    return NULL;
}

char *signature_normal_form(const char *text)
{
    struct signature_tree tree;
    int result = signature_read(text, &tree);
    char *normal = NULL;

    if (result < 0)
        return NULL;
    if (result == 0) {
        normal = written(tree.type);
        signature_tree_free(&tree);
    }
    return normal ? normal : folded_text(text);
}

bool signature_equal(const char *a, const char *b)
{
    char *x, *y;
    bool equal;

    if (strcmp(a, b) == 0)
        return true;
    x = signature_normal_form(a);
    y = signature_normal_form(b);
    equal = x && y && strcmp(x, y) == 0;
    free(x);
    free(y);
    return equal;
}
