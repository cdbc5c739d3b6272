/*
 * types.c - see types.h.
 *
 * A type that several units name is reported once, with the functions of all units that use it.
 */
#include "cli/build/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/build/types_brief.h"
#include "cli/build/types_compare.h"
#include "cli/build/types_finding.h"
#include "cli/build/types_report.h"
#include "cli/build/types_spell.h"
#include "cli/build/types_uses.h"
#include "cli/output/output.h"

/* ----------------------------------------------------------- comparisons --- */

/* The comparison of an object with its edited form, which the edited form keeps. */
struct kept_comparison {
    const struct object_dwarf *old_dwarf;
    struct type_comparison *comparison;
};

static void kept_free(void *memory)
{
    struct kept_comparison *kept = memory;

    if (kept)
        type_comparison_free(kept->comparison);
    free(kept);
}

static struct type_comparison *comparison_of(const struct object_dwarf *old_dwarf,
                                             const struct object_dwarf *new_dwarf)
{
    void **place = object_dwarf_comparison(new_dwarf, kept_free);
    struct kept_comparison *kept = *place;

    if (kept && kept->old_dwarf == old_dwarf)
        return kept->comparison;
    kept_free(kept);
    *place = kept = allocate(sizeof(*kept));
    *kept = (struct kept_comparison){
        .old_dwarf = old_dwarf,
        .comparison =
            type_comparison_new(object_dwarf_types(old_dwarf), object_dwarf_types(new_dwarf)),
    };
    return kept->comparison;
}

/* ------------------------------------------------------------ prototypes --- */

static const struct dwarf_function *code_at_place(const struct object_dwarf *dwarf,
                                                  struct dwarf_place place)
{
    return dwarf ? object_dwarf_function_at(dwarf, place.section, place.offset) : NULL;
}

static uint32_t signature_of(const struct object_dwarf *dwarf,
                             const struct dwarf_function *function)
{
    Dwarf_Die origin = function->origin;

    return type_table_signature(object_dwarf_types(dwarf), &origin);
}

static char *spell_prototype(const struct object_dwarf *dwarf,
                             const struct dwarf_function *function)
{
    return function ? type_spell_function(object_dwarf_types(dwarf), signature_of(dwarf, function),
                                          function->name)
                    : NULL;
}

/* A function, unedited and edited; NULL: not known. */
struct prototype_pair {
    const struct dwarf_function *old, *new;
    enum types_prototype result;
};

static enum types_prototype compare_prototypes(const struct object_dwarf *old_dwarf,
                                               const struct object_dwarf *new_dwarf,
                                               const struct prototype_pair *pair)
{
    uint32_t old_type = signature_of(old_dwarf, pair->old);
    uint32_t new_type = signature_of(new_dwarf, pair->new);
    struct type_comparison *comparison = comparison_of(old_dwarf, new_dwarf);
    struct pair_list pairs = {0};
    enum types_prototype result;

    if (!type_comparison_alike(comparison, old_type, new_type, &pairs))
        result = PROTOTYPE_CHANGED;
    else
        result = type_comparison_reaches(comparison, &pairs) ? PROTOTYPE_LAYOUT : PROTOTYPE_SAME;
    free(pairs.list);
    return result;
}

static const char *symbol_name(const struct dwarf_function *function)
{
    return function->linkage ? function->linkage : function->name;
}

/* Return the function of the place that has the name of another; NULL: none has. */
static const struct dwarf_function *named_like(const struct object_dwarf *dwarf,
                                               struct dwarf_place place,
                                               const struct dwarf_function *other)
{
    const struct dwarf_function *function;

    for (size_t i = 0; (function = object_dwarf_function_nth(dwarf, place, i)); i++)
        if (strcmp(symbol_name(function), symbol_name(other)) == 0)
            return function;
    return NULL;
}

/* Compare each of the functions that the compiler merged with the one of its name, and keep the pair that differs most. */
static struct prototype_pair most_different(const struct object_dwarf *old_dwarf,
                                            struct dwarf_place old,
                                            const struct object_dwarf *new_dwarf,
                                            struct dwarf_place new)
{
    struct prototype_pair most = {code_at_place(old_dwarf, old), code_at_place(new_dwarf, new),
                                  PROTOTYPE_UNKNOWN};
    struct prototype_pair pair;
    bool found = false;

    if (!most.old || !most.new) {
        most.result = most.old || most.new ? PROTOTYPE_ONE_SIDED : PROTOTYPE_UNKNOWN;
        return most;
    }
    for (size_t i = 0; (pair.old = object_dwarf_function_nth(old_dwarf, old, i)); i++) {
        pair.new = named_like(new_dwarf, new, pair.old);
        if (!pair.new)
            continue;
        pair.result = compare_prototypes(old_dwarf, new_dwarf, &pair);
        if (!found || pair.result > most.result)
            most = pair;
        found = true;
    }
    if (!found)
        most.result = compare_prototypes(old_dwarf, new_dwarf, &most);
    return most;
}

enum types_prototype types_prototype(const struct object_dwarf *old_dwarf, struct dwarf_place old,
                                     const struct object_dwarf *new_dwarf, struct dwarf_place new,
                                     char **old_text, char **new_text)
{
    struct prototype_pair pair = {0};

    pair.result = PROTOTYPE_UNKNOWN;
    if (object_dwarf_has_types(old_dwarf) && object_dwarf_has_types(new_dwarf))
        pair = most_different(old_dwarf, old, new_dwarf, new);
    if (old_text)
        *old_text = spell_prototype(old_dwarf, pair.old);
    if (new_text)
        *new_text = spell_prototype(new_dwarf, pair.new);
    return pair.result;
}

/* ------------------------------------------------------------- variables --- */

static char *variable_text(const struct dwarf_variable *variable)
{
    return format_text("%s (%s:%u)", variable->name,
                       variable->file ? base_name(variable->file) : "?", variable->line);
}

char *types_variable_difference(const struct object_dwarf *old_dwarf,
                                const struct dwarf_variable *old,
                                const struct object_dwarf *new_dwarf,
                                const struct dwarf_variable *new, bool *known)
{
    struct type_comparison *comparison;
    struct pair_list pairs = {0};
    bool alike;

    *known = old && new &&object_dwarf_has_types(old_dwarf) && object_dwarf_has_types(new_dwarf);
    if (!*known)
        return NULL;
    comparison = comparison_of(old_dwarf, new_dwarf);
    alike = type_comparison_alike(comparison, old->type_index, new->type_index, &pairs);
    free(pairs.list);
    if (alike)
        return NULL;
    return format_text("%s became %s", old->type, new->type);
}

/* ----------------------------------------------------------------- check --- */

struct check {
    const struct types_question *question;
    struct types_findings findings;
    struct refusal *why;
};

static bool unit_is_used(const struct types_question *question, size_t unit)
{
    for (size_t i = 0; i < question->function_count; i++)
        if (question->functions[i].unit == unit)
            return true;
    for (size_t i = 0; i < question->variable_count; i++)
        if (question->variables[i].unit == unit)
            return true;
    return false;
}

static char *function_text(const struct object_dwarf *dwarf, const struct types_function *function,
                           struct dwarf_place place)
{
    const struct dwarf_function *found = code_at_place(dwarf, place);

    if (!found || !found->line)
        return format_text("%s", function->name);
    return format_text("%s (%s:%u)", function->name, found->file ? base_name(found->file) : "?",
                       found->line);
}

static char *prototype_finding(enum types_prototype prototype, const char *name, const char *old,
                               const char *new)
{
    if (prototype == PROTOTYPE_ONE_SIDED)
        return format_text("%s has debug information only %s the edit: %s; whether its prototype "
                           "changed is not known",
                           name, old ? "before" : "after", old ? old : new);
    return format_text("the prototype of %s changed: %s became %s; callers that run, or are "
                       "not in the patch, pass the old arguments",
                       name, old, new);
}

static void check_signature(struct check *check, const struct types_function *function)
{
    const struct types_unit *unit = &check->question->units[function->unit];
    enum types_prototype prototype;
    char *old, *new, *name;

    if (!function->replaces || !function->has_old || !function->has_new || !unit->old_dwarf ||
        !unit->new_dwarf)
        return;
    prototype = types_prototype(unit->old_dwarf, function->old_place, unit->new_dwarf,
                                function->new_place, &old, &new);
    if (prototype == PROTOTYPE_CHANGED || prototype == PROTOTYPE_ONE_SIDED) {
        name = function_text(unit->new_dwarf, function, function->new_place);
        types_finding_add(&check->findings, prototype_finding(prototype, name, old, new));
        free(name);
    }
    free(old);
    free(new);
}

static void check_bound(struct check *check, const struct types_variable *variable)
{
    const struct types_unit *unit = &check->question->units[variable->unit];
    const struct dwarf_variable *old, *new;
    char *difference, *place;
    bool known;

    if (!unit->old_dwarf || !unit->new_dwarf)
        return;
    old = object_dwarf_variable_at(unit->old_dwarf, variable->old_place.section,
                                   variable->old_place.offset);
    new = object_dwarf_variable_at(unit->new_dwarf, variable->new_place.section,
                                   variable->new_place.offset);
    difference = types_variable_difference(unit->old_dwarf, old, unit->new_dwarf, new, &known);
    if (!difference)
        return;
    place = variable_text(new);
    types_finding_add(&check->findings,
                      format_text("the type of %s changed: %s", place, difference));
    free(place);
    free(difference);
}

/* Add the functions of the patch that use the pair, as the debug information of either side says. */
static void add_users(struct check *check, size_t unit_index, const struct type_pair *pair,
                      struct types_finding *finding)
{
    const struct types_unit *unit = &check->question->units[unit_index];
    struct type_users *old = type_users_new(unit->old_dwarf, &pair->old_type, 1);
    struct type_users *new = type_users_new(unit->new_dwarf, &pair->new_type, 1);

    for (size_t i = 0; i < check->question->function_count; i++) {
        const struct types_function *function = &check->question->functions[i];

        if (function->unit != unit_index)
            continue;
        if (function->has_new &&
            type_users_has(new, code_at_place(unit->new_dwarf, function->new_place)))
            types_finding_user(finding,
                               function_text(unit->new_dwarf, function, function->new_place));
        else if (function->has_old &&
                 type_users_has(old, code_at_place(unit->old_dwarf, function->old_place)))
            types_finding_user(finding,
                               function_text(unit->old_dwarf, function, function->old_place));
    }
    type_users_free(old);
    type_users_free(new);
}

static void check_pair(struct check *check, size_t unit_index, struct type_comparison *comparison,
                       uint32_t pair)
{
    enum type_change change = comparison->pairs[pair].change;
    struct types_finding *finding =
        types_finding_add(&check->findings, type_pair_text(comparison, pair));

    finding->harmless = change < TYPE_GROWN;
    finding->layout = !finding->harmless;
    finding->source = check->question->units[unit_index].source;
    if (finding->layout)
        add_users(check, unit_index, &comparison->pairs[pair], finding);
}

static void check_unit(struct check *check, size_t unit_index)
{
    const struct types_unit *unit = &check->question->units[unit_index];
    struct type_comparison *comparison;

    if (!unit->old_dwarf || !unit->new_dwarf || !unit_is_used(check->question, unit_index))
        return;
    if (!object_dwarf_has_types(unit->old_dwarf) || !object_dwarf_has_types(unit->new_dwarf)) {
        types_finding_add(
            &check->findings,
            format_text("%s was compiled without types to compare: use -g", unit->source));
        return;
    }
    comparison = comparison_of(unit->old_dwarf, unit->new_dwarf);
    for (uint32_t i = 1; i < comparison->count; i++)
        if (comparison->pairs[i].change > TYPE_SAME)
            check_pair(check, unit_index, comparison, i);
}

/* ---------------------------------------------------------------- outcome --- */

static void note_finding(struct types_notes *notes, char *text)
{
    notes->list = reallocate(notes->list, (notes->count + 1) * sizeof(*notes->list));
    notes->list[notes->count++] = text;
}

/* Return what a finding says, with what uses it and why it is no harm, or may be. */
static char *finding_text(const struct types_finding *finding, const char *reason)
{
    char *users = NULL, *text;

    if (finding->layout && finding->user_count)
        users = types_finding_users(finding);
    else if (finding->layout)
        users = format_text("functions of the patch in %s, by casts", base_name(finding->source));
    text = format_text("%s%s%s%s%s", finding->text, users ? "; used by " : "", users ? users : "",
                       reason ? "; " : "", reason ? reason : "");
    free(users);
    return text;
}

static int settle_findings(struct check *check, struct types_notes *notes)
{
    const char *const safe =
        "its objects live only in automatic variables of functions of the patch";
    char *reason = types_brief_reason(check->question, comparison_of);
    int result = 0;

    for (size_t i = 0; i < check->findings.count; i++) {
        const struct types_finding *finding = &check->findings.list[i];
        bool harmless = finding->harmless || (finding->layout && !reason);
        char *text = finding_text(finding, !finding->layout ? NULL : reason ? reason : safe);

        if (harmless || check->question->force) {
            note_finding(notes, text);
            continue;
        }
        result = refuse(check->why, HP_TYPES, "%s", text);
        free(text);
    }
    free(reason);
    return result;
}

int types_check(const struct types_question *question, struct types_notes *notes,
                struct refusal *why)
{
    struct check check = {.question = question, .why = why};
    int result;

    for (size_t i = 0; i < question->function_count; i++)
        check_signature(&check, &question->functions[i]);
    for (size_t i = 0; i < question->variable_count; i++)
        check_bound(&check, &question->variables[i]);
    for (size_t i = 0; i < question->unit_count; i++)
        check_unit(&check, i);
    result = settle_findings(&check, notes);
    types_findings_free(&check.findings);
    return result;
}

void types_notes_free(struct types_notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        free(notes->list[i]);
    free(notes->list);
    *notes = (struct types_notes){0};
}
