/*
 * test_near_alloc.c - room for stubs: where it lies, what it is not laid over, and how little of it
 * there is. /proc/self/maps is read through a wrapper (ld(1), --wrap), so that another thread may
 * seem to map what was free a moment ago, and that all may be invented: address spaces of 48 and of 57
 * bits, on any machine.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/arch.h"
#include "loader/objects/maps.h"
#include "loader/objects/maps_at.h"
#include "loader/text/gaps.h"
#include "loader/text/near_alloc.h"
#include "tests/support/harness.h"

enum { PAGE = 4096, MEGABYTE = 1 << 20 };

#define REACH ((uint64_t)1 << 31)

static void (*after_look)(void);
static const struct mapping *invented; /* instead of those of this process; the last is empty */

int __real_maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context);
int __wrap_maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context);

int __wrap_maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context)
{
    int result;

    for (const struct mapping *m = invented; m && m->end; m++)
        if (!each(m, context))
            return 0;
    if (invented)
        return 0;
    result = __real_maps_each(each, context);
    if (after_look)
        after_look();
    return result;
}

static struct near_wish wish_near(enum near_kind kind, uint64_t near)
{
    return (struct near_wish){.kind = kind,
                              .size = 32,
                              .low = near > REACH ? near - REACH : 0,
                              .high = near + REACH,
                              .near = near};
}

static uintptr_t take(const struct near_wish *wish)
{
    int error;
    uintptr_t at = near_alloc_take(wish, &error);

    assert_true(at != 0);
    assert_in_range(at, wish->low, wish->high);
    return at;
}

static int protection_at(uintptr_t at)
{
    struct mapping mapping;

    assert_true(maps_at(at, &mapping));
    return mapping.protection;
}

static uintptr_t heap_end(void)
{
    return (uintptr_t)sbrk(0);
}

/* glibc's malloc(3) takes it from brk(2); a sanitizer's does not. */
static void malloc_grows_the_heap(void)
{
    char *more;

    mallopt(M_MMAP_THRESHOLD, 512 * MEGABYTE);
    more = malloc(256 * MEGABYTE);
    assert_non_null(more);
    assert_true((uintptr_t)more < heap_end());
    more[0] = more[256 * MEGABYTE - 1] = 1;
    free(more);
}

static void the_heap_grows_on_past_what_was_taken_near_it(void **state)
{
    struct near_wish wish = wish_near(NEAR_CODE, heap_end());
    uintptr_t at = take(&wish);

    (void)state;
    assert_true(at < heap_end() || at >= heap_end() + 1024ul * MEGABYTE);
    if (!sanitized())
        malloc_grows_the_heap();
    assert_true(sbrk(700 * (intptr_t)MEGABYTE) != (void *)-1);
    assert_true(sbrk(-700 * (intptr_t)MEGABYTE) != (void *)-1);
}

static bool find_stack(const struct mapping *mapping, void *context)
{
    if (mapping->stack)
        *(struct mapping *)context = *mapping;
    return true;
}

static void the_main_threads_stack_has_room_to_grow(void **state)
{
    struct mapping stack = {0};
    struct near_wish wish;
    uintptr_t at;

    (void)state;
    assert_int_equal(maps_each(find_stack, &stack), 0);
    wish = wish_near(NEAR_WORDS, stack.begin);
    at = take(&wish);
    assert_true(at + 64ul * MEGABYTE <= stack.begin || at >= stack.end);
}

/* ---- somebody else was there first ---- */

static uintptr_t contested;

static void map_contested(void)
{
    after_look = NULL;
    assert_true(mmap((void *)contested, PAGE, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                     0) == (void *)contested);
    memset((void *)contested, 'h', PAGE);
}

/* A page in the middle of nothing. */
static uintptr_t free_page(void)
{
    char *at = mmap(NULL, 64ul * MEGABYTE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(at != MAP_FAILED);
    assert_int_equal(munmap(at, 64ul * MEGABYTE), 0);
    return (uintptr_t)at + 32ul * MEGABYTE;
}

static void what_was_mapped_meanwhile_is_not_replaced(void **state)
{
    struct near_wish wish;
    int error;

    (void)state;
    contested = free_page();
    wish = wish_near(NEAR_CODE, contested);
    wish.low = contested;
    wish.high = contested + PAGE - 64;
    after_look = map_contested;
    assert_int_equal(near_alloc_take(&wish, &error), 0);
    assert_int_equal(((char *)contested)[100], 'h');
    munmap((void *)contested, PAGE);
}

static void and_the_next_place_is_taken(void **state)
{
    struct near_wish wish;

    (void)state;
    contested = free_page();
    wish = wish_near(NEAR_CODE, contested);
    wish.low = contested;
    wish.high = contested + 3 * PAGE;
    after_look = map_contested;
    assert_true(take(&wish) >= contested + PAGE);
    assert_int_equal(((char *)contested)[100], 'h');
    munmap((void *)contested, PAGE);
}

/* ---- pages ---- */

static void a_hundred_of_one_neighbourhood_share_a_page(void **state)
{
    struct near_wish wish = wish_near(NEAR_WORDS, free_page());
    uintptr_t first = take(&wish) & ~(uintptr_t)(PAGE - 1);

    (void)state;
    for (int i = 1; i < 100; i++)
        assert_int_equal(take(&wish) & ~(uintptr_t)(PAGE - 1), first);
}

static void code_and_words_have_pages_of_their_own(void **state)
{
    uint64_t near = free_page();
    struct near_wish code = wish_near(NEAR_CODE, near), words = wish_near(NEAR_WORDS, near);

    (void)state;
    assert_int_equal(protection_at(take(&code)), PROT_READ | PROT_EXEC);
    assert_int_equal(protection_at(take(&words)), PROT_READ | PROT_WRITE);
}

static void what_is_written_lies_in_pages_that_are_not_writable(void **state)
{
    static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
    struct near_wish wish = wish_near(NEAR_CODE, free_page());
    uintptr_t at = take(&wish);
    int next = dup(2);

    (void)state;
    close(next);
    assert_int_equal(near_alloc_write(at, code, sizeof(code)), 0);
    assert_int_equal(dup(2), next); /* no descriptor is left */
    close(next);
    assert_int_equal(protection_at(at), PROT_READ | PROT_EXEC);
    assert_int_equal(((int (*)(void))at)(), 42);
}

static void what_is_given_back_is_taken_again(void **state)
{
    struct near_wish wish = wish_near(NEAR_WORDS, free_page());
    uintptr_t at = take(&wish);

    (void)state;
    take(&wish);
    near_alloc_give_back(at, wish.size);
    assert_int_equal(take(&wish), at);
}

static void where_nothing_is_free_there_is_nothing(void **state)
{
    struct near_wish wish;
    int error;

    (void)state;
    contested = free_page();
    map_contested();
    wish = wish_near(NEAR_CODE, contested);
    wish.low = contested;
    wish.high = contested + PAGE - 64;
    assert_int_equal(near_alloc_take(&wish, &error), 0);
    assert_int_equal(error, 0);
    munmap((void *)contested, PAGE);
}

/* ---- invented address spaces: of 48 and of 57 bits ---- */

#define LIMIT_48 UINT64_C(0x7fffffff0000)
#define LIMIT_57 UINT64_C(0xffffffffff0000)
#define TERABYTE (UINT64_C(1) << 40)
#define NO_MORE \
    {           \
        0       \
    }

static const unsigned address_bits[] = {ARCH_ADDRESS_BITS, ARCH_ADDRESS_BITS_WIDE};

/* Where room for 32 bytes within 2 GiB of `near` is found; 0: nowhere. */
static uint64_t find(const struct mapping *mappings, uintptr_t brk, uint64_t near, uint64_t limit)
{
    struct near_wish wish = wish_near(NEAR_CODE, near);
    struct gaps gaps = {0};
    uint64_t at;

    gaps_begin(&gaps, brk);
    for (; mappings->end; mappings++)
        gaps_add(&gaps, mappings);
    assert_true(gaps_end(&gaps));
    at = gaps_find(&gaps, &wish, MEGABYTE, limit);
    gaps_free(&gaps);
    if (at) {
        assert_in_range(at, wish.low, wish.high);
        assert_true(at + wish.size <= limit);
    }
    return at;
}

static void a_limit_is_half_of_the_address_space(void **state)
{
    (void)state;
    assert_int_equal(gaps_limit(ARCH_ADDRESS_BITS), LIMIT_48);
    assert_int_equal(gaps_limit(ARCH_ADDRESS_BITS_WIDE), LIMIT_57);
    assert_int_equal(gaps_limit_near(0x401000), LIMIT_48);
    assert_int_equal(gaps_limit_near((UINT64_C(1) << 47) - 1), LIMIT_48);
    assert_int_equal(gaps_limit_near(UINT64_C(1) << 47), LIMIT_57);
    assert_int_equal(gaps_limit_near(LIMIT_57), LIMIT_57);
}

/* Code up to the last page: what is closest lies right below, never beyond the end. */
static void code_at_the_very_top_has_room_below_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint64_t limit = gaps_limit(address_bits[i]), begin = limit - 16 * (uint64_t)MEGABYTE;
        const struct mapping mappings[] = {
            {.begin = 0x400000, .end = 0x500000}, {.begin = begin, .end = limit}, NO_MORE};
        uint64_t at = find(mappings, 0x600000, limit - PAGE, limit);

        assert_in_range(at, begin - 0x20000, begin - 32);
        at = find(mappings, 0x600000, begin, limit);
        assert_in_range(at, begin - 0x20000, begin - 32);
    }
}

/* Less than 2 GiB below the limit, which the window passes. */
static void the_last_gap_ends_at_the_limit(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint64_t limit = gaps_limit(address_bits[i]), end = limit - 4 * (uint64_t)PAGE;
        const struct mapping mappings[] = {{.begin = end - 3 * TERABYTE, .end = end}, NO_MORE};
        const struct mapping whole[] = {{.begin = end - 3 * TERABYTE, .end = limit}, NO_MORE};

        assert_in_range(find(mappings, 0x600000, end - PAGE, limit), end, limit - 32);
        assert_int_equal(find(whole, 0x600000, end - PAGE, limit), 0);
    }
}

/* The window begins below 0, or below what is ever used. */
static void code_at_the_very_bottom_has_room_above_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        uint64_t limit = gaps_limit(address_bits[i]);
        const struct mapping mappings[] = {
            {.begin = 0x10000, .end = 0x80000}, {.begin = 0x400000, .end = 0x900000}, NO_MORE};
        const struct mapping full[] = {
            {.begin = 0x10000, .end = 0x400000}, {.begin = 0x400000, .end = 3 * TERABYTE}, NO_MORE};

        assert_in_range(find(mappings, 0x900000, 0x401000, limit), 0x100000, 0x400000 - 32);
        assert_in_range(find(mappings, 0x900000, 0x10000, limit), 0x100000, 0x400000 - 32);
        assert_int_equal(find(full, 0x900000, 0x401000, limit), 0);
    }
}

/* By itself mmap(2) gives no address above 47 bits, nor do we where the code lies below. */
static void code_below_47_bits_has_nothing_above_them(void **state)
{
    const uint64_t edge = UINT64_C(1) << 47;
    const struct mapping mappings[] = {{.begin = edge - 3 * TERABYTE, .end = edge}, NO_MORE};
    const struct mapping with_room[] = {
        {.begin = edge - 3 * TERABYTE, .end = edge - TERABYTE / 1024},
        {.begin = edge - MEGABYTE, .end = edge},
        NO_MORE};
    uint64_t near = edge - PAGE;

    (void)state;
    assert_int_equal(find(mappings, 0x600000, near, gaps_limit_near(near)), 0);
    assert_in_range(find(mappings, 0x600000, near, LIMIT_57), edge, edge + 0x20000);
    assert_in_range(find(with_room, 0x600000, near, gaps_limit_near(near)), edge - TERABYTE / 1024,
                    edge - MEGABYTE - 32);
}

static void code_above_47_bits_has_room_on_both_sides(void **state)
{
    const uint64_t edge = UINT64_C(1) << 47;
    const struct mapping mappings[] = {{.begin = edge + PAGE, .end = edge + TERABYTE}, NO_MORE};
    const struct mapping vsyscall[] = {
        {.begin = edge - TERABYTE, .end = edge + MEGABYTE},
        {.begin = UINT64_C(0xffffffffff600000), .end = UINT64_C(0xffffffffff601000)},
        NO_MORE};

    (void)state;
    assert_in_range(find(mappings, 0x600000, edge + 2 * PAGE, LIMIT_57), edge - 0x20000,
                    edge + PAGE - 32);
    assert_in_range(find(vsyscall, 0x600000, edge + PAGE, LIMIT_57), edge + MEGABYTE,
                    edge + MEGABYTE + 0x20000);
}

/* The stack of a program with 57 bits and the heap of one that is mapped high. */
static void heap_and_stack_have_room_to_grow_with_57_bits_too(void **state)
{
    const uint64_t stack = LIMIT_57 - 64 * (uint64_t)MEGABYTE;
    const struct mapping mappings[] = {
        {.begin = stack - 8 * (uint64_t)MEGABYTE, .end = stack - 7 * (uint64_t)MEGABYTE},
        {.begin = stack, .end = LIMIT_57, .stack = true},
        NO_MORE};
    uint64_t brk = stack - 7 * (uint64_t)MEGABYTE;
    uint64_t at = find(mappings, brk, stack, LIMIT_57);

    (void)state;
    assert_in_range(at, brk + MEGABYTE, stack - MEGABYTE - 32);
    at = find(mappings, brk, brk, LIMIT_57);
    assert_true(at < brk - MEGABYTE || at >= brk + MEGABYTE);
}

/* The whole way, as for an entry: on a machine with either number of bits nothing is mapped above 47. */
static void no_room_is_taken_above_47_bits_for_code_below(void **state)
{
    const uint64_t edge = UINT64_C(1) << 47;
    const struct mapping mappings[] = {{.begin = edge - 3 * TERABYTE, .end = edge}, NO_MORE};
    struct near_wish wish = wish_near(NEAR_CODE, edge - PAGE);
    int error;

    (void)state;
    wish.low = edge - PAGE; /* not in the pages of the tests above */
    invented = mappings;
    assert_int_equal(near_alloc_take(&wish, &error), 0);
    invented = NULL;
    assert_int_equal(error, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_heap_grows_on_past_what_was_taken_near_it),
        cmocka_unit_test(the_main_threads_stack_has_room_to_grow),
        cmocka_unit_test(what_was_mapped_meanwhile_is_not_replaced),
        cmocka_unit_test(and_the_next_place_is_taken),
        cmocka_unit_test(a_hundred_of_one_neighbourhood_share_a_page),
        cmocka_unit_test(code_and_words_have_pages_of_their_own),
        cmocka_unit_test(what_is_written_lies_in_pages_that_are_not_writable),
        cmocka_unit_test(what_is_given_back_is_taken_again),
        cmocka_unit_test(where_nothing_is_free_there_is_nothing),
        cmocka_unit_test(a_limit_is_half_of_the_address_space),
        cmocka_unit_test(code_at_the_very_top_has_room_below_it),
        cmocka_unit_test(the_last_gap_ends_at_the_limit),
        cmocka_unit_test(code_at_the_very_bottom_has_room_above_it),
        cmocka_unit_test(code_below_47_bits_has_nothing_above_them),
        cmocka_unit_test(code_above_47_bits_has_room_on_both_sides),
        cmocka_unit_test(heap_and_stack_have_room_to_grow_with_57_bits_too),
        cmocka_unit_test(no_room_is_taken_above_47_bits_for_code_below),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
