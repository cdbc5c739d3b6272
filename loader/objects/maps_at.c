/* maps_at.c - see maps_at.h. */
#include "loader/objects/maps_at.h"

#include <stdlib.h>
#include <string.h>

/* The mappings as the first maps_at() after maps_keep() found them; valid until maps_forget(). */
static struct {
    bool wanted;
    bool failed;
    struct mapping *all; /* in address order, without paths */
    size_t count, capacity;
} kept;

void maps_keep(void)
{
    kept.wanted = true;
}

void maps_forget(void)
{
    free(kept.all);
    memset(&kept, 0, sizeof(kept));
}

void maps_after_fork(void)
{
    memset(&kept, 0, sizeof(kept));
}

static bool append_mapping(const struct mapping *mapping, void *nothing)
{
    (void)nothing;
    if (kept.count == kept.capacity) {
        size_t capacity = kept.capacity ? kept.capacity * 2 : 256;
        struct mapping *all = realloc(kept.all, capacity * sizeof(*all));

        kept.failed = !all;
        if (!all)
            return false;
        kept.all = all;
        kept.capacity = capacity;
    }
    kept.all[kept.count] = *mapping;
    kept.all[kept.count].path = NULL;
    kept.all[kept.count++].path_length = 0;
    return true;
}

static bool is_kept(void)
{
    if (!kept.wanted || kept.count > 0)
        return kept.count > 0;
    if (maps_each(append_mapping, NULL) == 0 && !kept.failed)
        return kept.count > 0;
    maps_forget(); /* without memory every maps_at() reads the mappings again */
    return false;
}

static bool kept_at(uintptr_t address, struct mapping *out)
{
    size_t low = 0, high = kept.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (kept.all[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == kept.count || kept.all[low].begin > address)
        return false;
    *out = kept.all[low];
    return true;
}

struct question_at {
    uintptr_t address;
    struct mapping *out;
    bool found;
};

static bool is_at(const struct mapping *mapping, void *context)
{
    struct question_at *question = context;

    if (mapping->end <= question->address)
        return true;
    question->found = mapping->begin <= question->address;
    if (question->found)
        *question->out = *mapping;
    return false;
}

bool maps_at(uintptr_t address, struct mapping *out)
{
    struct question_at question = {address, out, false};

    if (is_kept())
        return kept_at(address, out);
    return maps_each(is_at, &question) == 0 && question.found;
}
