/* callers.c - see callers.h. */
#include "callers.h"

#include <stdlib.h>

#include "callers_index.h"

struct arch_callers {
    struct branch_index index;
};

struct arch_callers *arch_callers_open(const struct arch_object *object)
{
    struct arch_callers *callers = calloc(1, sizeof(*callers));

    if (callers && !branch_index_make(&callers->index, object)) {
        arch_callers_close(callers);
        return NULL;
    }
    return callers;
}

void arch_callers_close(struct arch_callers *callers)
{
    if (!callers)
        return;
    branch_index_free(&callers->index);
    free(callers);
}

size_t arch_callers_memory(const struct arch_callers *callers)
{
    return sizeof(*callers) + branch_index_memory(&callers->index);
}

/* The first inner branch whose target is not below `from`. */
static uint32_t inner_from(const struct branch_index *index, uint64_t from)
{
    uint32_t low = 0, high = index->inner_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (index->low + index->inner[middle].target < from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool arch_callers_jump_into(struct arch_callers *callers, uint64_t from, uint64_t to,
                            uint64_t *site, uint64_t *target)
{
    const struct branch_index *index = &callers->index;

    for (uint32_t i = inner_from(index, from); i < index->inner_count; i++) {
        *target = index->low + index->inner[i].target;
        if (*target >= to)
            return false;
        if (branch_index_confirm(index, index->inner[i].site, *target, site) != BRANCH_REFUTED)
            return true;
    }
    return false;
}
