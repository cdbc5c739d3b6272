/* near_alloc.c - see near_alloc.h. */
#include "loader/text/near_alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"
#include "loader/text/gaps.h"
#include "loader/text/text_poke.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PAGE 4096ul
#define AREA_LARGEST (16 * PAGE)
#define WORD_BITS 64

enum { KINDS = 2, RECENT = 4 };

struct area {
    enum near_kind kind;
    uintptr_t begin;
    size_t size, left;
    /* where the search for a place without constraints begins: after the last such place */
    size_t next;
    size_t too_much; /* no free piece of the area has this many bytes */
    uint64_t used[]; /* one bit for each byte */
};

/* The areas, in address order. A list is never changed; a new list replaces it. So the child of a fork has the old list
 * or the new one, whole. */
struct list {
    size_t count;
    struct area *areas[];
};

static struct list *lists[KINDS];

/* The areas that met the last wishes. Neighbouring functions wish for neighbouring places. */
static struct area *recent[KINDS][RECENT];

/* The state between near_alloc_begin() and near_alloc_end(). */
static struct {
    bool begun;
    struct gaps gaps;
    int memory; /* -1: not open */
} held = {.memory = -1};

/* Bytes left free above the heap and below the stack. The smaller values are for wishes that no other place meets. */
enum { SPARES = 3 };
static const size_t spared[SPARES] = {1ul << 30, 1ul << 29, 1ul << 26};

/* ---- bytes of an area ---- */

/* Return the bits of word `i` that stand for bytes `from` to `to`. */
static uint64_t mask_of(size_t i, size_t from, size_t to)
{
    uint64_t mask = UINT64_MAX;

    if (i == from / WORD_BITS)
        mask &= UINT64_MAX << from % WORD_BITS;
    if (i == to / WORD_BITS)
        mask &= (UINT64_C(1) << to % WORD_BITS) - 1;
    return mask;
}

static bool is_unused(const struct area *area, size_t offset, size_t size)
{
    size_t end = offset + size;

    for (size_t i = offset / WORD_BITS; i * WORD_BITS < end; i++)
        if (area->used[i] & mask_of(i, offset, end))
            return false;
    return true;
}

static void mark(struct area *area, size_t offset, size_t size, bool used)
{
    size_t end = offset + size;

    for (size_t i = offset / WORD_BITS; i * WORD_BITS < end; i++) {
        if (used)
            area->used[i] |= mask_of(i, offset, end);
        else
            area->used[i] &= ~mask_of(i, offset, end);
    }
    area->left += used ? -size : size;
}

/* Take a place of the area from `from` on, which lies in the area. Return its address, or 0. */
static uintptr_t take_from(struct area *area, const struct near_wish *wish, uint64_t from)
{
    uint64_t at;

    while (near_gap_next(wish, from, &at) && at <= wish->high &&
           at + wish->size <= area->begin + area->size) {
        if (is_unused(area, at - area->begin, wish->size)) {
            mark(area, at - area->begin, wish->size, true);
            return at;
        }
        from = at + 1;
    }
    return 0;
}

/* Take a place at any multiple of 8. Return its address, or 0. */
static uintptr_t take_any(struct area *area, const struct near_wish *wish, uint64_t low)
{
    uintptr_t at = 0;

    if (area->begin + area->next > low)
        at = take_from(area, wish, area->begin + area->next);
    if (!at)
        at = take_from(area, wish, low);
    if (at)
        area->next = at + wish->size - area->begin;
    else if (low == area->begin && wish->high >= area->begin + area->size)
        area->too_much = wish->size;
    return at;
}

static uintptr_t take_in(struct area *area, const struct near_wish *wish)
{
    uint64_t low = wish->low > area->begin ? wish->low : area->begin;

    if (area->left < wish->size || low >= area->begin + area->size || wish->high < area->begin)
        return 0;
    if (wish->next)
        return take_from(area, wish, low);
    return wish->size < area->too_much ? take_any(area, wish, low) : 0;
}

/* ---- areas ---- */

/* Return the index of the first area that ends after `address`. */
static size_t area_after(const struct list *list, uint64_t address)
{
    size_t low = 0, high = list ? list->count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (list->areas[middle]->begin + list->areas[middle]->size <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int list_add(struct area *area)
{
    struct list *old = lists[area->kind], *list;
    size_t count = old ? old->count : 0, at = area_after(old, area->begin);

    list = malloc(sizeof(*list) + (count + 1) * sizeof(struct area *));
    if (!list)
        return -ENOMEM;
    list->count = count + 1;
    if (at > 0)
        memcpy(list->areas, old->areas, at * sizeof(struct area *));
    list->areas[at] = area;
    if (count > at)
        memcpy(list->areas + at + 1, old->areas + at, (count - at) * sizeof(struct area *));
    __atomic_store_n(&lists[area->kind], list, __ATOMIC_RELEASE);
    free(old);
    return 0;
}

static void note_recent(struct area *area)
{
    struct area **to = recent[area->kind];

    for (size_t i = 0; i < RECENT; i++)
        if (to[i] == area)
            return;
    memmove(to + 1, to, (RECENT - 1) * sizeof(*to));
    to[0] = area;
}

/* Map the pages. Return 0, or -errno. */
static int map_pages(enum near_kind kind, uintptr_t begin, size_t size)
{
    int protection = kind == NEAR_CODE ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE;
    long got = sys_call(SYS_mmap, (long)begin, (long)size, protection,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if ((uintptr_t)got == begin)
        return 0;
    if (got <= 0)
        return (int)got;
    /* a kernel without MAP_FIXED_NOREPLACE (before 4.17) ignores the flag */
    sys_call3(SYS_munmap, got, (long)size, 0);
    return -EEXIST;
}

static struct area *area_new(enum near_kind kind, uintptr_t begin, size_t size, int *error)
{
    struct area *area = calloc(1, sizeof(*area) + size / 8);

    *error = area ? map_pages(kind, begin, size) : -ENOMEM;
    if (*error != 0) {
        free(area);
        return NULL;
    }
    area->kind = kind;
    area->begin = begin;
    area->size = area->left = size;
    area->too_much = SIZE_MAX;
    *error = list_add(area);
    if (*error == 0)
        return area;
    sys_call3(SYS_munmap, (long)begin, (long)size, 0);
    free(area);
    return NULL;
}

/* Return how many bytes a new area has for wishes without constraints. A process with many stubs gets larger areas:
 * their pages use no memory until they are written. */
static size_t growth(enum near_kind kind)
{
    size_t count = lists[kind] ? lists[kind]->count : 0;

    return count < 2 ? PAGE : count < 4 ? 4 * PAGE : AREA_LARGEST;
}

static bool gap_holds(const struct gaps *gaps, const struct near_wish *wish, uintptr_t begin,
                      uintptr_t end, size_t bytes)
{
    struct near_wish whole = *wish;

    whole.next = NULL;
    whole.size = end - begin;
    whole.low = whole.high = whole.near = begin;
    return gaps_find(gaps, &whole, bytes, gaps_limit_near(wish->near)) == begin;
}

static struct area *area_at(struct gaps *gaps, uint64_t at, const struct near_wish *wish,
                            size_t bytes, int *error)
{
    uintptr_t begin = at & ~(PAGE - 1), end = (at + wish->size + PAGE - 1) & ~(PAGE - 1);
    size_t size = wish->next ? 0 : growth(wish->kind);
    struct area *area;

    if (begin + size > end && gap_holds(gaps, wish, begin, begin + size, bytes))
        end = begin + size;
    else if (end > size && end - size < begin && gap_holds(gaps, wish, end - size, end, bytes))
        begin = end - size;
    area = area_new(wish->kind, begin, end - begin, error);
    if (area)
        gaps_take(gaps, begin, end);
    return area;
}

/* ---- taking ---- */

static uintptr_t take_recent(const struct near_wish *wish)
{
    uintptr_t at = 0;

    for (size_t i = 0; i < RECENT && recent[wish->kind][i] && !at; i++)
        at = take_in(recent[wish->kind][i], wish);
    return at;
}

/* Take a place in a mapped area. The search goes from one possible place to the next, and skips areas between which
 * there is no possible place. */
static uintptr_t take_mapped(const struct near_wish *wish)
{
    const struct list *list = lists[wish->kind];
    uintptr_t taken = take_recent(wish);
    uint64_t at = wish->low;
    size_t i = area_after(list, at);

    for (; !taken && list && i < list->count && list->areas[i]->begin <= wish->high; i++) {
        struct area *area = list->areas[i];

        if (at < area->begin)
            at = area->begin;
        if (!near_gap_next(wish, at, &at) || at > wish->high)
            return 0;
        if (at >= area->begin + area->size) {
            i = area_after(list, at) - 1;
            continue;
        }
        taken = take_in(area, wish);
        if (taken)
            note_recent(area);
        at = area->begin + area->size;
    }
    return taken;
}

/* Map a new area and take a place there. The mapping is tried several times: another thread may map a place that was
 * free when the gaps were read. */
static uintptr_t take_new_area(struct gaps *gaps, const struct near_wish *wish, size_t bytes,
                               int *error)
{
    *error = gaps->all ? 0 : gaps_read(gaps);
    for (int tries = 0; tries < 4 && *error == 0; tries++) {
        uint64_t at = gaps_find(gaps, wish, bytes, gaps_limit_near(wish->near));
        struct area *area = at ? area_at(gaps, at, wish, bytes, error) : NULL;

        if (area) {
            note_recent(area);
            return take_in(area, wish);
        }
        if (*error != -EEXIST)
            return 0;
        *error = gaps_read(gaps);
    }
    return 0;
}

size_t near_alloc_take_any(const struct near_wish *wishes, size_t count, uintptr_t *at, int *error)
{
    struct gaps own = {0}, *gaps = held.begun ? &held.gaps : &own;
    size_t found = count;

    *at = 0;
    *error = 0;
    for (size_t spare = 0; spare < SPARES && !*at; spare++) {
        for (size_t i = 0; i < count && !*at && *error == 0; i++) {
            *at = take_mapped(&wishes[i]);
            if (!*at)
                *at = take_new_area(gaps, &wishes[i], spared[spare], error);
            found = i;
        }
    }
    gaps_free(&own);
    return *at ? found : count;
}

uintptr_t near_alloc_take(const struct near_wish *wish, int *error)
{
    uintptr_t at;

    return near_alloc_take_any(wish, 1, &at, error) == 0 ? at : 0;
}

static void give_area_back(struct area *area, size_t offset, size_t size)
{
    mark(area, offset, size, false);
    if (offset < area->next)
        area->next = offset;
    area->too_much = SIZE_MAX;
}

void near_alloc_give_back(uintptr_t at, size_t size)
{
    for (int kind = 0; kind < KINDS && at && size; kind++) {
        size_t i = area_after(lists[kind], at);
        struct area *area = lists[kind] && i < lists[kind]->count ? lists[kind]->areas[i] : NULL;

        if (area && at >= area->begin)
            give_area_back(area, at - area->begin, size);
    }
}

/* ---- writing ---- */

void near_alloc_begin(void)
{
    held.begun = true;
}

void near_alloc_end(void)
{
    if (held.memory >= 0)
        sys_close(held.memory);
    held.memory = -1;
    held.begun = false;
    gaps_free(&held.gaps);
}

/* Forget the parent's state in the child of a fork. The descriptor belongs to the parent's descriptor table. */
void near_alloc_after_fork(void)
{
    held.memory = -1;
    held.begun = false;
    held.gaps = (struct gaps){0};
}

static int write_by_kernel(uintptr_t at, const uint8_t *bytes, size_t size)
{
    int memory = held.memory >= 0 ? held.memory : sys_open_own_memory(O_RDWR);
    ssize_t n;

    if (memory < 0)
        return memory;
    n = sys_pwrite(memory, bytes, size, (off_t)at);
    if (held.begun)
        held.memory = memory;
    else
        sys_close(memory);
    return n == (ssize_t)size ? 0 : n < 0 ? (int)n : -EIO;
}

/* Write bytes to pages where no thread runs yet. No test precedes the write. If the kernel refuses the write, the bytes
 * are written again by stores. */
int near_alloc_write(uintptr_t at, const uint8_t *bytes, size_t size)
{
    struct text_poke poke;
    int result = write_by_kernel(at, bytes, size);

    if (result == 0 || text_poke_open(&poke, at, size, PROT_READ | PROT_EXEC, true) != 0)
        return result;
    if (poke.stores)
        result = text_poke_bytes(&poke, at, bytes, size);
    text_poke_close(&poke);
    return result;
}
