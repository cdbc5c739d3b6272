/* ifunc.c - see ifunc.h. */
#include "loader/slots/ifunc.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "elf/functions.h"
#include "elf/indirect.h"
#include "loader/objects/linker_ask.h"
#include "loader/objects/object.h"
#include "loader/objects/object_functions.h"
#include "loader/slots/import.h"
#include "loader/slots/slot.h"

struct implementation {
    struct implementation *next;
    uint64_t definition; /* the indirect function's address, before load bias */
    uintptr_t address;   /* the implementation; 0: not known */
    bool asked;
    char *name, *version;
};

static void free_list(struct implementation *list)
{
    while (list) {
        struct implementation *next = list->next;

        free(list->name);
        free(list->version);
        free(list);
        list = next;
    }
}

static void forget(struct object *object)
{
    free_list(object->implementations);
    object->implementations = NULL;
}

void ifuncs_register(void)
{
    static struct object_callbacks callbacks = {.gone = forget};

    objects_register(&callbacks);
}

/* ---- bound words ---- */

static uintptr_t bound_to(const struct object *object, const struct function *function)
{
    imports_read_named(function->name);
    for (struct slot *slot = slot_next_named(SLOT_IMPORT, function->name, NULL); slot;
         slot = slot_next_named(SLOT_IMPORT, function->name, slot))
        if (slot->object == object && slot->definition == function->address && slot->base)
            return slot->base;
    return 0;
}

/* Return the value of the word that calls from the function's own object go through. ld.so binds it when it loads the
 * object, also with lazy binding. */
static uintptr_t own_word(struct object *object, const struct function *function)
{
    struct functions *functions = object_function_index(object);
    uint64_t where;

    for (size_t i = 0; functions && function_indirect_word(functions, function->address, i, &where);
         i++) {
        const uintptr_t *word = (const uintptr_t *)(object->bias + where);
        uintptr_t value = where % sizeof(*word) ? 0 : __atomic_load_n(word, __ATOMIC_ACQUIRE);

        if (value && object_at(value))
            return value;
    }
    return 0;
}

/* Add the function to the list for ld.so. A function that is not exported is not added: ld.so cannot find it. */
static void want(struct object *object, const struct function *function)
{
    struct implementation *wanted = function->exported ? calloc(1, sizeof(*wanted)) : NULL;

    if (!wanted)
        return;
    wanted->definition = function->address;
    wanted->name = text_copy(function->name);
    wanted->version = text_copy(function->version);
    if (!wanted->name) {
        free_list(wanted);
        return;
    }
    wanted->next = object->implementations;
    object->implementations = wanted;
}

uintptr_t ifunc_implementation(struct object *object, const struct function *function)
{
    uintptr_t bound = function->name ? bound_to(object, function) : 0;

    if (!bound)
        bound = own_word(object, function);
    if (bound)
        return bound;
    for (const struct implementation *i = object->implementations; i; i = i->next)
        if (i->definition == function->address)
            return i->address;
    if (function->name)
        want(object, function);
    return 0;
}

bool ifunc_bind(struct slot *slot)
{
    const struct function function = {.address = slot->definition,
                                      .name = slot->name,
                                      .version = slot->version_name,
                                      .exported = true};

    if (slot->base == 0)
        slot->base = slot->fallback = slot->live = ifunc_implementation(slot->object, &function);
    return slot->base != 0;
}

/* ---- asking ---- */

static size_t count_wanted(void)
{
    size_t count = 0;

    for (const struct object *o = objects_first(); o; o = o->next)
        for (const struct implementation *i = o->implementations; i; i = i->next)
            count += !i->asked;
    return count;
}

/* The state of a question to ld.so. The objects are not read after the question is made: they may be unmapped while
 * ld.so is asked. */
struct answers {
    const struct linker_ask *ask;
    size_t count;
    struct {
        const struct object *object;
        uint64_t definition;
    } list[];
};

static int add_questions(struct linker_ask *ask, struct answers *answers)
{
    for (struct object *o = objects_first(); o; o = o->next)
        for (struct implementation *i = o->implementations; i; i = i->next) {
            if (i->asked)
                continue;
            if (linker_ask_add(ask, o->is_program ? NULL : o->path, i->name, i->version) != 0)
                return -1;
            answers->list[answers->count].object = o;
            answers->list[answers->count++].definition = i->definition;
        }
    return 0;
}

static struct implementation *wanted_of(const struct object *object, uint64_t definition)
{
    for (const struct object *o = objects_first(); o; o = o->next)
        for (struct implementation *i = o->implementations; o == object && i; i = i->next)
            if (i->definition == definition && !i->asked)
                return i;
    return NULL;
}

/* Store the answers. Called inside objects_locked(), so that the listed objects are mapped. */
static int take_answers(void *context)
{
    const struct answers *answers = context;
    int known = 0;

    for (size_t k = 0; k < answers->count; k++) {
        struct implementation *i = wanted_of(answers->list[k].object, answers->list[k].definition);

        if (!i)
            continue;
        i->asked = true;
        i->address = linker_ask_answer(answers->ask, k);
        known |= i->address != 0;
    }
    return known;
}

static int ask_all(struct linker_ask *ask, struct answers *answers, uint64_t deadline,
                   struct refusal *why)
{
    int known;

    if (add_questions(ask, answers) != 0) {
        linker_ask_free(ask);
        return refuse(why, HP_MEMORY, "ask the dynamic linker for symbols: no memory");
    }
    if (linker_ask_run(ask, deadline, why) != 0)
        return -1;
    known = objects_locked(take_answers, answers);
    linker_ask_free(ask);
    return known == 1;
}

int ifuncs_ask(uint64_t deadline, struct refusal *why)
{
    size_t wanted = count_wanted();
    struct linker_ask *ask = wanted ? linker_ask_new(wanted) : NULL;
    struct answers *answers =
        wanted ? calloc(1, sizeof(*answers) + wanted * sizeof(answers->list[0])) : NULL;
    int known = 0;

    if (ask && answers) {
        answers->ask = ask;
        known = ask_all(ask, answers, deadline, why);
    } else if (wanted) {
        free(ask);
        known = refuse(why, HP_MEMORY, "ask the dynamic linker for symbols: no memory");
    }
    free(answers);
    return known;
}
