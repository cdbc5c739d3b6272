/* ifunc.c - see ifunc.h. */
#include "ifunc.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

enum { ASK_MAX = 32 }; /* at once: more than a request has targets that are IFUNCs */

struct implementation {
    struct implementation *next;
    uint64_t definition; /* of the indirect function, before load bias */
    uintptr_t address;   /* 0: not known */
    bool asked;
    char *name, *version;
};

void ifuncs_free(struct implementation *list)
{
    while (list) {
        struct implementation *next = list->next;

        free(list->name);
        free(list->version);
        free(list);
        list = next;
    }
}

/* ---- what is known ---- */

static uintptr_t bound_to(const struct object *object, const struct function *function)
{
    imports_read_named(function->name);
    for (struct slot *slot = slots_named(function->name); slot; slot = slot->next_in_bucket)
        if (slot->kind == SLOT_IMPORT && slot->object == object &&
            slot->definition == function->address && strcmp(slot->name, function->name) == 0 &&
            slot->base)
            return slot->base;
    return 0;
}

/* What is not exported ld.so cannot tell. */
static void want(struct object *object, const struct function *function)
{
    struct implementation *wanted = function->exported ? calloc(1, sizeof(*wanted)) : NULL;

    if (!wanted)
        return;
    wanted->definition = function->address;
    wanted->name = text_copy(function->name);
    wanted->version = text_copy(function->version);
    if (!wanted->name) {
        ifuncs_free(wanted);
        return;
    }
    wanted->next = object->implementations;
    object->implementations = wanted;
}

uintptr_t ifunc_implementation(struct object *object, const struct function *function)
{
    uintptr_t bound = function->name ? bound_to(object, function) : 0;

    if (bound)
        return bound;
    for (const struct implementation *i = object->implementations; i; i = i->next)
        if (i->definition == function->address)
            return i->address;
    if (function->name)
        want(object, function);
    return 0;
}

/* ---- asking ---- */

struct ask_job {
    struct worker_job job;
    size_t count;
    struct asked {
        const struct object *object; /* to be found again, not to be read: it may have gone */
        uint64_t definition;
        char *path; /* NULL: the program */
        char *name, *version;
        uintptr_t address;
    } list[ASK_MAX];
};

/* ld.so's own name, so nothing is loaded (dlopen(3), RTLD_NOLOAD). */
static void run_ask(struct worker_job *job)
{
    struct ask_job *ask = (struct ask_job *)(void *)job;

    for (size_t i = 0; i < ask->count; i++) {
        struct asked *a = &ask->list[i];
        void *handle = dlopen(a->path, RTLD_LAZY | RTLD_NOLOAD);

        if (!handle)
            continue;
        a->address =
            (uintptr_t)(a->version ? dlvsym(handle, a->name, a->version) : dlsym(handle, a->name));
        dlclose(handle);
    }
}

static void ask_free(struct ask_job *ask)
{
    for (size_t i = 0; i < ask->count; i++) {
        free(ask->list[i].path);
        free(ask->list[i].name);
        free(ask->list[i].version);
    }
    free(ask);
}

static void ask_abandoned(struct worker_job *job)
{
    ask_free((struct ask_job *)(void *)job);
}

static void add_question(struct ask_job *ask, const struct object *object,
                         struct implementation *wanted)
{
    struct asked *a = &ask->list[ask->count];

    wanted->asked = true;
    a->object = object;
    a->definition = wanted->definition;
    a->path = object->is_program ? NULL : text_copy(object->path);
    a->name = text_copy(wanted->name);
    a->version = text_copy(wanted->version);
    ask->count += a->name && (a->path || object->is_program);
}

static struct ask_job *ask_new(void)
{
    struct ask_job *ask = calloc(1, sizeof(*ask));

    if (!ask)
        return NULL;
    ask->job = (struct worker_job){run_ask, ask_abandoned, "asking ld.so for indirect functions"};
    for (struct object *o = objects_first(); o; o = o->next)
        for (struct implementation *i = o->implementations; i && ask->count < ASK_MAX; i = i->next)
            if (!i->asked)
                add_question(ask, o, i);
    return ask;
}

/* Inside objects_locked(), so that what is listed is there. */
static int take_answers(void *context)
{
    const struct ask_job *ask = context;
    int known = 0;

    for (struct object *o = objects_first(); o; o = o->next)
        for (struct implementation *i = o->implementations; i; i = i->next)
            for (size_t k = 0; k < ask->count; k++)
                if (ask->list[k].object == o && ask->list[k].definition == i->definition &&
                    ask->list[k].address) {
                    i->address = ask->list[k].address;
                    known = 1;
                }
    return known;
}

static bool any_wanted(void)
{
    for (const struct object *o = objects_first(); o; o = o->next)
        for (const struct implementation *i = o->implementations; i; i = i->next)
            if (!i->asked)
                return true;
    return false;
}

bool ifuncs_ask(const struct transaction *transaction)
{
    struct ask_job *ask = any_wanted() ? ask_new() : NULL;
    bool known = false;
    int ran;

    if (!ask)
        return false;
    ran = ask->count ? shim()->worker_run(&ask->job, transaction->deadline) : 0;
    if (ran == 0 && ask->count)
        known = objects_locked(take_answers, ask) == 1;
    if (ran != -ETIMEDOUT)
        ask_free(ask);
    return known;
}
