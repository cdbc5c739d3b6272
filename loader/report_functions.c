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
    uint64_t *stubs; /* where functions of `object` begin that are declared slots, in order */
    size_t stub_count;
};

static int by_address(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static bool is_stub_in(const struct slot *slot, const struct object *object)
{
    return slot->object == object && slot->entry;
}

/* A declared function is entered by its stub. */
static int note_slots(struct listing *list)
{
    size_t count = 0;

    for (const struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind)
        count += is_stub_in(slot, list->object);
    list->stubs = malloc((count + 1) * sizeof(*list->stubs));
    list->stub_count = 0;
    if (!list->stubs)
        return -1;
    for (const struct slot *slot = slots_of(SLOT_DECLARED); slot; slot = slot->next_of_kind)
        if (is_stub_in(slot, list->object))
            list->stubs[list->stub_count++] = slot->entry - list->object->bias;
    qsort(list->stubs, list->stub_count, sizeof(*list->stubs), by_address);
    return 0;
}

static bool is_slot(const struct listing *list, uint64_t address)
{
    return slot_at(list->object, address) ||
           bsearch(&address, list->stubs, list->stub_count, sizeof(*list->stubs), by_address);
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
    struct object *object = list->object;
    struct function_code code = {.technique = NULL};
    char unnamed[300];
    const char *name = function->name;

    if (!name) {
        snprintf(unnamed, sizeof(unnamed), "%s+0x%llx", object_name(object),
                 (unsigned long long)function->address);
        name = unnamed;
    }
    if (list->request->match && fnmatch(list->request->match, name, 0) != 0)
        return 0;
    if (is_slot(list, function->address))
        return 0;
    code.problem = decoder_problem();
    if (!code.problem && !function->ifunc)
        entry_code(object, function, &code);
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
    json_string(list->json, "technique", code.technique);
    json_boolean(list->json, "patchable", code.problem == NULL);
    json_string(list->json, "why", code.problem);
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
        free(list->stubs);
        list->stubs = NULL;
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
