/* near_memory.c - see near_memory.h. */
#include "near_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "maps.h"
#include "poke.h"
#include "sys.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PAGE 4096ul
#define LOWEST 0x100000ul        /* below it wine and emulators expect to be alone */
#define HIGHEST 0x7fffffff0000ul /* the end of a process's addresses, x86-64 */
#define AREA_LARGEST (2 * PAGE)  /* something taken may straddle two pages */

struct area {
    struct area *next;
    enum room_kind kind;
    uintptr_t begin;
    size_t size, left;
    uint64_t used[AREA_LARGEST / 64]; /* a bit for each byte */
};

static struct area *areas;

/* Bytes left free above the heap and below the stack: less where nothing else is in reach. */
enum { SPARES = 3 };
static const size_t spared[SPARES] = {1ul << 30, 1ul << 29, 1ul << 26};

static bool next_of(const struct room_wish *wish, uint64_t from, uint64_t *at)
{
    if (wish->next)
        return wish->next(wish->context, from, at);
    *at = (from + 7) & ~UINT64_C(7);
    return *at >= from;
}

static bool is_free(const struct area *area, size_t offset, size_t size)
{
    for (size_t i = offset; i < offset + size; i++)
        if (area->used[i / 64] >> i % 64 & 1)
            return false;
    return true;
}

static void mark(struct area *area, size_t offset, size_t size, bool used)
{
    for (size_t i = offset; i < offset + size; i++) {
        if (used)
            area->used[i / 64] |= UINT64_C(1) << i % 64;
        else
            area->used[i / 64] &= ~(UINT64_C(1) << i % 64);
    }
    area->left += used ? -size : size;
}

static uintptr_t take_in(struct area *area, const struct room_wish *wish)
{
    uint64_t from = wish->low > area->begin ? wish->low : area->begin, at;

    while (area->left >= wish->size && next_of(wish, from, &at) && at <= wish->high &&
           at + wish->size <= area->begin + area->size) {
        if (is_free(area, at - area->begin, wish->size)) {
            mark(area, at - area->begin, wish->size, true);
            return at;
        }
        from = at + 1;
    }
    return 0;
}

/* ---- free address space ---- */

struct gap {
    uintptr_t begin, end;
    bool below_stack;
};

/* Read once for all wishes; another thread may map some of it meanwhile. */
struct gaps {
    struct gap *all;
    size_t count, room;
    uintptr_t end_before; /* of the mapping before */
    uintptr_t brk;        /* where the heap ends, or would begin */
    bool no_memory;
};

struct search {
    const struct room_wish *wish;
    uintptr_t brk;
    size_t spared;
    uint64_t best; /* 0: none yet */
};

static uint64_t distance(const struct search *search, uint64_t at)
{
    uint64_t near = search->wish->near;

    return at > near ? at - near : near - at;
}

static void consider(struct search *search, uint64_t at)
{
    if (!search->best || distance(search, at) < distance(search, search->best))
        search->best = at;
}

/* The place in `begin` to `end` that is closest, or nearly: from below, one in the last 64 KiB is as
 * good as any. */
static void try_hole(struct search *search, uint64_t begin, uint64_t end)
{
    const struct room_wish *wish = search->wish;
    uint64_t low = wish->low > begin ? wish->low : begin, at, last;

    if (begin >= end || end - begin < PAGE || end - begin < wish->size)
        return;
    last = end - wish->size;
    if (last > wish->high)
        last = wish->high;
    if (low > last)
        return;
    for (uint64_t span = 0x10000; begin < wish->near; span *= 8) {
        uint64_t from = last - low > span ? last - span : low;

        if (next_of(wish, from, &at) && at <= last) {
            consider(search, at);
            return;
        }
        if (from == low)
            return;
    }
    if (next_of(wish, low, &at) && at <= last)
        consider(search, at);
}

/* A hole, less what the heap may come to need: it begins at or above the end of the program's data
 * and grows up. */
static void try_around_heap(struct search *search, uint64_t begin, uint64_t end)
{
    if (!search->brk || search->brk < begin || search->brk > end) {
        uint64_t kept = search->brk + search->spared;

        try_hole(search, search->brk && search->brk < begin && kept > begin ? kept : begin, end);
        return;
    }
    try_hole(search, begin, search->brk);
    try_hole(search, search->brk + search->spared, end);
}

static bool gap_add(struct gaps *gaps, const struct gap *gap)
{
    if (gaps->count == gaps->room) {
        size_t room = gaps->room ? gaps->room * 2 : 256;
        struct gap *all = realloc(gaps->all, room * sizeof(*all));

        if (!all) {
            gaps->no_memory = true;
            return false;
        }
        gaps->all = all;
        gaps->room = room;
    }
    gaps->all[gaps->count++] = *gap;
    return true;
}

static bool look(const struct mapping *mapping, void *context)
{
    struct gaps *gaps = context;
    uintptr_t end = mapping->begin < HIGHEST ? mapping->begin : HIGHEST;
    struct gap gap = {gaps->end_before, end, mapping->stack};

    if (gap.begin < gap.end && !gap_add(gaps, &gap))
        return false;
    gaps->end_before = mapping->end;
    return mapping->end < HIGHEST;
}

static int gaps_read(struct gaps *gaps)
{
    int result;

    gaps->count = 0;
    gaps->end_before = LOWEST;
    gaps->brk = ((uintptr_t)sys_call3(SYS_brk, 0, 0, 0) + PAGE - 1) & ~(PAGE - 1);
    result = maps_each(look, gaps);
    return gaps->no_memory ? -ENOMEM : result;
}

static uint64_t find_place(const struct gaps *gaps, const struct room_wish *wish, size_t bytes)
{
    struct search search = {.wish = wish, .brk = gaps->brk, .spared = bytes};

    for (const struct gap *gap = gaps->all; gap < gaps->all + gaps->count; gap++) {
        uintptr_t end = gap->end;

        if (gap->below_stack)
            end = end > bytes ? end - bytes : 0;
        try_around_heap(&search, gap->begin, end);
    }
    return search.best;
}

static struct area *area_at(uint64_t at, const struct room_wish *wish, int *error)
{
    struct area *area = calloc(1, sizeof(*area));
    uintptr_t begin = at & ~(PAGE - 1), end = (at + wish->size + PAGE - 1) & ~(PAGE - 1);
    int protection = wish->kind == ROOM_CODE ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE;
    long got;

    if (!area) {
        *error = -ENOMEM;
        return NULL;
    }
    got = sys_call(SYS_mmap, (long)begin, (long)(end - begin), protection,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if ((uintptr_t)got != begin) {
        if (got > 0) /* a kernel that does not know the flag (before 4.17) */
            sys_call3(SYS_munmap, got, (long)(end - begin), 0);
        *error = got > 0 ? -EEXIST : (int)got;
        free(area);
        return NULL;
    }
    area->kind = wish->kind;
    area->begin = begin;
    area->size = area->left = end - begin;
    area->next = areas;
    areas = area;
    return area;
}

static uintptr_t take_mapped(const struct room_wish *wish)
{
    for (struct area *area = areas; area; area = area->next) {
        uintptr_t at = area->kind == wish->kind ? take_in(area, wish) : 0;

        if (at)
            return at;
    }
    return 0;
}

/* Another thread may map what was free a moment ago. */
static uintptr_t take_new(struct gaps *gaps, const struct room_wish *wish, size_t bytes, int *error)
{
    if (!gaps->all)
        *error = gaps_read(gaps);
    for (int tries = 0; tries < 4 && *error == 0; tries++) {
        uint64_t at = find_place(gaps, wish, bytes);
        struct area *area = at ? area_at(at, wish, error) : NULL;

        if (area)
            return take_in(area, wish);
        if (*error != -EEXIST)
            return 0;
        *error = gaps_read(gaps);
    }
    return 0;
}

size_t room_take_any(const struct room_wish *wishes, size_t count, uintptr_t *at, int *error)
{
    struct gaps gaps = {0};
    size_t found = count;

    *at = 0;
    *error = 0;
    for (size_t spare = 0; spare < SPARES && !*at; spare++) {
        for (size_t i = 0; i < count && !*at && *error == 0; i++) {
            *at = take_mapped(&wishes[i]);
            if (!*at)
                *at = take_new(&gaps, &wishes[i], spared[spare], error);
            found = i;
        }
    }
    free(gaps.all);
    return *at ? found : count;
}

uintptr_t room_take(const struct room_wish *wish, int *error)
{
    uintptr_t at;

    return room_take_any(wish, 1, &at, error) == 0 ? at : 0;
}

void room_give_back(uintptr_t at, size_t size)
{
    for (struct area *area = areas; area && at; area = area->next)
        if (at >= area->begin && at < area->begin + area->size)
            mark(area, at - area->begin, size, false);
}

static int write_by_kernel(uintptr_t at, const uint8_t *bytes, size_t size)
{
    int memory = sys_open_own_memory(O_RDWR);
    ssize_t n;

    if (memory < 0)
        return memory;
    n = sys_pwrite(memory, bytes, size, (off_t)at);
    sys_close(memory);
    return n == (ssize_t)size ? 0 : n < 0 ? (int)n : -EIO;
}

/* Nobody runs there yet: what the kernel refuses is begun again, with no try before it. */
int room_write(uintptr_t at, const uint8_t *bytes, size_t size)
{
    struct poke poke;
    int result = write_by_kernel(at, bytes, size);

    if (result == 0 || poke_open(&poke, at, size, PROT_READ | PROT_EXEC, true) != 0)
        return result;
    if (poke.stores)
        result = poke_bytes(&poke, at, bytes, size);
    poke_close(&poke);
    return result;
}
