/* module_check.c - see module_check.h. */
#include "loader/module/module_check.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "elf/symbols.h"
#include "elf/versions.h"
#include "loader/module/module.h"
#include "loader/module/needed.h"
#include "loader/objects/linker_ask.h"
#include "loader/objects/object.h"
#include "loader/objects/object_meant.h"
#include "loader/objects/scope.h"
#include "resolve/symbol_spec.h"

/* ---- symbols and their versions ---- */

struct fit_check {
    struct module *module;
    const struct image *image; /* image of the patch, or of a library that comes with it */
    const char *path;
    struct refusal *why;
};

static const struct image *library_named(const struct module *module, const char *name)
{
    const struct image *image = scope_library(name);
    const struct needed *library = image ? NULL : needed_named(module->needed, name);

    return library ? library->image : image;
}

/* Check a needed version. A library without versions supplies every version: ld.so only prints a warning. */
static int check_version(const struct version_need *need, void *context)
{
    const struct fit_check *check = context;
    const struct image *library = library_named(check->module, need->file);
    bool versioned;

    if (!library || need->weak || image_defines_version(library, need->version, &versioned) ||
        !versioned)
        return 0;
    refuse(check->why, HP_UNDEFINED, "%s: %s has no version %s", check->path, need->file,
           need->version);
    return 0;
}

/* Return whether the patch itself, or an object that it needs, supplies the symbol. The object may be in the process
 * already, or not yet. */
static enum scope_answer supplies(const struct module *module, const char *name,
                                  const char *version)
{
    struct image_symbol symbol;
    enum scope_answer answer = scope_supplies(module->image, name, version);

    if (answer != SCOPE_YES && scope_image_defines(module->image, name, version, &symbol))
        return SCOPE_YES;
    for (const struct needed *n = module->needed; n && answer != SCOPE_YES; n = n->next)
        if (!n->image || scope_image_defines(n->image, name, version, &symbol) ||
            scope_supplies(n->image, name, version) == SCOPE_YES)
            answer = SCOPE_YES;
    return answer;
}

static void refuse_undefined(const char *path, const char *name, const char *version,
                             struct refusal *why)
{
    refuse(why, HP_UNDEFINED, "%s: nothing in the process defines %s%s%s", path, name,
           version ? " in version " : "", version ? version : "");
}

/* ---- symbols that only ld.so can find ---- */

/* Add a symbol to the list of doubts. If there is no memory, ld.so checks the symbol when it loads the patch. */
static void add_doubt(const struct fit_check *check, const struct image_symbol *symbol)
{
    struct doubt *doubt = calloc(1, sizeof(*doubt));

    if (!doubt)
        return;
    doubt->path = text_copy(check->path);
    doubt->name = text_copy(symbol->name);
    doubt->version = text_copy(symbol->version);
    doubt->next = check->module->doubts;
    check->module->doubts = doubt;
}

static size_t count_doubts(struct module *const *modules, size_t count)
{
    size_t doubts = 0;

    for (size_t i = 0; i < count; i++)
        for (const struct doubt *d = modules[i]->doubts; d; d = d->next)
            doubts++;
    return doubts;
}

static int add_doubts(struct linker_ask *ask, struct module *const *modules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (const struct doubt *d = modules[i]->doubts; d; d = d->next)
            if (linker_ask_add(ask, NULL, d->name, d->version) != 0)
                return -1;
    return 0;
}

static void refuse_answered(const struct linker_ask *ask, struct module *const *modules,
                            size_t count, struct refusal *why)
{
    size_t k = 0;

    for (size_t i = 0; i < count; i++)
        for (const struct doubt *d = modules[i]->doubts; d; d = d->next)
            if (linker_ask_answer(ask, k++) == 0)
                refuse_undefined(d->path, d->name, d->version, why);
}

int modules_check_doubts(struct module *const *modules, size_t count, uint64_t deadline,
                         struct refusal *why)
{
    size_t before = why->count, doubts = count_doubts(modules, count);
    struct linker_ask *ask = doubts ? linker_ask_new(doubts) : NULL;

    if (!doubts)
        return 0;
    if (!ask || add_doubts(ask, modules, count) != 0) {
        if (ask)
            linker_ask_free(ask);
        return refuse(why, HP_MEMORY, "ask the dynamic linker for symbols: no memory");
    }
    if (linker_ask_run(ask, deadline, why) != 0)
        return -1;
    refuse_answered(ask, modules, count, why);
    linker_ask_free(ask);
    return why->count > before ? -1 : 0;
}

/* ---- the check ---- */

static int check_symbol(const struct image_symbol *symbol, void *context)
{
    const struct fit_check *check = context;

    if (!symbol->dynamic || symbol->defined || symbol->binding == STB_WEAK || !*symbol->name)
        return 0;
    switch (supplies(check->module, symbol->name, symbol->version)) {
    case SCOPE_YES:
        break;
    case SCOPE_PERHAPS:
        add_doubt(check, symbol);
        break;
    default:
        refuse_undefined(check->path, symbol->name, symbol->version, check->why);
        break;
    }
    return 0;
}

static void check_image(const struct fit_check *check)
{
    struct elf_error error;

    if (image_version_needs(check->image, check_version, (void *)(uintptr_t)check, &error) < 0 ||
        image_symbols(check->image, check_symbol, (void *)(uintptr_t)check, &error) < 0)
        refuse(check->why, HP_ELF_CORRUPT, "%s: %s", check->path, error.text);
}

void module_check_undefined(struct module *module, struct refusal *why)
{
    struct fit_check check = {module, module->image, module->path, why};

    module_forget_doubts(module);
    if (!module->image)
        return;
    check_image(&check);
    for (const struct needed *n = module->needed; n; n = n->next) {
        check.image = n->image;
        check.path = n->path;
        if (n->image)
            check_image(&check);
    }
}

/* ---- HOTPATCH_TARGET ---- */

void module_check_targets(const struct module *module, struct refusal *why)
{
    for (size_t i = 0; i < module->target_count; i++) {
        const struct module_target *wanted = &module->targets[i];
        struct symbol_spec target = {0};
        const char *found = NULL;

        if (snprintf(target.object, sizeof(target.object), "%s", wanted->object) >=
            (int)sizeof(target.object)) {
            refuse(why, HP_TARGET, "%s: the object of HOTPATCH_TARGET is too long", module->path);
            continue;
        }
        for (struct object *o = objects_first(); o && !found; o = o->next)
            if (object_is_meant(o, &target))
                found = o->build_id;
        if (!found)
            refuse(why, HP_BUILD_ID, "%s is for build %s of %s, which is not in the process",
                   module->path, wanted->build_id, wanted->object);
        else if (strcasecmp(found, wanted->build_id) != 0)
            refuse(why, HP_BUILD_ID, "%s is for build %s of %s, and build %s is running",
                   module->path, wanted->build_id, wanted->object, *found ? found : "(without id)");
    }
}
