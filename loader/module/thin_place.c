/* thin_place.c - see thin_place.h. */
#include "loader/module/thin_place.h"

#include <stddef.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "loader/text/gaps.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

enum { THIN_PAGE_SIZE = 4096, THIN_SPARES = 3 };

/* Bytes that are left free above the heap and below the stack; as near_alloc.c has it. */
static const size_t thin_spared[THIN_SPARES] = {1ul << 30, 1ul << 29, 1ul << 26};

static struct thin_spot *waiting;

static bool next_page(const void *context, uint64_t from, uint64_t *at)
{
    (void)context;
    *at = (from + THIN_PAGE_SIZE - 1) & ~(uint64_t)(THIN_PAGE_SIZE - 1);
    return *at >= from;
}

/* Take out of the gaps what of a place is still free. */
static void take_place(struct gaps *gaps, uintptr_t begin, size_t size)
{
    uintptr_t end = begin + size;

    for (size_t i = 0; gaps->all && i < gaps->count; i++) {
        uintptr_t from = gaps->all[i].begin > begin ? gaps->all[i].begin : begin;
        uintptr_t to = gaps->all[i].end < end ? gaps->all[i].end : end;

        if (from < to)
            gaps_take(gaps, from, to);
    }
}

/* Take the places out of the gaps that must not be used. */
static void take_waiting(struct gaps *gaps, const struct thin_spot *spot)
{
    for (const struct thin_spot *other = waiting; other; other = other->next)
        take_place(gaps, other->base, other->size);
    for (size_t i = 0; i < spot->try_count; i++)
        take_place(gaps, spot->tried[i], spot->size);
}

static uintptr_t find_in(const struct gaps *gaps, const struct near_wish *wish)
{
    uint64_t limit = gaps_limit_near(wish->near), at = 0;

    for (size_t i = 0; !at && i < THIN_SPARES; i++)
        at = gaps_find(gaps, wish, thin_spared[i], limit);
    return at;
}

/* Map the place without access. Between the choice and dlopen(3) the engine allocates: its own mappings would lie where
 * the kernel maps next, which is often the place. Where this fails, the place may be lost, and another is tried. */
static void hold(struct thin_spot *spot)
{
    long got = sys_call(SYS_mmap, (long)spot->base, (long)spot->size, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);

    spot->held = got == (long)spot->base;
    if (!spot->held && got > 0)
        sys_call3(SYS_munmap, got, (long)spot->size, 0); /* a kernel before 4.17: elsewhere */
}

uintptr_t thin_spot_find(struct thin_spot *spot, const struct thin_extent *extent, uint64_t near,
                         int *error)
{
    const struct near_wish wish = {.kind = NEAR_CODE,
                                   .size = extent->size,
                                   .low = extent->low,
                                   .high = extent->high,
                                   .near = near,
                                   .next = next_page};
    struct gaps gaps = {0};
    uintptr_t at;

    thin_spot_done(spot);
    spot->size = extent->size;
    *error = gaps_read(&gaps);
    if (*error != 0)
        return 0;
    take_waiting(&gaps, spot);
    at = gaps.all ? find_in(&gaps, &wish) : 0;
    gaps_free(&gaps);
    if (!at)
        return 0;
    spot->base = at;
    spot->next = waiting;
    waiting = spot;
    hold(spot);
    return at;
}

void thin_spot_open(struct thin_spot *spot)
{
    if (spot->held)
        sys_call3(SYS_munmap, (long)spot->base, (long)spot->size, 0);
    spot->held = false;
}

void thin_spot_done(struct thin_spot *spot)
{
    thin_spot_open(spot);
    for (struct thin_spot **place = &waiting; *place; place = &(*place)->next) {
        if (*place == spot) {
            *place = spot->next;
            spot->next = NULL;
            return;
        }
    }
}
