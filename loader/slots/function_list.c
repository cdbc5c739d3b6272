/* function_list.c - see function_list.h. */
#include "loader/slots/function_list.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/decoder.h"
#include "base/clock.h"
#include "loader/objects/object_functions.h"
#include "loader/slots/entry.h"
#include "loader/slots/ifunc.h"
#include "loader/slots/import.h"
#include "resolve/function_code.h"

enum { ASK_MS = 2000 };

struct listing {
    const struct request *request;
    struct limit *limit;
    const struct reported_rows *rows;
    size_t skip; /* number of objects that are listed */
    bool more;   /* there are objects that are not listed yet */
    struct object *object;
    uint64_t *stubs; /* the sorted addresses of functions of `object` that are declared slots */
    size_t stub_count;
};

static int by_address(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static bool is_stub_in(const struct slot *slot, const struct object *object)
{
    return slot->object == object && slot->stub;
}

/* Collect the addresses of functions of list->object that are declared slots: such a function begins with its stub.
 * Return 0, or -1 if there is no memory. */
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
            list->stubs[list->stub_count++] = slot->stub - list->object->bias;
    qsort(list->stubs, list->stub_count, sizeof(*list->stubs), by_address);
    return 0;
}

static bool is_slot(const struct listing *list, uint64_t address)
{
    return slot_at(list->object, address) ||
           bsearch(&address, list->stubs, list->stub_count, sizeof(*list->stubs), by_address);
}

struct copies_texts {
    char same[300], clones[300];
};

static void name_copies(const struct listing *list, const struct function *function,
                        struct copies_texts *texts)
{
    const struct function_copies *copies = function->ifunc ? NULL : object_copies(list->object);

    texts->same[0] = texts->clones[0] = '\0';
    if (!copies)
        return;
    function_copies_list(copies, function->address, function->name, false, texts->same,
                         sizeof(texts->same));
    function_copies_list(copies, function->address, function->name, true, texts->clones,
                         sizeof(texts->clones));
}

/* Return whether the function is defined for one import slot only. If its entry cannot be patched, a load takes that
 * slot (find.c). */
static bool is_imported(const struct object *object, const struct function *function)
{
    size_t count = 0;

    for (const struct slot *slot =
             function->name ? slot_next_named(SLOT_IMPORT, function->name, NULL) : NULL;
         slot; slot = slot_next_named(SLOT_IMPORT, function->name, slot))
        count += slot->object == object && import_is_used(slot);
    return count == 1;
}

/* Check whether a load could patch the function's entry. */
static void try_entry(const struct listing *list, const struct function *function,
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

struct checked_function {
    struct function_code code;
    bool patchable;
    char why[sizeof(((struct site_problem *)0)->text) + 64]; /* "": no reason */
};

/* Check a function. If its entry cannot be patched and objects import it, the function can be patched in their
 * words. */
static void check_listed(const struct listing *list, const struct function *function,
                         struct checked_function *out)
{
    struct site_problem why = {0};
    bool imported;

    out->code = (struct function_code){.technique = NULL};
    try_entry(list, function, &out->code, &why);
    imported = why.code && is_imported(list->object, function);
    out->patchable = !why.code || imported;
    out->why[0] = '\0';
    if (why.code)
        snprintf(out->why, sizeof(out->why), "%s%s",
                 imported ? "only calls through imports switch: " : "", why.text);
}

/* Return whether the function is a slot. An indirect function is a slot if its implementation is a slot of its name. */
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

static void report_function(const struct listing *list, const struct function *function,
                            const char *name)
{
    const struct object *object = list->object;
    struct checked_function checked;
    struct copies_texts copies;

    check_listed(list, function, &checked);
    name_copies(list, function, &copies);
    list->rows->function(list->rows->context,
                         &(struct reported_function){.name = name,
                                                     .kind = slot_kind_name(SLOT_ENTRY),
                                                     .type = slot_type_name(HOTPATCH_KIND_FUNCTION),
                                                     .object = object_name(object),
                                                     .object_path = object->path,
                                                     .file = function->file,
                                                     .symbol_version = function->version,
                                                     .offset = function->address,
                                                     .size = function->size,
                                                     .technique = checked.code.technique,
                                                     .patchable = checked.patchable,
                                                     .why = checked.why[0] ? checked.why : NULL,
                                                     .same_code = copies.same,
                                                     .clones = copies.clones});
}

static int list_function(const struct function *function, void *context)
{
    const struct listing *list = context;
    char buffer[FUNCTION_NAME_MAX];
    const struct entry_candidate candidate = {list->object, *function};
    const char *name = entry_name(&candidate, buffer);

    if (limit_reached(list->limit))
        return 1;
    if (!matches(list, name))
        return 0;
    if (is_listed_slot(list, function, name))
        return 0;
    report_function(list, function, name);
    return 0;
}

/* Return whether the object's functions are listed. All objects are listed if the request gives names of functions or
 * their kind; else only the program is listed, because the list of libc's thousands of functions is rarely wanted. */
static bool is_listed(const struct listing *list, const struct object *object)
{
    if (object->is_ours || object->module || !object->image)
        return false;
    return object->is_program || list->request->match || list->request->kind;
}

/* Return the functions of the next object that is listed, which becomes list->object. If NULL is returned, `more` is
 * true if there are other objects. */
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

/* List one object. Return 0; 1 if the limit was reached; -1 if there is no memory. */
static int list_next_object(void *context)
{
    struct listing *list = context;
    struct functions *functions = next_functions(list);
    int result = 0;

    if (functions)
        result = note_slots(list) == 0 ? functions_each(functions, list_function, list) : -1;
    free(list->stubs);
    list->stubs = NULL;
    return result;
}

/* Record that the implementation of an indirect function is wanted, so that ifuncs_ask() asks ld.so for it. */
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

/* Run `body` once for each object, inside objects_locked(), until it returns another value than 0. Return that value,
 * 0, or -1 if there is no memory. */
static int each_object(struct listing *list, int (*body)(void *list))
{
    int result = 0;

    list->skip = 0;
    list->more = true;
    while (list->more && result == 0)
        result = objects_locked(body, list);
    return result;
}

/* Ask ld.so for the implementations of indirect functions before the list is made, because ld.so cannot be asked inside
 * objects_locked(). While ld.so is busy the implementations stay unknown. */
static void ask_implementations(struct listing *list)
{
    struct refusal busy = {0};
    uint64_t until = list->limit->until;

    if (each_object(list, want_next_object) == 0)
        ifuncs_ask(until ? until : clock_ms() + ASK_MS, &busy);
    refusal_clear(&busy);
}

/* Mark the objects whose functions are not known yet. The indexes that the list makes of them are freed after it: 40 MB
 * in node. An index that a load has made stays for the next load. */
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

int function_list(const struct request *request, struct limit *limit,
                  const struct reported_rows *rows, struct refusal *why)
{
    struct listing list = {.request = request, .limit = limit, .rows = rows};
    int result;

    if (request->slots_alone || !slot_kind_asked(request->kind, SLOT_ENTRY))
        return 0;
    objects_locked(begin_passing, NULL);
    ask_implementations(&list);
    result = each_object(&list, list_next_object);
    objects_locked(end_passing, NULL);
    if (result > 0)
        return limit_refuse(limit, why);
    return result < 0 ? refuse(why, HP_MEMORY, "list the functions: no memory") : 0;
}
