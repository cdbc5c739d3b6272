/* entry.c - see entry.h. */
#include "loader/slots/entry.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/decoder.h"
#include "base/services.h"
#include "base/sys.h"
#include "base/text.h"
#include "elf/functions_read.h"
#include "elf/object_callers.h"
#include "loader/objects/emulator.h"
#include "loader/objects/object_functions.h"
#include "loader/slots/direct_callers.h"
#include "loader/slots/entry_arm.h"
#include "loader/slots/entry_file.h"
#include "loader/slots/ifunc.h"
#include "loader/slots/module_state.h"
#include "loader/text/site.h"
#include "loader/text/site_find.h"
#include "resolve/function_code.h"
#include "resolve/resolver.h"

/* ---- finding ---- */

struct entry_search {
    struct object *object;
    struct entry_candidate *found;
    size_t room, count;
};

static void add_candidate(const struct function *function, void *context)
{
    struct entry_search *search = context;

    if (search->count < search->room)
        search->found[search->count] = (struct entry_candidate){search->object, *function};
    search->count++;
}

/* Return the start address of a non-PIE program, else 0. */
static uint64_t fixed_start(const struct object *object)
{
    return object->bias == 0 ? object->begin : 0;
}

bool entry_at(struct object *object, uint64_t offset, bool known, struct entry_candidate *out)
{
    struct functions *functions = object_function_index(object);

    out->object = object;
    return functions &&
           resolver_function_at(functions, fixed_start(object), offset, known, &out->function);
}

static bool may_have(const struct object *object, const struct symbol_spec *target)
{
    if (object->is_ours || !object->image)
        return false;
    if (*target->object && object->module && !object->module->live)
        return false;
    return resolver_has_functions(target, object->is_program, object->path, object->soname,
                                  object->name_space);
}

size_t entries_named(const struct symbol_spec *target, struct entry_candidate *found, size_t room)
{
    struct entry_search search = {.found = found, .room = room};

    for (struct object *o = objects_first(); o; o = o->next) {
        struct functions *functions = may_have(o, target) ? object_function_index(o) : NULL;

        search.object = o;
        if (functions)
            resolver_functions(functions, fixed_start(o), target, add_candidate, &search);
    }
    return search.count;
}

struct version_list {
    char *text;
    size_t size;
};

static int list_version(const struct function *function, void *context)
{
    struct version_list *list = context;

    if (function->version)
        text_list_add(list->text, list->size, function->version);
    return 0;
}

void entries_versions(const struct symbol_spec *target, char *list, size_t size)
{
    struct version_list versions = {list, size};

    for (struct object *o = objects_first(); o; o = o->next)
        if (may_have(o, target) && object_function_index(o))
            functions_named(o->functions, target->name, list_version, &versions);
}

/* ---- slots ---- */

bool entry_real(const struct entry_candidate *candidate, struct entry_candidate *real,
                struct site_problem *why)
{
    uintptr_t address;
    struct object *object;

    *real = *candidate;
    if (!candidate->function.ifunc)
        return true;
    address = ifunc_implementation(candidate->object, &candidate->function);
    object = address ? object_at(address) : NULL;
    if (object && !object->is_ours && entry_at(object, address - object->bias, false, real))
        return true;
    if (object)
        site_refuse(
            why, HP_NOT_PATCHABLE,
            "an indirect function (IFUNC) that stands for one of %s, which cannot be patched",
            object_name(object));
    else
        site_refuse(why, HP_NOT_PATCHABLE, "%s", FUNCTION_UNTOLD);
    return false;
}

/* Return the names of the functions that share the slot's code, or of its clones. Return NULL if there are none, or if
 * there is no memory. */
static char *copies_of(const struct slot *slot, bool clones)
{
    const struct function_copies *copies = object_copies(slot->object);
    char list[300] = "";

    if (copies)
        function_copies_list(copies, slot->definition, slot->name, clones, list, sizeof(list));
    return *list ? text_copy(list) : NULL;
}

static struct slot *make_slot(const struct entry_candidate *candidate, const char *name,
                              struct site *site)
{
    struct slot *slot = slot_new(&entry_ops, HOTPATCH_KIND_FUNCTION, name, NULL);

    if (!slot)
        return NULL;
    slot->object = candidate->object;
    slot->definition = candidate->function.address;
    slot->version_name = text_copy(candidate->function.version);
    slot->file = text_copy(candidate->function.file);
    slot->fallback = slot->live = candidate->object->bias + candidate->function.address;
    slot->site = site;
    slot->same_code = copies_of(slot, false);
    slot->clones = copies_of(slot, true);
    slot_register(slot);
    return slot;
}

void entry_code(struct object *object, const struct function *function, struct function_code *out)
{
    const struct code_view view = {
        .functions = object_function_index(object),
        .image = object->image,
        .callers = callers_of(object),
        .restore = sites_restore,
    };

    function_code_read(&view, function, out);
}

const char *entry_name(const struct entry_candidate *candidate, char buffer[FUNCTION_NAME_MAX])
{
    if (candidate->function.name)
        return function_source_name(candidate->function.name, buffer);
    snprintf(buffer, FUNCTION_NAME_MAX, "%s+0x%llx", object_name(candidate->object),
             (unsigned long long)candidate->function.address);
    return buffer;
}

int entries_refused(struct site_problem *why)
{
    if (emulator_problem())
        return site_refuse(why, HP_EMULATED, "%s", emulator_problem());
    return decoder_problem() ? site_refuse(why, HP_NEEDED, "%s", decoder_problem()) : 0;
}

struct slot *entry_slot(const struct entry_candidate *candidate, struct site_problem *why)
{
    struct entry_candidate real;
    char buffer[FUNCTION_NAME_MAX];
    struct function_code code;
    struct slot *slot;
    struct site *site;

    if (!entry_real(candidate, &real, why))
        return NULL;
    slot = slot_at(real.object, real.function.address);
    if (slot)
        return site_check(slot->site, why) == 0 ? slot : NULL;
    if (entries_refused(why) != 0)
        return NULL;
    if (entry_file_check(real.object, &real.function, why) != 0)
        return NULL;
    entry_code(real.object, &real.function, &code);
    if (code.problem) {
        site_refuse(why, HP_NOT_PATCHABLE, "%s", code.problem);
        return NULL;
    }
    site = site_at(real.object->bias + real.function.address, &code, why);
    if (!site)
        return NULL;
    slot = make_slot(&real, entry_name(candidate, buffer), site);
    if (!slot)
        site_refuse(why, HP_MEMORY, "no memory");
    return slot;
}
