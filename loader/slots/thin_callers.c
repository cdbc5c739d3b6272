/* thin_callers.c - see thin_callers.h. */
#include "loader/slots/thin_callers.h"

#include <stdlib.h>
#include <string.h>

#include "loader/objects/object.h"

struct called_functions {
    struct called_functions *next;
    const struct object *object;
    uint64_t *called; /* ascending */
    size_t count;
};

static struct called_functions *all_called;

static struct called_functions *called_of(const struct object *object)
{
    struct called_functions *of = all_called;

    while (of && of->object != object)
        of = of->next;
    return of;
}

/* Return the index of the first address that is not below `called`. */
static size_t place_of_called(const struct called_functions *of, uint64_t called)
{
    size_t low = 0, high = of->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (of->called[middle] < called)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_called(const struct called_functions *of, uint64_t called)
{
    size_t at = place_of_called(of, called);

    return at < of->count && of->called[at] == called;
}

bool thin_callers_has(const struct object *object, uint64_t called)
{
    const struct called_functions *of = called_of(object);

    return of && is_called(of, called);
}

static struct called_functions *make_called(const struct object *object)
{
    struct called_functions *of = calloc(1, sizeof(*of));

    if (!of)
        return NULL;
    of->object = object;
    of->next = all_called;
    all_called = of;
    return of;
}

int thin_callers_add(const struct object *object, const uint64_t *called, size_t count)
{
    struct called_functions *of = called_of(object);
    uint64_t *longer;

    if (count == 0)
        return 0;
    if (!of && !(of = make_called(object)))
        return -1;
    longer = realloc(of->called, (of->count + count) * sizeof(*longer));
    if (!longer)
        return -1;
    of->called = longer;
    for (size_t i = 0; i < count; i++) {
        size_t at = place_of_called(of, called[i]);

        if (at < of->count && longer[at] == called[i])
            continue;
        memmove(longer + at + 1, longer + at, (of->count - at) * sizeof(*longer));
        longer[at] = called[i];
        of->count++;
    }
    return 0;
}

static void called_object_gone(struct object *object)
{
    for (struct called_functions **place = &all_called; *place; place = &(*place)->next) {
        struct called_functions *of = *place;

        if (of->object != object)
            continue;
        *place = of->next;
        free(of->called);
        free(of);
        return;
    }
}

void thin_callers_register(void)
{
    static struct object_callbacks callbacks = {.gone = called_object_gone};

    objects_register(&callbacks);
}
