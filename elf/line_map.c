/* line_map.c - see line_map.h. */
#include "elf/line_map.h"

#include <stdbool.h>

static bool is_behind(const struct line_run *run, unsigned name, uint64_t number)
{
    return run->name > name || (run->name == name && run->from > number);
}

uint64_t line_map_find(const struct line_map *map, unsigned name, uint64_t number)
{
    size_t low = 0, high = map->run_count;
    const struct line_run *run;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (is_behind(&map->runs[middle], name, number))
            high = middle;
        else
            low = middle + 1;
    }
    if (low == 0)
        return number;
    run = &map->runs[low - 1];
    if (run->name != name || number - run->from >= run->count)
        return number;
    return run->to + (number - run->from);
}
