/*
 * unique.c - which of a C++ patch's unique symbols are the program's, and which its own.
 *
 * g++ gives static members of templates, statics of inline functions and their guards the binding
 * STB_GNU_UNIQUE: ld.so takes the first definition that it met for all objects, whatever their scope, and
 * never unmaps the object that has it (glibc, elf/dl-lookup.c, do_lookup_unique). The first version of
 * a patch would so give its data to all later ones, and to all other patches.
 *
 * In the private copy such a symbol becomes STB_GLOBAL: it binds to what the program's global scope
 * defines, else to the copy's own. Where an object of the program, wherever opened, has it as a unique
 * symbol, it stays one, and binds to that (std::locale::id).
 *
 * Listener; inside objects_locked().
 */
#include <elf.h>

#include "elf/symbols.h"
#include "elf/unique.h"
#include "loader/module/module.h"
#include "loader/objects/object.h"

static bool program_has_unique(const char *name)
{
    struct image_symbol found;

    for (struct object *o = objects_first(); o; o = o->next)
        if (!o->module && o->image && image_symbol(o->image, name, &found) &&
            found.binding == STB_GNU_UNIQUE)
            return true;
    return false;
}

static int settle(const char *name, size_t info, void *context)
{
    struct module *module = context;
    unsigned char *bytes = module->bytes;

    if (program_has_unique(name))
        return 0;
    bytes[info] = ELF64_ST_INFO(STB_GLOBAL, ELF64_ST_TYPE(bytes[info]));
    module->edited = true;
    return 0;
}

int module_settle_unique(struct module *module, struct refusal *why)
{
    struct elf_error fault;

    if (!module->image || module->reused ||
        image_unique_symbols(module->image, settle, module, &fault) == 0)
        return 0;
    return refuse(why, HP_ELF_CORRUPT, "%s: %s", module->path, fault.text);
}
