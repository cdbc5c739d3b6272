/*
 * mappings.c - see mappings.h.
 *
 * The kernel refuses mmap(2), mprotect(2) and brk(2) that would make more than vm.max_map_count mappings: at the limit
 * the program's own malloc(3) fails. A patch stays mapped, so the engine refuses a load before the limit is reached.
 * Counting the mappings takes as long as reading /proc/self/maps. The mappings are counted again only after twenty
 * times the time that the last count took, and always when the loads since then may have come near the limit.
 */
#include "loader/objects/mappings.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/clock.h"
#include "base/proc_text.h"
#include "base/sys.h"
#include "loader/objects/maps.h"

enum { LIMIT_DEFAULT = 65530, MARGIN = 16, SHARE = 20 };

static struct {
    uint64_t next; /* CLOCK_MONOTONIC in us: time of the next count */
    size_t count;
    size_t loads; /* loads since the last count */
} known;

size_t mappings_limit(void)
{
    char text[32];
    size_t limit;

    sys_read_file(AT_FDCWD, "/proc/sys/vm/max_map_count", text, sizeof(text));
    limit = proc_number(text, 10);
    return limit ? limit : LIMIT_DEFAULT;
}

static bool count_mapping(const struct mapping *mapping, void *count)
{
    (void)mapping;
    ++*(size_t *)count;
    return true;
}

/* Return the number of mappings of the process; 0 if they cannot be read. */
static size_t count_mappings(void)
{
    size_t count = 0;

    maps_each(count_mapping, &count);
    return count;
}

static void count_now(uint64_t now)
{
    known.count = count_mappings();
    known.loads = 0;
    known.next = now + SHARE * (clock_us() - now);
}

static size_t reckoned(size_t loads)
{
    return known.count + (known.loads + loads) * MAPPINGS_PER_LOAD;
}

int mappings_check(size_t loads, size_t limit, struct refusal *why)
{
    size_t most = limit - limit / MARGIN;
    uint64_t now = clock_us();

    if (loads == 0)
        return 0;
    if (now >= known.next || reckoned(loads) > most)
        count_now(now);
    if (known.count && reckoned(loads) > most)
        return refuse(why, HP_MAPPINGS,
                      "the process has %zu mappings; a load is refused above %zu of the %zu that "
                      "vm.max_map_count allows",
                      known.count, most, limit);
    known.loads += loads;
    return 0;
}
