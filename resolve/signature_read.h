/*
 * signature_read.h - a signature's text as a tree; signature.c and signature_call.c read it. Compiled
 * into engine and command; any thread.
 */
#ifndef HOTPATCH_SIGNATURE_READ_H
#define HOTPATCH_SIGNATURE_READ_H

#include <stdbool.h>
#include <stddef.h>

enum { SIGNATURE_TEXT_MAX = 4096 };

enum node_kind { NODE_BASE, NODE_POINTER, NODE_REFERENCE, NODE_ARRAY, NODE_FUNCTION };

enum { QUALIFIER_CONST = 1, QUALIFIER_VOLATILE = 2, QUALIFIER_RESTRICT = 4, QUALIFIER_ATOMIC = 8 };

struct token {
    const char *text;
    size_t length;
};

struct node {
    enum node_kind kind;
    unsigned qualifiers;
    struct node *inner;      /* what is pointed to, held, returned */
    struct node *parameters; /* NODE_FUNCTION: first; linked by next */
    struct node *next;
    bool variadic;
    char text[96];      /* NODE_BASE: canonical name; NODE_ARRAY: bound */
    struct token whole; /* NODE_BASE: the spelling where it is longer than `text` */
};

struct signature_tree {
    const struct node *type;
    struct node *nodes;
};

/* Parse a signature. 0: free the tree with signature_tree_free(); 1: the text cannot be parsed; -1: no
 * memory. The tree refers to `text`. */
int signature_read(const char *text, struct signature_tree *out);
void signature_tree_free(struct signature_tree *tree);

bool token_is(struct token token, const char *text);

#endif
