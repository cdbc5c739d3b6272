/*
 * types_spell.h - a type as C spells it.
 */
#ifndef HOTPATCH_TYPES_SPELL_H
#define HOTPATCH_TYPES_SPELL_H

#include <stdint.h>

#include "cli/build/types_table.h"

/* Return "struct client *const[16]", malloc'd; `name` (NULL: none) stands where a declaration has it: "int (*f)(char)". */
char *type_spell(const struct type_table *table, uint32_t type, const char *name);

/* Return "int f(struct client *c, int flags)", malloc'd, of a function's type. */
char *type_spell_function(const struct type_table *table, uint32_t signature, const char *name);

#endif
