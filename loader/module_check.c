/*
 * module_check.c - does a patch fit this process? Asked before any of its code can run.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine.h"
#include "module.h"
#include "object.h"
#include "relocations.h"
#include "target.h"

/* ---- undefined symbols ---- */

/* A needed library that is not in the process yet brings symbols that cannot be known here; then
 * ld.so judges, which binds everything (RTLD_NOW) before it runs anything. */
static bool all_needed_present(const struct module *module)
{
    const char *needed;

    for (size_t i = 0; (needed = image_needed(module->image, i)) != NULL; i++)
        if (!needed_is_present(needed))
            return false;
    return true;
}

static bool process_defines(const char *name)
{
    struct image_symbol found;

    for (struct object *o = objects_first(); o; o = o->next)
        if (!o->module && o->image && image_symbol(o->image, name, &found))
            return true;
    return false;
}

struct check {
    struct module *module;
    struct refusal *why;
};

static int check_symbol(const struct image_symbol *symbol, void *context)
{
    struct check *check = context;

    if (!symbol->dynamic || symbol->defined || symbol->binding == STB_WEAK || !*symbol->name)
        return 0;
    if (!process_defines(symbol->name))
        refuse(check->why, HP_UNDEFINED, "%s: nothing in the process defines %s",
               check->module->path, symbol->name);
    return 0;
}

void module_check_undefined(struct module *module, struct refusal *why)
{
    struct check check = {module, why};
    struct elf_fault fault;

    if (!module->image || !all_needed_present(module))
        return;
    if (image_symbols(module->image, check_symbol, &check, &fault) < 0)
        refuse(why, HP_ELF_CORRUPT, "%s: %s", module->path, fault.text);
}

/* ---- HOTPATCH_TARGET ---- */

void module_check_targets(const struct module *module, struct refusal *why)
{
    for (size_t i = 0; i < module->target_count; i++) {
        const struct module_target *wanted = &module->targets[i];
        struct target target = {0};
        const char *found = NULL;

        if (snprintf(target.object, sizeof(target.object), "%s", wanted->object) >=
            (int)sizeof(target.object)) {
            refuse(why, HP_TARGET, "%s: the object of HOTPATCH_TARGET is too long", module->path);
            continue;
        }
        for (struct object *o = objects_first(); o && !found; o = o->next)
            if (target_object_matches(&target, o->is_program, o->path, o->soname, o->name_space))
                found = o->build_id;
        if (!found)
            refuse(why, HP_BUILD_ID, "%s is for build %s of %s, which is not in the process",
                   module->path, wanted->build_id, wanted->object);
        else if (strcasecmp(found, wanted->build_id) != 0)
            refuse(why, HP_BUILD_ID, "%s is for build %s of %s, and build %s is running",
                   module->path, wanted->build_id, wanted->object, *found ? found : "(without id)");
    }
}
