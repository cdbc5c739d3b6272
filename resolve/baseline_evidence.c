/*
 * baseline_evidence.c - see baseline_evidence.h.
 */
#include "resolve/baseline_evidence.h"

#include <stdlib.h>

/* Make room for one more element; false: no memory. */
static bool list_grow(struct baseline_work *work, void **items, size_t count, size_t *capacity,
                      size_t size)
{
    if (count < *capacity)
        return true;
    size_t more = *capacity ? 2 * *capacity : 256;
    void *grown = realloc(*items, more * size);
    if (!grown) {
        work->no_memory = true;
        return false;
    }
    *items = grown;
    *capacity = more;
    return true;
}

void evidence_add(struct baseline_work *work, uint32_t symbol, enum evidence_kind kind,
                  uint64_t value)
{
    struct evidence_list *list = &work->evidence;
    void *items = list->items;

    if (!list_grow(work, &items, list->count, &list->capacity, sizeof *list->items))
        return;
    list->items = items;
    list->items[list->count++] = (struct evidence){symbol, kind, value};
}

void evidence_add_place(struct baseline_work *work, const struct code_place *place)
{
    struct place_list *list = &work->places;
    void *items = list->items;

    if (!list_grow(work, &items, list->count, &list->capacity, sizeof *list->items))
        return;
    list->items = items;
    list->items[list->count] = *place;
    list->items[list->count++].function = work->current;
}
