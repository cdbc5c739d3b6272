/* unit_compare.c - see unit_compare.h. */
#include "cli/build/unit_compare.h"

#include <stdlib.h>
#include <string.h>

int unit_compare_open(struct unit_compare *compare, const struct unit_pair *unit)
{
    memset(compare, 0, sizeof(*compare));
    compare->unit = unit;
    if (unit->old_object &&
        object_view_make(&compare->before, unit->old_object, unit->old_dwarf) < 0)
        return -1;
    if (object_view_make(&compare->after, unit->new_object, unit->new_dwarf) < 0)
        return -1;
    compare->states = calloc(compare->after->entity_count + 1, sizeof(*compare->states));
    compare->back =
        calloc(compare->before ? compare->before->entity_count + 1 : 1, sizeof(*compare->back));
    return compare->states && compare->back ? 0 : -1;
}

void unit_compare_close(struct unit_compare *compare)
{
    object_view_free(compare->before);
    object_view_free(compare->after);
    free(compare->states);
    free(compare->back);
    free(compare->pairs);
    memset(compare, 0, sizeof(*compare));
}

struct entity_pair *unit_compare_find(const struct unit_compare *compare, uint32_t before,
                                      uint32_t after)
{
    uint32_t at = compare->states[after].pair;

    while (at && compare->pairs[at - 1].before != before)
        at = compare->pairs[at - 1].next;
    return at ? &compare->pairs[at - 1] : NULL;
}

int unit_compare_pair(struct unit_compare *compare, uint32_t before, uint32_t after)
{
    struct entity_pair *pair;

    if (unit_compare_find(compare, before, after))
        return 0;
    if (compare->pair_count == compare->pair_room) {
        size_t room = compare->pair_room ? compare->pair_room * 2 : 256;
        struct entity_pair *larger = realloc(compare->pairs, room * sizeof(*larger));

        if (!larger)
            return -1;
        compare->pairs = larger;
        compare->pair_room = room;
    }
    pair = &compare->pairs[compare->pair_count++];
    *pair = (struct entity_pair){
        .before = before, .after = after, .equal = true, .next = compare->states[after].pair};
    compare->states[after].pair = (uint32_t)compare->pair_count;
    return 0;
}

void unit_compare_match(struct unit_compare *compare, uint32_t before, uint32_t after)
{
    compare->states[after].match = before + 1;
    if (!compare->back[before])
        compare->back[before] = after + 1;
}
