/* entry.c - see entry.h. */
#include "loader/slots/entry.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/services.h"
#include "base/sys.h"
#include "base/text.h"
#include "elf/functions_read.h"
#include "elf/object_callers.h"
#include "loader/objects/emulator.h"
#include "loader/objects/object_functions.h"
#include "loader/slots/direct_callers.h"
#include "loader/slots/entry_file.h"
#include "loader/slots/ifunc.h"
#include "loader/text/decoder.h"
#include "loader/text/site.h"
#include "loader/text/site_find.h"
#include "resolve/function_code.h"

/* ---- finding ---- */

struct finding {
    const struct symbol_spec *target;
    struct object *object;
    struct entry_candidate *found;
    size_t room, count;
};

static bool is_wanted(const struct function *function, const struct symbol_spec *target)
{
    if (*target->file && (!function->file || strcmp(function->file, target->file) != 0))
        return false;
    return !*target->version ||
           (function->version && strcmp(function->version, target->version) == 0);
}

static bool is_alias(const struct finding *finding, const struct function *function)
{
    for (size_t i = 0; i < finding->count && i < finding->room; i++)
        if (finding->found[i].object == finding->object &&
            finding->found[i].function.address == function->address)
            return true;
    return false;
}

static int consider(const struct function *function, void *context)
{
    struct finding *finding = context;

    if (!is_wanted(function, finding->target) || is_alias(finding, function))
        return 0;
    if (finding->count < finding->room)
        finding->found[finding->count] = (struct entry_candidate){finding->object, *function};
    finding->count++;
    return 0;
}

static int consider_default(const struct function *function, void *context)
{
    return function->version && !function->default_version ? 0 : consider(function, context);
}

/* What ld.so would take comes first: of several versions of a name the default one. */
static void find_in(struct finding *finding)
{
    struct functions *functions = object_function_index(finding->object);
    size_t before = finding->count;

    if (!functions)
        return;
    functions_named(functions, finding->target->name, consider_default, finding);
    if (finding->count == before)
        functions_named(functions, finding->target->name, consider, finding);
}

/* Of a program that does not move an offset may count from its start. */
static uint64_t address_of(const struct object *object, uint64_t offset)
{
    return object->bias == 0 && offset < object->begin ? offset + object->begin : offset;
}

bool entry_at(struct object *object, uint64_t offset, bool known, struct entry_candidate *out)
{
    struct functions *functions = object_function_index(object);

    out->object = object;
    offset = address_of(object, offset);
    if (functions && function_begins_at(functions, offset, &out->function))
        return true;
    if (!known || !functions || !function_around(functions, offset, &out->function))
        return false;
    out->function.size -= offset - out->function.address;
    out->function.address = offset;
    out->function.name = NULL;
    return true;
}

static bool is_named(const struct object *object, const struct symbol_spec *target)
{
    if (!*target->object)
        return object->is_program;
    if (object->module && !object->module->live)
        return false;
    return symbol_spec_object_matches(target, object->is_program, object->path, object->soname,
                                      object->name_space);
}

size_t entries_named(const struct symbol_spec *target, struct entry_candidate *found, size_t room)
{
    struct finding finding = {.target = target, .found = found, .room = room};

    for (struct object *o = objects_first(); o; o = o->next) {
        if (o->is_ours || !o->image || !is_named(o, target))
            continue;
        finding.object = o;
        if (target->by_offset) {
            struct entry_candidate at;

            if (entry_at(o, target->offset, false, &at) && finding.count++ < room)
                found[finding.count - 1] = at;
        } else {
            find_in(&finding);
        }
    }
    return finding.count;
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
        if (!o->is_ours && o->image && is_named(o, target) && object_function_index(o))
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

/* NULL where there are none, or no memory. */
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
    struct slot *slot = slot_new(SLOT_ENTRY, HOTPATCH_KIND_FUNCTION, name, NULL);

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
