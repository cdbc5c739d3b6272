/*
 * report_functions.c - the functions that could be entry slots, as `slots` lists them: each with
 * the reason where its entry cannot be patched. Those that are slots already are listed as such.
 *
 * One object at a time is looked at inside objects_locked(), so that a program that opens
 * libraries does not wait for the whole list.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "entry.h"
#include "function_code.h"
#include "report.h"

struct listing {
    const struct request *request;
    struct json *json;
    size_t skip; /* objects that are done */
    bool more;
    struct object *object;
    uint64_t *slots; /* where functions of `object` begin that are slots already */
    size_t slot_count;
};

/* Where the function begins that a slot is of, or 0: a declared one is entered by its stub. */
static uint64_t begin_of(const struct slot *slot)
{
    if (slot->kind == SLOT_ENTRY)
        return slot->definition;
    return slot->kind == SLOT_DECLARED && slot->entry ? slot->entry - slot->object->bias : 0;
}

/* Of the many slots that imports are, none has to be looked at for each function. */
static int note_slots(struct listing *list)
{
    size_t count = 0;
    uint64_t begin;

    for (const struct slot *slot = slots_first(); slot; slot = slot->next)
        count += slot->object == list->object && begin_of(slot);
    list->slots = malloc((count + 1) * sizeof(*list->slots));
    list->slot_count = 0;
    if (!list->slots)
        return -1;
    for (const struct slot *slot = slots_first(); slot; slot = slot->next)
        if (slot->object == list->object && (begin = begin_of(slot)) != 0)
            list->slots[list->slot_count++] = begin;
    return 0;
}

static bool is_slot(const struct listing *list, uint64_t address)
{
    for (size_t i = 0; i < list->slot_count; i++)
        if (list->slots[i] == address)
            return true;
    return false;
}

static void put_copies(const struct listing *list, const struct function *function)
{
    const struct function_copies *copies = entry_copies(list->object);
    char same[300] = "", clones[300] = "";

    if (copies) {
        function_copies_list(copies, function->address, function->name, false, same, sizeof(same));
        function_copies_list(copies, function->address, function->name, true, clones,
                             sizeof(clones));
    }
    if (*same)
        json_string(list->json, "same_code", same);
    if (*clones)
        json_string(list->json, "clones", clones);
}

static int put_function(const struct function *function, void *context)
{
    const struct listing *list = context;
    const struct object *object = list->object;
    char unnamed[300];
    const char *name = function->name, *why;
    uint64_t size;

    if (!name) {
        snprintf(unnamed, sizeof(unnamed), "%s+0x%llx", object_name(object),
                 (unsigned long long)function->address);
        name = unnamed;
    }
    if (list->request->match && fnmatch(list->request->match, name, 0) != 0)
        return 0;
    if (is_slot(list, function->address))
        return 0;
    why = decoder_problem();
    if (!why && !function->ifunc)
        why = function_code_problem(object->functions, object->image, function, &size);
    json_object_begin(list->json, NULL);
    json_string(list->json, "name", name);
    json_string(list->json, "kind", slot_kind_name(SLOT_ENTRY));
    json_string(list->json, "type", slot_type_name(HOTPATCH_KIND_FUNCTION));
    json_string(list->json, "object", object_name(object));
    json_string(list->json, "object_path", object->path);
    json_string(list->json, "file", function->file);
    json_string(list->json, "symbol_version", function->version);
    json_unsigned(list->json, "offset", function->address);
    json_unsigned(list->json, "size", function->size);
    json_boolean(list->json, "armed", false);
    json_boolean(list->json, "patchable", why == NULL);
    json_string(list->json, "why", why);
    put_copies(list, function);
    json_array_begin(list->json, "layers");
    json_array_end(list->json);
    json_object_end(list->json);
    return 0;
}

/* All objects where something was asked for by name or kind; else the program alone, since nobody
 * reads the thousands of libc's. */
static bool is_listed(const struct listing *list, const struct object *object)
{
    if (object->is_ours || object->module || !object->image)
        return false;
    return object->is_program || list->request->match || list->request->kind;
}

static int put_next_object(void *context)
{
    struct listing *list = context;
    size_t index = 0;

    list->more = false;
    for (struct object *o = objects_first(); o; o = o->next) {
        struct functions *functions;

        if (index++ < list->skip)
            continue;
        list->skip = index;
        list->more = true;
        if (!is_listed(list, o))
            continue;
        functions = entry_functions(o);
        list->object = o;
        if (functions && note_slots(list) == 0)
            functions_each(functions, put_function, list);
        free(list->slots);
        list->slots = NULL;
        return 0;
    }
    return 0;
}

void report_functions(const struct request *request, struct json *json)
{
    struct listing list = {.request = request, .json = json, .more = true};

    if (request->kind && strcmp(request->kind, slot_kind_name(SLOT_ENTRY)) != 0)
        return;
    while (list.more)
        if (objects_locked(put_next_object, &list) != 0)
            return;
}
