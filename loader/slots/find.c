/*
 * find.c - which slot a patch's target means: a declared one, a function at its entry, imports. Slots
 * of functions are made here, which changes nothing of the process. Inside objects_locked().
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "elf/symbols.h"
#include "loader/objects/emulator.h"
#include "loader/objects/object_functions.h"
#include "loader/slots/entry.h"
#include "loader/slots/ifunc.h"
#include "loader/text/site.h"
#include "loader/transaction/transaction.h"
#include "resolve/fault_result.h"
#include "resolve/fit.h"

/* ---- candidates ---- */

static bool is_candidate(const struct slot *slot, const struct symbol_spec *target)
{
    if (strcmp(slot->name, target->name) != 0)
        return false;
    if (slot->owner && !slot->owner->live_after)
        return false;
    return slot_in_object(slot, target);
}

enum { MANY = 16 };

struct search {
    const struct symbol_spec *target;
    struct slot *found[MANY];
    size_t count; /* may exceed the array */
    struct entry_candidate entries[MANY];
    size_t entry_count;          /* likewise; more than one: no slot is made of any */
    struct site_problem problem; /* of a function that was found and cannot be patched */
};

/* The lists, of some kilobytes, are filled as far as they are counted. */
static void search_begin(struct search *search, const struct symbol_spec *target)
{
    search->target = target;
    search->count = search->entry_count = 0;
    search->problem = (struct site_problem){0};
}

static void consider(struct search *search, struct slot *slot)
{
    if (search->count < sizeof(search->found) / sizeof(*search->found))
        search->found[search->count] = slot;
    search->count++;
}

static void find_declared(struct transaction *transaction, struct search *search)
{
    for (struct slot *slot = slots_named(search->target->name); slot; slot = slot->next_in_bucket)
        if (slot->kind == SLOT_DECLARED && is_candidate(slot, search->target))
            consider(search, slot);
    for (size_t i = 0; i < transaction->load_count; i++)
        for (struct slot *slot = transaction->loads[i]->own_slots; slot; slot = slot->next)
            if (is_candidate(slot, search->target))
                consider(search, slot);
}

/* Imports of that name; with an OBJECT the definition in it, else what it imports. */
static void find_imports(struct search *search)
{
    const struct symbol_spec *target = search->target;

    for (int pass = 0; pass < 2 && search->count == 0; pass++) {
        for (struct slot *slot = slots_named(target->name); slot; slot = slot->next_in_bucket) {
            if (slot->kind != SLOT_IMPORT || strcmp(slot->name, target->name) != 0 ||
                !import_is_used(slot))
                continue;
            if (*target->version &&
                (!slot->version_name || strcmp(slot->version_name, target->version) != 0))
                continue;
            if (pass == 0 ? import_is_defined_in(slot, target) : import_is_used_in(slot, target))
                consider(search, slot);
        }
        if (!*target->object)
            break;
    }
}

/* ---- functions at their entries ---- */

static void take_entry(struct search *search, const struct entry_candidate *candidate)
{
    struct slot *slot = entry_slot(candidate, &search->problem);

    if (slot)
        consider(search, slot);
}

/* Where somebody with debug information has looked the target up (at=). */
static const struct request_place *place_of(const struct module *module, const char *text)
{
    for (size_t i = 0; i < module->place_count; i++)
        if (strcmp(module->places[i].target, text) == 0)
            return &module->places[i];
    return NULL;
}

static bool is_place_in(const struct request_place *place, const struct object *object)
{
    struct symbol_spec target = {0};

    return snprintf(target.object, sizeof(target.object), "%s", place->object) <
               (int)sizeof(target.object) &&
           symbol_spec_object_matches(&target, object->is_program, object->path, object->soname,
                                      object->name_space);
}

/* The object of that build, among several the one of that name: a library that was opened by a
 * symbolic link, or whose file has been replaced since, is mapped under another name than the sender
 * knows. Without a build-id the name must do. */
static struct object *object_of_place(const struct request_place *place, bool *other_build)
{
    struct object *found = NULL;

    *other_build = false;
    for (struct object *o = objects_first(); o; o = o->next) {
        bool named;

        if (o->is_ours || !o->image || (o->module && !o->module->live))
            continue;
        named = is_place_in(place, o);
        if (strcmp(place->build_id, o->build_id) != 0)
            *other_build |= named;
        else if (named)
            return o;
        else if (*place->build_id && !found)
            found = o;
    }
    return found;
}

/* The slot is called as the function was looked up, where the process knows no name for it. */
static void take_names(struct function *function, const struct symbol_spec *target)
{
    if (function->name)
        return;
    function->name = target->name;
    function->file = *target->file ? target->file : NULL;
}

static void find_place(struct search *search, const struct request_place *place)
{
    struct entry_candidate candidate;
    bool other_build;
    struct object *object = object_of_place(place, &other_build);

    if (object && entry_at(object, place->offset, true, &candidate)) {
        take_names(&candidate.function, search->target);
        take_entry(search, &candidate);
    } else if (object)
        site_refuse(&search->problem, HP_NO_TARGET,
                    "there is no function at the place that was looked up");
    else if (other_build)
        site_refuse(&search->problem, HP_BUILD_ID,
                    "it was looked up in another build of the object");
    else
        site_refuse(&search->problem, HP_NO_TARGET,
                    "the object that it was looked up in is not in the process");
}

/* Of two functions of one name the one that can be patched is not more likely to be meant. */
static void find_entries(struct search *search)
{
    search->entry_count = entries_named(search->target, search->entries, MANY);
    if (search->entry_count == 1)
        take_entry(search, &search->entries[0]);
}

/* ---- refusals ---- */

/* The object, if any, that defines a function which cannot be reached without naming it. */
static const struct object *defining_object(const struct symbol_spec *target)
{
    struct image_symbol symbol;

    for (struct object *o = objects_first(); o; o = o->next) {
        if (!o->image || o->is_ours ||
            !symbol_spec_object_matches(target, o->is_program, o->path, o->soname, o->name_space))
            continue;
        if (image_symbol(o->image, target->name, &symbol) &&
            (symbol.type == STT_FUNC || symbol.type == STT_GNU_IFUNC))
            return o;
    }
    return NULL;
}

/* "GLIBC_2.2.5, GLIBC_2.14", of the functions that are called so; "" where they have none. */
static void list_versions(const struct search *search, char *list, size_t size)
{
    struct symbol_spec all = *search->target;

    all.version[0] = '\0';
    *list = '\0';
    entries_versions(&all, list, size);
    for (struct slot *slot = slots_named(all.name); slot; slot = slot->next_in_bucket)
        if (slot->kind == SLOT_IMPORT && strcmp(slot->name, all.name) == 0 && slot->version_name &&
            import_is_defined_in(slot, &all))
            text_list_add(list, size, slot->version_name);
}

static bool refuse_version(const struct search *search, const struct object *definer,
                           const char *text, const char *asked_by, struct refusal *why)
{
    char list[512];

    if (!*search->target->version)
        return false;
    list_versions(search, list, sizeof(list));
    if (*list)
        refuse(why, HP_NO_TARGET, "%s: nothing matches %s: the versions of %s are %s", asked_by,
               text, search->target->name, list);
    else if (definer)
        refuse(why, HP_NO_TARGET, "%s: nothing matches %s: %s of %s has no versions", asked_by,
               text, search->target->name, definer->base);
    return *list || definer;
}

/* hotpatch's own, ld.so and the vDSO: what runs while others are switched. */
static bool is_never_patched(const struct symbol_spec *target)
{
    for (struct object *o = objects_first(); *target->object && o; o = o->next)
        if (o->is_ours &&
            symbol_spec_object_matches(target, o->is_program, o->path, o->soname, o->name_space))
            return true;
    return false;
}

static void refuse_missing(const struct search *search, const char *text, const char *asked_by,
                           struct refusal *why)
{
    const struct object *definer = defining_object(search->target);

    if (search->problem.code)
        refuse(why, (enum error_code)search->problem.code, "%s: %s: %s", asked_by, text,
               search->problem.text);
    else if (refuse_version(search, definer, text, asked_by, why))
        return;
    else if (definer && !*search->target->version && !*search->target->file)
        refuse(why, HP_NOT_PATCHABLE,
               "%s: %s is a function of %s, which the program does not import: name it %s:%s",
               asked_by, text, definer->base, definer->base, search->target->name);
    else if (is_never_patched(search->target))
        refuse(why, HP_NOT_PATCHABLE, "%s: %s: the functions of %s are never patched", asked_by,
               text, search->target->object);
    else if (emulator_problem())
        refuse(why, HP_EMULATED, "%s: no declared slot and no import matches %s, and %s", asked_by,
               text, emulator_problem());
    else
        refuse(why, HP_NO_TARGET, "%s: nothing matches %s", asked_by, text);
}

/* Of the names of several, which are all the one that was asked for, when that is a long one. */
#define NAME_SHOWN 100

static void list_slot(char *list, size_t size, const struct slot *slot)
{
    char name[600], shown[NAME_SHOWN];

    utf8_fit(shown, sizeof(shown), slot->name);
    snprintf(name, sizeof(name), "%s:%s",
             slot->kind == SLOT_DECLARED ? slot_name_space(slot) : object_name(slot->object),
             shown);
    text_list_add(list, size, name);
}

static void list_entry(char *list, size_t size, const struct entry_candidate *entry)
{
    const struct function *function = &entry->function;
    const char *more = function->file ? function->file : function->version;
    const char *object = object_name(entry->object);
    char name[900], shown[NAME_SHOWN];

    utf8_fit(shown, sizeof(shown), function->name ? function->name : "");
    /* Two files of different directories may be called the same. */
    snprintf(name, sizeof(name), "%s:%s%s%s (%s+0x%llx)", object, shown, more ? "@" : "",
             more ? more : "", object, (unsigned long long)function->address);
    text_list_add(list, size, name);
}

static void refuse_ambiguous(const struct search *search, const char *text, const char *asked_by,
                             struct refusal *why)
{
    size_t count = search->count ? search->count : search->entry_count;
    char list[768] = "";

    for (size_t i = 0; i < search->count && i < MANY; i++)
        list_slot(list, sizeof(list), search->found[i]);
    for (size_t i = 0; search->count == 0 && i < search->entry_count && i < MANY; i++)
        list_entry(list, sizeof(list), &search->entries[i]);
    refuse(why, HP_AMBIGUOUS, "%s: %s matches %zu slots: %s", asked_by, text, count, list);
}

static bool fits(const struct slot *slot, const char *text, uint32_t kind, const char *signature,
                 const char *asked_by, struct refusal *why)
{
    enum fit fit = fit_judge(kind, signature, slot->type, slot->signature);
    char replacement[400], replaced[400];

    if (fit == FIT_OTHER_KIND) {
        fit_describe(kind, signature, replacement, sizeof(replacement));
        fit_describe(slot->type, slot->signature, replaced, sizeof(replaced));
        refuse(why, HP_KIND, "%s: the replacement of %s is %s, the slot is %s", asked_by, text,
               replacement, replaced);
    } else if (fit == FIT_OTHER_SIGNATURE) {
        refuse(why, HP_SIGNATURE, "%s: the replacement of %s is `%s`, the slot is `%s`", asked_by,
               text, signature, slot->signature);
    }
    return fit == FIT_AGREES;
}

static bool fault_fits(const struct slot *slot, const struct module *module, struct refusal *why)
{
    const struct object *object = slot->object;
    const char *returned =
        module->fault
            ? fault_unfit_result(slot->signature, object ? object->soname : NULL, slot->name)
            : NULL;

    if (returned)
        refuse(why, HP_SIGNATURE, "%s: " FAULT_UNFIT_RESULT, module->path, slot->name, returned);
    return !returned;
}

/* Declared slots, then the function that was looked up, or functions in OBJECT or the program, then
 * imports. A function that cannot be patched at its entry can still be where it is imported. */
static void find_slots(struct transaction *transaction, const struct module *module,
                       struct search *search, const char *text)
{
    const struct symbol_spec *target = search->target;
    const struct request_place *place = place_of(module, text);

    if (!*target->file && !*target->version && !target->by_offset)
        find_declared(transaction, search);
    if (search->count == 0 && place)
        find_place(search, place);
    else if (search->count == 0)
        find_entries(search);
    if (search->count == 0 && !place && !*target->file && !target->by_offset &&
        search->entry_count < 2) {
        imports_read_named(target->name);
        find_imports(search);
    }
}

/* Who else runs that code: of an `indirect` function, of its implementation; and that a clone's parameters are the compiler's choice. `name`: as asked for. */
static void warn_of_copies(struct transaction *transaction, const struct slot *slot,
                           const char *name, bool indirect)
{
    const struct function_copies *copies = object_copies(slot->object);
    struct entry_candidate own;
    char list[200] = "";

    if (copies && indirect && entry_at(slot->object, slot->definition, false, &own))
        function_copies_list(copies, slot->definition, own.function.name, false, list,
                             sizeof(list));
    else if (copies)
        function_copies_list(copies, slot->definition, name, false, list, sizeof(list));
    if (*list)
        transaction_warn(transaction, FUNCTION_SAME_CODE, name, list);
    if (function_is_clone(name))
        transaction_warn(transaction, FUNCTION_IS_CLONE, name);
}

static void warn_of_entry(struct transaction *transaction, const struct slot *slot,
                          const char *asked_by)
{
    if (strcmp(slot->name, "main") == 0 && slot->object->is_program)
        transaction_warn(transaction, "main has been entered already: %s is for its next call",
                         asked_by);
}

struct slot *find_slot(struct transaction *transaction, const struct module *module,
                       const char *text, uint32_t kind, const char *signature)
{
    const char *asked_by = module->path;
    struct symbol_spec target;
    struct search search;

    search_begin(&search, &target);
    if (symbol_spec_parse(text, &target) != 0) {
        refuse(transaction->why, HP_TARGET, "%s: `%s` is no target", asked_by, text);
        return NULL;
    }
    find_slots(transaction, module, &search, text);
    if (search.count > 1 || search.entry_count > 1) {
        refuse_ambiguous(&search, text, asked_by, transaction->why);
        return NULL;
    }
    if (search.count == 0) {
        refuse_missing(&search, text, asked_by, transaction->why);
        return NULL;
    }
    if (search.found[0]->kind == SLOT_IMPORT && !ifunc_bind(search.found[0])) {
        refuse(transaction->why, HP_NO_TARGET, "%s: %s: ld.so finds no definition of it", asked_by,
               text);
        return NULL;
    }
    if (search.found[0]->kind == SLOT_ENTRY)
        warn_of_entry(transaction, search.found[0], asked_by);
    if (search.found[0]->kind == SLOT_ENTRY)
        warn_of_copies(transaction, search.found[0],
                       target.by_offset ? search.found[0]->name : target.name,
                       search.entry_count == 1 && search.entries[0].function.ifunc);
    if (search.problem.code && search.found[0]->kind == SLOT_IMPORT)
        transaction_warn(transaction, "%s: only calls through imports switch: %s", text,
                         search.problem.text);
    return fits(search.found[0], text, kind, signature, asked_by, transaction->why) &&
                   fault_fits(search.found[0], module, transaction->why)
               ? search.found[0]
               : NULL;
}
