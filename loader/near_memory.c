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

/* Bytes left free above the heap and below the stack. */
static const size_t spared[ROOM_SPARES] = {1ul << 30, 1ul << 29, 1ul << 26};

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

struct search {
    const struct room_wish *wish;
    uintptr_t end_before; /* of the mapping before */
    uintptr_t brk;        /* where the heap ends, or would begin */
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

static bool look(const struct mapping *mapping, void *context)
{
    struct search *search = context;
    uintptr_t end = mapping->begin < HIGHEST ? mapping->begin : HIGHEST;

    if (mapping->stack)
        end = end > search->spared ? end - search->spared : 0;
    try_around_heap(search, search->end_before, end);
    search->end_before = mapping->end;
    return mapping->end < HIGHEST;
}

static uint64_t find_place(const struct room_wish *wish, size_t bytes, int *error)
{
    struct search search = {.wish = wish, .end_before = LOWEST, .spared = bytes};

    search.brk = ((uintptr_t)sys_call3(SYS_brk, 0, 0, 0) + PAGE - 1) & ~(PAGE - 1);
    *error = maps_each(look, &search);
    return *error == 0 ? search.best : 0;
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

static struct area *area_new(const struct room_wish *wish, size_t bytes, int *error)
{
    /* Another thread may map what was free a moment ago. */
    for (int tries = 0; tries < 4; tries++) {
        uint64_t at = find_place(wish, bytes, error);
        struct area *area;

        if (!at)
            return NULL;
        area = area_at(at, wish, error);
        if (area || *error != -EEXIST)
            return area;
    }
    return NULL;
}

uintptr_t room_take_sparing(const struct room_wish *wish, enum room_spare spare, int *error)
{
    struct area *area;

    *error = 0;
    for (area = areas; area; area = area->next) {
        uintptr_t at = area->kind == wish->kind ? take_in(area, wish) : 0;

        if (at)
            return at;
    }
    area = area_new(wish, spared[spare], error);
    return area ? take_in(area, wish) : 0;
}

uintptr_t room_take(const struct room_wish *wish, int *error)
{
    uintptr_t at = 0;

    *error = 0;
    for (int spare = 0; spare < ROOM_SPARES && !at && *error == 0; spare++)
        at = room_take_sparing(wish, (enum room_spare)spare, error);
    return at;
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
