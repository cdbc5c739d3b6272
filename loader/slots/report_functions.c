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

#include "base/clock.h"
#include "loader/objects/object_functions.h"
#include "loader/slots/entry.h"
#include "loader/slots/ifunc.h"
#include "loader/slots/import.h"
#include "loader/slots/limit.h"
#include "loader/slots/report.h"
#include "loader/text/decoder.h"
#include "resolve/function_code.h"

enum { ASK_MS = 2000 };

struct listing {
    const struct request *request;
    struct limit *limit;
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
    const struct function_copies *copies = function->ifunc ? NULL : object_copies(list->object);
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

/* As find.c does where no entry can be had: all words of one import, which must be defined there. */
static bool is_imported(const struct object *object, const struct function *function)
{
    size_t count = 0;

    for (const struct slot *slot =
             function->name ? slot_next_named(SLOT_IMPORT, function->name, NULL) : NULL;
         slot; slot = slot_next_named(SLOT_IMPORT, function->name, slot))
        count += slot->object == object && import_is_used(slot);
    return count == 1;
}

/* What a load would make of the function, found by its name. */
static void judge(const struct listing *list, const struct function *function,
                  struct function_code *code, struct site_problem *why)
{
    const struct entry_candidate candidate = {list->object, *function};
    struct entry_candidate real;

    if (entries_refused(why) == 0 && entry_real(&candidate, &real, why) &&
        !slot_at(real.object, real.function.address) && object_function_index(real.object)) {
        entry_code(real.object, &real.function, code);
        if (code->problem)
            site_refuse(why, HP_NOT_PATCHABLE, "%s", code->problem);
    }
}

/* A function whose entry cannot be had, and which objects import, can be patched all the same. */
static void put_judgement(const struct listing *list, const struct function *function)
{
    struct function_code code = {.technique = NULL};
    struct site_problem why = {0};
    bool imported;

    judge(list, function, &code, &why);
    imported = why.code && is_imported(list->object, function);
    json_string(list->json, "technique", code.technique);
    json_boolean(list->json, "patchable", !why.code || imported);
    if (imported) {
        char text[sizeof(why.text) + 64];

        snprintf(text, sizeof(text), "only calls through imports switch: %s", why.text);
        json_string(list->json, "why", text);
    } else {
        json_string(list->json, "why", why.code ? why.text : NULL);
    }
}

/* An indirect function is a slot where its implementation is one, under its name. */
static bool is_listed_slot(const struct listing *list, const struct function *function,
                           const char *name)
{
    const struct entry_candidate candidate = {list->object, *function};
    struct entry_candidate real;
    struct site_problem ignored;
    const struct slot *slot;

    if (is_slot(list, function->address))
        return true;
    if (!function->ifunc || !entry_real(&candidate, &real, &ignored))
        return false;
    slot = slot_at(real.object, real.function.address);
    return slot && strcmp(slot->name, name) == 0;
}

static bool matches(const struct listing *list, const char *name)
{
    return !list->request->match || fnmatch(list->request->match, name, 0) == 0;
}

static int put_function(const struct function *function, void *context)
{
    const struct listing *list = context;
    struct object *object = list->object;
    char buffer[FUNCTION_NAME_MAX];
    const struct entry_candidate candidate = {object, *function};
    const char *name = entry_name(&candidate, buffer);

    if (limit_reached(list->limit))
        return 1;
    if (!matches(list, name))
        return 0;
    if (is_listed_slot(list, function, name))
        return 0;
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
    put_judgement(list, function);
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

/* The functions of the next object that is listed, which becomes list->object; NULL: `more` says whether there are
 * others. */
static struct functions *next_functions(struct listing *list)
{
    size_t index = 0;

    list->more = false;
    for (struct object *o = objects_first(); o; o = o->next) {
        if (index++ < list->skip)
            continue;
        list->skip = index;
        list->more = true;
        list->object = o;
        if (is_listed(list, o))
            return object_function_index(o);
    }
    return NULL;
}

static int put_next_object(void *context)
{
    struct listing *list = context;
    struct functions *functions = next_functions(list);
    int result = 0;

    if (functions && note_slots(list) == 0)
        result = functions_each(functions, put_function, list);
    free(list->stubs);
    list->stubs = NULL;
    return result > 0;
}

static int want_implementation(const struct function *function, void *context)
{
    const struct listing *list = context;
    const struct entry_candidate candidate = {list->object, *function};
    char buffer[FUNCTION_NAME_MAX];
    struct entry_candidate real;
    struct site_problem ignored;

    if (limit_reached(list->limit))
        return 1;
    if (function->ifunc && matches(list, entry_name(&candidate, buffer)))
        entry_real(&candidate, &real, &ignored);
    return 0;
}

static int want_next_object(void *context)
{
    struct listing *list = context;
    struct functions *functions = next_functions(list);

    return functions && functions_each(functions, want_implementation, list) > 0;
}

/* 0, what `body` returned of the last object, or -1: no memory. */
static int each_object(struct listing *list, int (*body)(void *list))
{
    int result = 0;

    list->skip = 0;
    list->more = true;
    while (list->more && result == 0)
        result = objects_locked(body, list);
    return result;
}

/* Before the list is made: ld.so is asked outside objects_locked(). Where it is busy what it would say is not
 * known. */
static void ask_implementations(struct listing *list)
{
    struct refusal busy = {0};
    uint64_t until = list->limit->until;

    if (each_object(list, want_next_object) == 0)
        ifuncs_ask(until ? until : clock_ms() + ASK_MS, &busy);
    refusal_clear(&busy);
}

/* Of node they take 40 MB. What a load has made stays for the next one. */
static int begin_passing(void *nothing)
{
    (void)nothing;
    for (struct object *o = objects_first(); o; o = o->next)
        o->functions_passing = !o->functions;
    return 0;
}

static int end_passing(void *nothing)
{
    (void)nothing;
    for (struct object *o = objects_first(); o; o = o->next)
        if (o->functions_passing) {
            object_functions_forget(o);
            o->functions_passing = false;
        }
    return 0;
}

bool report_functions(const struct request *request, struct limit *limit, struct json *json)
{
    struct listing list = {.request = request, .limit = limit, .json = json};
    int result;

    if (request->slots_alone ||
        (request->kind && strcmp(request->kind, slot_kind_name(SLOT_ENTRY)) != 0))
        return true;
    objects_locked(begin_passing, NULL);
    ask_implementations(&list);
    result = each_object(&list, put_next_object);
    objects_locked(end_passing, NULL);
    return result <= 0;
}
