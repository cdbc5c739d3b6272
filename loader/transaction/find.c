/*
 * find.c - find the slot that a patch's target names in the process, by the rules of resolver.h. Slots of functions are
 * made here; that changes nothing of the process.
 *
 * Called by the thread that holds the engine lock, inside objects_locked().
 */
#include "loader/transaction/find.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "elf/symbols.h"
#include "loader/module/thin_state.h"
#include "loader/objects/emulator.h"
#include "loader/objects/object_functions.h"
#include "loader/objects/object_meant.h"
#include "loader/slots/entry.h"
#include "loader/slots/ifunc.h"
#include "loader/slots/import.h"
#include "loader/text/site.h"
#include "resolve/fit.h"
#include "resolve/injection_result.h"
#include "resolve/resolver.h"

/* ---- candidates ---- */

enum { CANDIDATES_MAX = 16 };

struct slot_search {
    struct transaction *transaction;
    const struct module *module; /* the module that names the target */
    const char *text;            /* the target, as the module spells it */
    struct symbol_spec target;
    struct slot *found[CANDIDATES_MAX];
    size_t count; /* may exceed the array */
    struct entry_candidate entries[CANDIDATES_MAX];
    size_t entry_count;          /* may exceed the array; if it is above 1, no slot is made */
    bool looked_up;              /* entries[0] is the place of the request */
    struct site_problem problem; /* of a function that was found and cannot be patched */
};

/* Begin a search. The arrays, which have several kilobytes, are not set to zero: only counted elements are read. */
static void search_begin(struct slot_search *search, struct transaction *transaction,
                         const struct module *module, const char *text)
{
    search->transaction = transaction;
    search->module = module;
    search->text = text;
    search->count = search->entry_count = 0;
    search->looked_up = false;
    search->problem = (struct site_problem){0};
}

static void add_slot(struct slot_search *search, struct slot *slot)
{
    if (search->count < CANDIDATES_MAX)
        search->found[search->count] = slot;
    search->count++;
}

static void add_declared(struct slot_search *search, struct slot *slot)
{
    if (strcmp(slot->name, search->target.name) == 0 && (!slot->owner || slot->owner->live_after) &&
        slot_in_object(slot, &search->target))
        add_slot(search, slot);
}

/* Find the declared slots of loaded objects, and of the patches that the transaction loads. */
static size_t find_declared(const struct symbol_spec *target, void *context)
{
    struct slot_search *search = context;
    const struct transaction *transaction = search->transaction;

    for (struct slot *slot = slot_next_named(SLOT_DECLARED, target->name, NULL); slot;
         slot = slot_next_named(SLOT_DECLARED, target->name, slot))
        add_declared(search, slot);
    for (size_t i = 0; i < transaction->load_count; i++)
        for (struct slot *slot = transaction->loads[i]->own_slots; slot; slot = slot->next)
            add_declared(search, slot);
    return search->count;
}

static size_t find_imports(const struct symbol_spec *target, enum resolver_side side, void *context)
{
    struct slot_search *search = context;

    if (side == RESOLVER_DEFINER) /* only at the first of the two sides */
        imports_read_named(target->name);
    for (struct slot *slot = slot_next_named(SLOT_IMPORT, target->name, NULL); slot;
         slot = slot_next_named(SLOT_IMPORT, target->name, slot)) {
        if (!import_is_used(slot) || !resolver_version_matches(target, slot->version_name))
            continue;
        if (side == RESOLVER_DEFINER ? import_is_defined_in(slot, target)
                                     : import_is_used_in(slot, target))
            add_slot(search, slot);
    }
    return search->count;
}

/* ---- functions at their entries ---- */

/* Return the place that the command looked up in debug information (at=), or NULL. */
static const struct request_place *looked_up_place(const struct module *module, const char *text)
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
           object_is_meant(object, &target);
}

/* Return the object of that build. Among several objects of the build, return the object of that name: a library that
 * was opened by a symbolic link, or whose file was replaced later, is mapped under another name than the command knows.
 * Without a build-id only the name counts. */
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

/* Name the slot as the request looked the function up, if the process has no name for the function. */
static void take_names(struct function *function, const struct symbol_spec *target)
{
    if (function->name)
        return;
    function->name = target->name;
    function->file = *target->file ? target->file : NULL;
}

static bool find_place(const struct symbol_spec *target, size_t *count, void *context)
{
    struct slot_search *search = context;
    const struct request_place *place = looked_up_place(search->module, search->text);
    struct object *object;
    bool other_build;

    if (!place)
        return false;
    search->looked_up = true;
    object = object_of_place(place, &other_build);
    *count = object && entry_at(object, place->offset, true, &search->entries[0]) ? 1 : 0;
    if (*count)
        take_names(&search->entries[0].function, target);
    else if (object)
        site_refuse(&search->problem, HP_NO_TARGET,
                    "there is no function at the place that was looked up");
    else if (other_build)
        site_refuse(&search->problem, HP_BUILD_ID,
                    "it was looked up in another build of the object");
    else
        site_refuse(&search->problem, HP_NO_TARGET,
                    "the object that it was looked up in is not in the process");
    return true;
}

static size_t find_functions(const struct symbol_spec *target, void *context)
{
    struct slot_search *search = context;

    search->entry_count = entries_named(target, search->entries, CANDIDATES_MAX);
    return search->entry_count;
}

static bool make_entry_slot(void *context)
{
    struct slot_search *search = context;
    struct slot *slot = entry_slot(&search->entries[0], &search->problem);

    if (slot)
        add_slot(search, slot);
    return slot != NULL;
}

static const struct resolver_source process_source = {
    .declared = find_declared,
    .place = find_place,
    .functions = find_functions,
    .patchable = make_entry_slot,
    .imports = find_imports,
};

/* ---- refusals ---- */

/* Return the object that defines a function which only OBJECT:NAME reaches, or NULL. */
static const struct object *defining_object(const struct symbol_spec *target)
{
    struct image_symbol symbol;

    for (struct object *o = objects_first(); o; o = o->next) {
        if (!o->image || o->is_ours || !object_is_meant(o, target))
            continue;
        if (image_symbol(o->image, target->name, &symbol) &&
            (symbol.type == STT_FUNC || symbol.type == STT_GNU_IFUNC))
            return o;
    }
    return NULL;
}

/* List the versions of the functions called NAME: "GLIBC_2.2.5, GLIBC_2.14"; "" if they have no versions. */
static void list_versions(const struct slot_search *search, char *list, size_t size)
{
    struct symbol_spec all = search->target;

    all.version[0] = '\0';
    *list = '\0';
    entries_versions(&all, list, size);
    for (struct slot *slot = slot_next_named(SLOT_IMPORT, all.name, NULL); slot;
         slot = slot_next_named(SLOT_IMPORT, all.name, slot))
        if (slot->version_name && import_is_defined_in(slot, &all))
            text_list_add(list, size, slot->version_name);
}

static bool refuse_version(const struct slot_search *search, const struct object *definer,
                           const char *asked_by, struct refusal *why)
{
    const char *text = search->text;
    char list[512];

    if (!*search->target.version)
        return false;
    list_versions(search, list, sizeof(list));
    if (*list)
        refuse(why, HP_NO_TARGET, "%s: nothing matches %s: the versions of %s are %s", asked_by,
               text, search->target.name, list);
    else if (definer)
        refuse(why, HP_NO_TARGET, "%s: nothing matches %s: %s of %s has no versions", asked_by,
               text, search->target.name, definer->base);
    return *list || definer;
}

/* Return whether OBJECT is the shim, the engine, ld.so or the vDSO, whose code runs while a transaction stores. */
static bool is_never_patched(const struct symbol_spec *target)
{
    for (struct object *o = objects_first(); *target->object && o; o = o->next)
        if (o->is_ours && object_is_meant(o, target))
            return true;
    return false;
}

static void refuse_missing(const struct slot_search *search, struct refusal *why)
{
    const char *text = search->text, *asked_by = search->module->path;
    const struct symbol_spec *target = &search->target;
    const struct object *definer = defining_object(target);

    if (search->problem.code)
        refuse(why, (enum error_code)search->problem.code, "%s: %s: %s", asked_by, text,
               search->problem.text);
    else if (refuse_version(search, definer, asked_by, why))
        return;
    else if (definer && !*target->version && !*target->file)
        refuse(why, HP_NOT_PATCHABLE,
               "%s: %s is a function of %s, which the program does not import: name it %s:%s",
               asked_by, text, definer->base, definer->base, target->name);
    else if (is_never_patched(target))
        refuse(why, HP_NOT_PATCHABLE, "%s: %s: the functions of %s are never patched", asked_by,
               text, target->object);
    else if (emulator_problem())
        refuse(why, HP_EMULATED, "%s: no declared slot and no import matches %s, and %s", asked_by,
               text, emulator_problem());
    else
        refuse(why, HP_NO_TARGET, "%s: nothing matches %s", asked_by, text);
}

/* Characters of a long name that are shown in a list of several functions of that name. */
#define NAME_SHOWN 100

static void list_slot(char *list, size_t size, const struct slot *slot)
{
    char name[600], shown[NAME_SHOWN];

    utf8_fit(shown, sizeof(shown), slot->name);
    snprintf(name, sizeof(name), "%s:%s",
             slot->ops->kind == SLOT_DECLARED ? slot_name_space(slot) : object_name(slot->object),
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
    /* Two files of different directories may have the same name. */
    snprintf(name, sizeof(name), "%s:%s%s%s (%s+0x%llx)", object, shown, more ? "@" : "",
             more ? more : "", object, (unsigned long long)function->address);
    text_list_add(list, size, name);
}

static void refuse_ambiguous(const struct slot_search *search, const struct resolver_choice *choice,
                             struct refusal *why)
{
    char list[768] = "";

    for (size_t i = 0; i < choice->count && i < CANDIDATES_MAX; i++)
        if (choice->kind == RESOLVER_FUNCTION)
            list_entry(list, sizeof(list), &search->entries[i]);
        else
            list_slot(list, sizeof(list), search->found[i]);
    refuse(why, HP_AMBIGUOUS, "%s: %s matches %zu slots: %s", search->module->path, search->text,
           choice->count, list);
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

static bool injection_fits(const struct slot *slot, const struct module *module,
                           struct refusal *why)
{
    const struct object *object = slot->object;
    const char *returned =
        module->injection
            ? injection_unfit_result(slot->signature, object ? object->soname : NULL, slot->name)
            : NULL;

    if (returned)
        refuse(why, HP_SIGNATURE, "%s: " INJECTION_UNFIT_RESULT, module->path, slot->name,
               returned);
    return !returned;
}

/* ---- warnings ---- */

/* Warn of other functions that run this code, and of a clone, whose parameters are the compiler's choice. The code of
 * an `indirect` function is that of its implementation. `name`: as the target spells it. */
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

static void warn_of(const struct slot_search *search, const struct slot *slot)
{
    const struct symbol_spec *target = &search->target;
    struct transaction *transaction = search->transaction;

    if (slot_writes_code(slot)) {
        if (strcmp(slot->name, "main") == 0 && slot->object->is_program)
            transaction_warn(transaction, "main has been entered already: %s is for its next call",
                             search->module->path);
        warn_of_copies(transaction, slot, target->by_offset ? slot->name : target->name,
                       !search->looked_up && search->entries[0].function.ifunc);
    } else if (slot->ops->of_importers && search->problem.code) {
        transaction_warn(transaction, "%s: only calls through imports switch: %s", search->text,
                         search->problem.text);
    }
}

/* ---- the slot ---- */

/* Return the only slot that the target names, or NULL. */
static struct slot *find_only_slot(struct slot_search *search, struct refusal *why)
{
    const struct resolver_choice choice = resolver_choose(&search->target, &process_source, search);

    if (choice.count > 1)
        refuse_ambiguous(search, &choice, why);
    else if (choice.count == 0)
        refuse_missing(search, why);
    else if (choice.kind == RESOLVER_IMPORT && !ifunc_bind(search->found[0]))
        refuse(why, HP_NO_TARGET, "%s: %s: ld.so finds no definition of it", search->module->path,
               search->text);
    else
        return search->found[0];
    return NULL;
}

struct slot *find_slot(struct transaction *transaction, const struct module *module,
                       const char *text, uint32_t kind, const char *signature)
{
    struct slot_search search;
    struct slot *slot;

    search_begin(&search, transaction, module, text);
    if (symbol_spec_parse(text, &search.target) != 0) {
        refuse(transaction->why, HP_TARGET, "%s: `%s` is no target", module->path, text);
        return NULL;
    }
    slot = find_only_slot(&search, transaction->why);
    if (!slot)
        return NULL;
    warn_of(&search, slot);
    return fits(slot, text, kind, signature, module->path, transaction->why) &&
                   injection_fits(slot, module, transaction->why)
               ? slot
               : NULL;
}

/* Name the function as the thin object does, if the process has no name for it. */
static void name_function(struct function *function, const struct symbol_spec *named)
{
    if (function->name)
        return;
    function->name = named->name;
    function->file = *named->file ? named->file : NULL;
}

struct slot *find_slot_at(struct transaction *transaction, const struct module *module,
                          const struct replacement *replacement)
{
    struct object *target = module->thin->target;
    struct site_problem problem = {0};
    struct entry_candidate candidate;
    struct symbol_spec named;
    struct slot *slot;

    if (!entry_at(target, replacement->offset, true, &candidate)) {
        refuse(transaction->why, HP_NO_TARGET, "%s: %s: there is no code at %s+0x%llx",
               module->path, replacement->target, object_name(target),
               (unsigned long long)replacement->offset);
        return NULL;
    }
    if (symbol_spec_parse(replacement->target, &named) == 0)
        name_function(&candidate.function, &named);
    slot = entry_slot(&candidate, &problem);
    if (!slot)
        refuse(transaction->why, (enum error_code)problem.code, "%s: %s: %s", module->path,
               replacement->target, problem.text);
    else if (strcmp(slot->name, "main") == 0 && slot->object->is_program)
        transaction_warn(transaction, "main has been entered already: %s is for its next call",
                         module->path);
    return slot;
}
