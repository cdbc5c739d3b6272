/*
 * types_uses.h - which functions and variables of an object use a type, as far as its debug information says.
 *
 * A cast leaves no trace there: a function may use a type that is not among its uses. types.h says what follows.
 */
#ifndef HOTPATCH_TYPES_USES_H
#define HOTPATCH_TYPES_USES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/build/object_dwarf.h"
#include "cli/build/types_table.h"

enum type_use_role { USE_RESULT, USE_PARAMETER, USE_LOCAL };

/* Call `each` for the result, the parameters and the variables of a function, with those of its blocks and of the functions
 * that are inlined into it, whose parameters are locals. A static variable is a local, too. Stop at a return value other than 0 and return it. */
typedef int type_use_visit(enum type_use_role role, uint32_t type, void *context);
int type_uses_each(const struct object_dwarf *dwarf, const struct dwarf_function *function,
                   type_use_visit *each, void *context);

/* The types of an object that are, or lead to, some types. */
struct type_users;

/* Find which types of the object lead to one of `types` by a target or a member. The object outlives the result. */
struct type_users *type_users_new(const struct object_dwarf *dwarf, const uint32_t *types,
                                  size_t count);
void type_users_free(struct type_users *users); /* NULL is allowed */
/* Return whether a type is, or leads to, one of them. */
bool type_users_leads(const struct type_users *users, uint32_t type);
/* Return whether a type is one of them. */
bool type_users_is(const struct type_users *users, uint32_t type);
/* Return whether a function (NULL: none) uses one of them. */
bool type_users_has(const struct type_users *users, const struct dwarf_function *function);

#endif
