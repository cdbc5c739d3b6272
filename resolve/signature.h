/*
 * signature.h - are two signature texts the same type?
 *
 * The texts are what the preprocessor made of a macro's arguments: "int (struct counter *c,
 * int n)". Compared after normalising: white space, parameter names, top-level qualifiers,
 * T[] = T *, a function parameter = a pointer to it, specifier order, bool = _Bool; typedefs
 * count by their spelling. Compiled into engine and command; any thread.
 */
#ifndef HOTPATCH_SIGNATURE_H
#define HOTPATCH_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>

bool signature_equal(const char *a, const char *b);

/* Return the normal form, malloc'd; of a text that cannot be parsed, the text with its white space folded.
 * NULL: no memory. */
char *signature_normal_form(const char *text);

#endif
