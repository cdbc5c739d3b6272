/* types_uses.c - see types_uses.h. */
#include "cli/build/types_uses.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/types_calls.h"
#include "cli/debug/dwarf_units.h"
#include "cli/output/output.h"

#define DEPTH_MAX 128 /* blocks and inlined functions in one another */

struct type_users {
    const struct object_dwarf *dwarf;
    struct type_table *types;
    bool *is, *leads; /* by type */
    size_t count;
};

struct use_walk {
    struct type_table *types;
    type_use_visit *each;
    void *context;
    bool inlined;
};

static int walk_uses(const struct use_walk *walk, Dwarf_Die *parent, int depth);

static bool entry_referred_to(Dwarf_Die *die, Dwarf_Die *origin)
{
    Dwarf_Attribute attribute;

    return dwarf_attr(die, DW_AT_abstract_origin, &attribute) &&
           dwarf_formref_die(&attribute, origin) != NULL;
}

static int visit_use(const struct use_walk *walk, enum type_use_role role, Dwarf_Die *die)
{
    return walk->each(walk->inlined ? USE_LOCAL : role, type_table_typed(walk->types, die),
                      walk->context);
}

/* Of a function that is inlined: what its abstract entry declares, and what is inlined into it in turn. */
static int walk_uses_of(const struct use_walk *walk, Dwarf_Die *die, int depth)
{
    Dwarf_Die origin;
    int result = visit_use(walk, USE_RESULT, die);

    if (result == 0 && entry_referred_to(die, &origin))
        result = walk_uses(walk, &origin, depth);
    return result ? result : walk_uses(walk, die, depth);
}

static int walk_use(const struct use_walk *walk, Dwarf_Die *die, int depth)
{
    struct use_walk inner = *walk;

    inner.inlined = true;
    switch (dwarf_tag(die)) {
    case DW_TAG_formal_parameter:
        return visit_use(walk, USE_PARAMETER, die);
    case DW_TAG_variable:
        return visit_use(walk, USE_LOCAL, die);
    case DW_TAG_lexical_block:
        return walk_uses(walk, die, depth);
    case DW_TAG_inlined_subroutine:
        return walk_uses_of(&inner, die, depth);
    default:
        return 0;
    }
}

static int walk_uses(const struct use_walk *walk, Dwarf_Die *parent, int depth)
{
    Dwarf_Die die;
    int result;

    if (depth > DEPTH_MAX || !dwarf_haschildren(parent) || dwarf_child(parent, &die) != 0)
        return 0;
    do
        if ((result = walk_use(walk, &die, depth + 1)) != 0)
            return result;
    while (debug_next_sibling(&die));
    return 0;
}

int type_uses_each(const struct object_dwarf *dwarf, const struct dwarf_function *function,
                   type_use_visit *each, void *context)
{
    struct use_walk walk = {object_dwarf_types(dwarf), each, context, false};
    Dwarf_Die die = function->die;

    return walk_uses_of(&walk, &die, 0);
}

static bool leads_on(const struct type_table *table, const bool *leads, uint32_t type)
{
    const struct type_node *node = &table->nodes[type];

    if (leads[node->target])
        return true;
    for (size_t i = 0; i < node->count; i++)
        if (leads[table->members[node->first + i].type])
            return true;
    return false;
}

static int read_only(enum type_use_role role, uint32_t type, void *context)
{
    (void)role;
    (void)type;
    (void)context;
    return 0;
}

/* Read the types that functions and variables use, so that the table grows no more. */
static void read_all_uses(const struct object_dwarf *dwarf)
{
    size_t count;
    const struct dwarf_function *functions = object_dwarf_functions(dwarf, &count);

    for (size_t i = 0; i < count; i++)
        if (!functions[i].part)
            type_uses_each(dwarf, &functions[i], read_only, NULL);
    object_dwarf_variables(dwarf, &count);
}

static void mark_leading(struct type_users *users)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = users->count; i-- > 1;)
            if (!users->leads[i] && leads_on(users->types, users->leads, (uint32_t)i))
                users->leads[i] = again = true;
    }
}

struct type_users *type_users_new(const struct object_dwarf *dwarf, const uint32_t *types,
                                  size_t count)
{
    struct type_users *users = allocate(sizeof(*users));

    read_all_uses(dwarf);
    *users = (struct type_users){.dwarf = dwarf, .types = object_dwarf_types(dwarf)};
    users->count = users->types->count;
    users->is = allocate(users->count * sizeof(*users->is));
    users->leads = allocate(users->count * sizeof(*users->leads));
    memset(users->is, 0, users->count * sizeof(*users->is));
    for (size_t i = 0; i < count; i++)
        users->is[types[i]] = true;
    memcpy(users->leads, users->is, users->count * sizeof(*users->leads));
    mark_leading(users);
    return users;
}

void type_users_free(struct type_users *users)
{
    if (!users)
        return;
    free(users->is);
    free(users->leads);
    free(users);
}

bool type_users_leads(const struct type_users *users, uint32_t type)
{
    return type < users->count && users->leads[type];
}

bool type_users_is(const struct type_users *users, uint32_t type)
{
    return type < users->count && users->is[type];
}

static int stop_if_leading(enum type_use_role role, uint32_t type, void *context)
{
    (void)role;
    return type_users_leads(context, type);
}

static int stop_if_variable_leads(uint32_t symbol, struct dwarf_place place, void *context)
{
    const struct type_users *users = context;
    const struct dwarf_variable *variable =
        object_dwarf_variable_at(users->dwarf, place.section, place.offset);

    (void)symbol;
    return variable && type_users_leads(users, variable->type_index);
}

bool type_users_has(const struct type_users *users, const struct dwarf_function *function)
{
    if (!function)
        return false;
    return type_uses_each(users->dwarf, function, stop_if_leading, (void *)users) != 0 ||
           function_references(object_dwarf_object(users->dwarf), function->place,
                               stop_if_variable_leads, (void *)users) != 0;
}
