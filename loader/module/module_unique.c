/* module_unique.c - see module_unique.h. */
#include "loader/module/module_unique.h"

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

static int make_own(const char *name, size_t info, void *context)
{
    struct module *module = context;
    unsigned char *bytes = module->bytes;

    if (program_has_unique(name))
        return 0;
    bytes[info] = ELF64_ST_INFO(STB_GLOBAL, ELF64_ST_TYPE(bytes[info]));
    module->edited = true;
    return 0;
}

int module_make_unique_own(struct module *module, struct refusal *why)
{
    struct elf_error error;

    if (!module->image || module->reused ||
        image_unique_symbols(module->image, make_own, module, &error) == 0)
        return 0;
    return refuse(why, HP_ELF_CORRUPT, "%s: %s", module->path, error.text);
}
