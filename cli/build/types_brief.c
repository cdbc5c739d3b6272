/* types_brief.c - see types_brief.h. */
#include "cli/build/types_brief.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/build/types_calls.h"
#include "cli/build/types_report.h"
#include "cli/build/types_spell.h"
#include "cli/build/types_uses.h"
#include "cli/output/output.h"

/* One unit's unedited object. */
struct brief {
    const struct types_question *question;
    size_t unit_index;
    const struct types_unit *unit;
    struct type_table *types;
    struct type_users *users; /* of the types that have another layout */
    struct callee_list callees;
    char *reason; /* NULL: nothing speaks against it so far */
};

/* How a function uses them. */
struct brief_use {
    const struct brief *brief;
    bool has, receives, points, otherwise;
};

/* ------------------------------------------------------------------ types --- */

static bool is_aggregate(const struct type_node *node)
{
    return node->kind == TYPE_STRUCT || node->kind == TYPE_UNION;
}

/* Return the type without arrays, typedefs and qualifiers. */
static uint32_t element_of(const struct type_table *types, uint32_t type)
{
    for (int i = 0; i < 64; i++) {
        type = type_table_peel(types, type, NULL);
        if (types->nodes[type].kind != TYPE_ARRAY)
            break;
        type = types->nodes[type].target;
    }
    return type;
}

static bool has_by_value(const struct type_table *types, const bool *wanted,
                         const struct type_node *node)
{
    for (size_t k = 0; k < node->count; k++)
        if (wanted[element_of(types, types->members[node->first + k].type)])
            return true;
    return false;
}

/* What has a wanted type as a member has another layout, too. */
static void add_containers(const struct type_table *types, bool *wanted)
{
    bool again = true;

    while (again) {
        again = false;
        for (size_t i = 1; i < types->count; i++)
            if (!wanted[i] && is_aggregate(&types->nodes[i]) &&
                has_by_value(types, wanted, &types->nodes[i]))
                wanted[i] = again = true;
    }
}

/* Before the users are found, so that the table grows no more. */
static void read_callees(struct brief *brief)
{
    callee_list_read(&brief->callees, brief->unit->old_dwarf);
    for (size_t i = 0; i < brief->callees.count; i++)
        type_table_signature(brief->types, &brief->callees.list[i].die);
}

/* Find the types of the unit that have another layout. False: one of them is neither structure nor union. */
static bool find_changed(struct brief *brief, const struct type_comparison *comparison)
{
    bool *wanted = allocate(brief->types->count * sizeof(*wanted));
    uint32_t *list = allocate(brief->types->count * sizeof(*list));
    size_t count = 0;

    memset(wanted, 0, brief->types->count * sizeof(*wanted));
    for (uint32_t i = 1; i < comparison->count && !brief->reason; i++) {
        if (comparison->pairs[i].change < TYPE_GROWN)
            continue;
        if (is_aggregate(&brief->types->nodes[comparison->pairs[i].old_type]))
            wanted[comparison->pairs[i].old_type] = true;
        else
            brief->reason = format_text("objects that hold its values may live");
    }
    add_containers(brief->types, wanted);
    for (uint32_t i = 1; i < brief->types->count; i++)
        if (wanted[i])
            list[count++] = i;
    if (count && !brief->reason)
        read_callees(brief);
    if (count && !brief->reason)
        brief->users = type_users_new(brief->unit->old_dwarf, list, count);
    free(wanted);
    free(list);
    return brief->users != NULL;
}

static void check_lasting_variables(struct brief *brief)
{
    size_t count;
    const struct dwarf_variable *list = object_dwarf_variables(brief->unit->old_dwarf, &count);

    for (size_t i = 0; i < count && !brief->reason; i++)
        if (type_users_leads(brief->users, list[i].type_index))
            brief->reason =
                format_text("the variable %s (%s:%u) has or leads to objects of it", list[i].name,
                            list[i].file ? base_name(list[i].file) : "?", list[i].line);
}

static bool members_lead(const struct brief *brief, const struct type_node *node)
{
    for (size_t k = 0; k < node->count; k++) {
        uint32_t type = brief->types->members[node->first + k].type;

        if (type_users_leads(brief->users, type) &&
            !type_users_is(brief->users, element_of(brief->types, type)))
            return true;
    }
    return false;
}

/* Return whether a type is a way to an object of longer life: a member that leads there, or a pointer to a function that
 * receives one. */
static bool is_a_way(const struct brief *brief, uint32_t type)
{
    const struct type_node *node = &brief->types->nodes[type];

    if (is_aggregate(node))
        return members_lead(brief, node);
    return node->kind == TYPE_POINTER && type_users_leads(brief->users, type) &&
           brief->types->nodes[type_table_peel(brief->types, node->target, NULL)].kind ==
               TYPE_FUNCTION;
}

static void check_ways(struct brief *brief)
{
    for (uint32_t i = 1; i < brief->types->count && !brief->reason; i++) {
        char *name;

        if (!is_a_way(brief, i))
            continue;
        name = type_spell(brief->types, i, NULL);
        brief->reason =
            format_text("%s%s leads to objects of it",
                        is_aggregate(&brief->types->nodes[i]) ? "" : "a pointer ", name);
        free(name);
    }
}

/* -------------------------------------------------------------- functions --- */

static int take_use(enum type_use_role role, uint32_t type, void *context)
{
    struct brief_use *use = context;
    const struct type_table *types = use->brief->types;
    uint32_t peeled = element_of(types, type);

    if (!type_users_leads(use->brief->users, type))
        return 0;
    if (type_users_is(use->brief->users, peeled)) {
        use->has = true;
        use->receives |= role != USE_LOCAL;
    } else if (types->nodes[peeled].kind != TYPE_POINTER ||
               !type_users_is(use->brief->users,
                              type_table_peel(types, types->nodes[peeled].target, NULL)))
        use->otherwise = true;
    else if (role == USE_PARAMETER)
        use->receives = true;
    else if (role == USE_LOCAL)
        use->points = true;
    else
        use->otherwise = true;
    return 0;
}

static const struct types_function *in_the_patch(const struct brief *brief,
                                                 const struct dwarf_function *function)
{
    for (size_t i = 0; i < brief->question->function_count; i++) {
        const struct types_function *it = &brief->question->functions[i];

        if (it->unit == brief->unit_index && it->has_old &&
            it->old_place.section == function->place.section &&
            it->old_place.offset == function->place.offset)
            return it;
    }
    return NULL;
}

static bool is_raw_pointer(const struct brief *brief, uint32_t type, bool characters)
{
    const struct type_table *types = brief->types;
    const struct type_node *node = &types->nodes[type_table_peel(types, type, NULL)];
    const struct type_node *target;

    if (node->kind != TYPE_POINTER)
        return false;
    target = &types->nodes[type_table_peel(types, node->target, NULL)];
    return target->kind == TYPE_VOID ||
           (characters && target->kind == TYPE_BASE && target->size == 1);
}

/* Return what a callee may do with an object, or NULL. */
static const char *harm_of(const struct brief *brief, Dwarf_Die *callee)
{
    const struct type_node *node = &brief->types->nodes[type_table_signature(brief->types, callee)];

    if (type_users_leads(brief->users, node->target) || is_raw_pointer(brief, node->target, true))
        return "may allocate one";
    for (size_t i = 0; i < node->count; i++)
        if (is_raw_pointer(brief, brief->types->members[node->first + i].type, false))
            return "may keep its bytes";
    return NULL;
}

/* Functions of C's library that make no object and keep no bytes; compilers leave out the entries of those that they know. */
static const char *const harmless[] = {
    "__fprintf_chk",
    "__memset_chk",
    "__printf_chk",
    "__snprintf_chk",
    "__sprintf_chk",
    "__stack_chk_fail",
    "__vfprintf_chk",
    "__vsnprintf_chk",
    "_exit",
    "abort",
    "abs",
    "bcmp",
    "bzero",
    "exit",
    "fprintf",
    "fputc",
    "fputs",
    "labs",
    "memcmp",
    "memset",
    "perror",
    "printf",
    "putchar",
    "puts",
    "snprintf",
    "sprintf",
    "strcasecmp",
    "strcmp",
    "strlen",
    "strncasecmp",
    "strncmp",
    "strnlen",
    "strtol",
    "strtoul",
    "vfprintf",
    "vprintf",
    "vsnprintf",
    "vsprintf",
};

static int compare_harmless(const void *a, const void *b)
{
    return strcmp(a, *(const char *const *)b);
}

static bool is_harmless(const char *name)
{
    return bsearch(name, harmless, sizeof(harmless) / sizeof(*harmless), sizeof(*harmless),
                   compare_harmless) != NULL;
}

/* Return the name of the function that a relocation of code refers to, or NULL. Assemblers name a local function by its
 * section. */
static const char *called_name(const struct brief *brief, uint32_t symbol, struct dwarf_place place)
{
    const struct rel_object *object = brief->unit->old_object;
    const struct rel_symbol *it = &object->symbols[symbol];

    if (it->section == REL_UNDEFINED)
        return object_dwarf_variable_at(brief->unit->old_dwarf, place.section, 0) ? NULL : it->name;
    if (it->type == STT_SECTION)
        it = &object->symbols[rel_symbol_around(object, place.section, place.offset)];
    return it->type == STT_FUNC ? it->name : NULL;
}

/* A clone (f.isra.0) has the entry of its function. */
static Dwarf_Die *find_callee(struct brief *brief, const char *name)
{
    char *whole = format_text("%.*s", (int)strcspn(name, "."), name);
    Dwarf_Die *found = callee_list_find(&brief->callees, whole);

    free(whole);
    return found;
}

static int check_callee(uint32_t symbol, struct dwarf_place place, void *context)
{
    struct brief *brief = context;
    const char *harm, *name = called_name(brief, symbol, place);
    Dwarf_Die *callee;

    if (!name || is_harmless(name))
        return 0;
    callee = find_callee(brief, name);
    harm = callee ? harm_of(brief, callee) : "has a prototype that is not known";
    if (harm)
        brief->reason = format_text("calls %s(), which %s", name, harm);
    return harm != NULL;
}

/* Put the function's name before the reason. */
static void name_reason(struct brief *brief, const struct dwarf_function *function)
{
    char *reason = brief->reason;

    brief->reason =
        format_text("%s (%s:%u) %s", function->name,
                    function->file ? base_name(function->file) : "?", function->line, reason);
    free(reason);
}

static const char *speaks_against(const struct brief *brief, const struct brief_use *use,
                                  const struct dwarf_function *function)
{
    const struct types_function *patched = in_the_patch(brief, function);

    if (use->otherwise)
        return "has a pointer to it that may lead anywhere";
    if (use->points && !use->has && !use->receives)
        return "has a pointer to it from elsewhere";
    if (use->has && !patched)
        return "has objects of it, and is not in the patch";
    if (patched && patched->replaces && use->receives)
        return patched->why_not_kept
                   ? "may receive the old from code that still runs, and its entry cannot stay"
                   : "may receive the old from code that still runs";
    if (patched && !use->has && !use->receives)
        return "is in the patch, and may use it by a cast";
    return NULL;
}

static void judge_function(struct brief *brief, const struct dwarf_function *function)
{
    struct brief_use use = {.brief = brief};
    const char *against;

    type_uses_each(brief->unit->old_dwarf, function, take_use, &use);
    against = function->part ? NULL : speaks_against(brief, &use, function);
    if (against)
        brief->reason = format_text("%s", against);
    else if (use.has || use.receives || use.points)
        function_references(brief->unit->old_object, function->place, check_callee, brief);
    if (brief->reason)
        name_reason(brief, function);
}

static void check_functions(struct brief *brief)
{
    size_t count;
    const struct dwarf_function *list = object_dwarf_functions(brief->unit->old_dwarf, &count);

    for (size_t i = 0; i < count && !brief->reason; i++)
        judge_function(brief, &list[i]);
}

/* -------------------------------------------------------------- interface --- */

static char *unit_reason(const struct types_question *question, size_t unit_index,
                         const struct type_comparison *comparison)
{
    struct brief brief = {
        .question = question,
        .unit_index = unit_index,
        .unit = &question->units[unit_index],
        .types = object_dwarf_types(question->units[unit_index].old_dwarf),
    };

    if (find_changed(&brief, comparison)) {
        check_lasting_variables(&brief);
        if (!brief.reason)
            check_ways(&brief);
        if (!brief.reason)
            check_functions(&brief);
    }
    callee_list_free(&brief.callees);
    type_users_free(brief.users);
    return brief.reason;
}

char *types_brief_reason(const struct types_question *question,
                         struct type_comparison *(*compare)(const struct object_dwarf *old_dwarf,
                                                            const struct object_dwarf *new_dwarf))
{
    for (size_t i = 0; i < question->unit_count; i++) {
        const struct types_unit *unit = &question->units[i];
        char *reason;

        if (!unit->old_dwarf || !unit->new_dwarf || !object_dwarf_has_types(unit->old_dwarf) ||
            !object_dwarf_has_types(unit->new_dwarf))
            continue;
        reason = unit_reason(question, i, compare(unit->old_dwarf, unit->new_dwarf));
        if (reason)
            return reason;
    }
    return NULL;
}
