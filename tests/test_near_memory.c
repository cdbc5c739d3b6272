/*
 * test_near_memory.c - room for stubs: where it lies, what it is not laid over, and how little of it
 * there is. /proc/self/maps is read through a wrapper (ld(1), --wrap), so that another thread may
 * seem to map what was free a moment ago.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "maps.h"
#include "near_memory.h"

enum { PAGE = 4096, MEGABYTE = 1 << 20 };

#define REACH ((uint64_t)1 << 31)

static void (*after_look)(void);

int __real_maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context);
int __wrap_maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context);

int __wrap_maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context)
{
    int result = __real_maps_each(each, context);

    if (after_look)
        after_look();
    return result;
}

static struct room_wish wish_near(enum room_kind kind, uint64_t near)
{
    return (struct room_wish){.kind = kind,
                              .size = 32,
                              .low = near > REACH ? near - REACH : 0,
                              .high = near + REACH,
                              .near = near};
}

static uintptr_t take(const struct room_wish *wish)
{
    int error;
    uintptr_t at = room_take(wish, &error);

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
    struct room_wish wish = wish_near(ROOM_CODE, heap_end());
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
    struct room_wish wish;
    uintptr_t at;

    (void)state;
    assert_int_equal(maps_each(find_stack, &stack), 0);
    wish = wish_near(ROOM_WORDS, stack.begin);
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
    struct room_wish wish;
    int error;

    (void)state;
    contested = free_page();
    wish = wish_near(ROOM_CODE, contested);
    wish.low = contested;
    wish.high = contested + PAGE - 64;
    after_look = map_contested;
    assert_int_equal(room_take(&wish, &error), 0);
    assert_int_equal(((char *)contested)[100], 'h');
    munmap((void *)contested, PAGE);
}

static void and_the_next_place_is_taken(void **state)
{
    struct room_wish wish;

    (void)state;
    contested = free_page();
    wish = wish_near(ROOM_CODE, contested);
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
    struct room_wish wish = wish_near(ROOM_WORDS, free_page());
    uintptr_t first = take(&wish) & ~(uintptr_t)(PAGE - 1);

    (void)state;
    for (int i = 1; i < 100; i++)
        assert_int_equal(take(&wish) & ~(uintptr_t)(PAGE - 1), first);
}

static void code_and_words_have_pages_of_their_own(void **state)
{
    uint64_t near = free_page();
    struct room_wish code = wish_near(ROOM_CODE, near), words = wish_near(ROOM_WORDS, near);

    (void)state;
    assert_int_equal(protection_at(take(&code)), PROT_READ | PROT_EXEC);
    assert_int_equal(protection_at(take(&words)), PROT_READ | PROT_WRITE);
}

static void what_is_written_lies_in_pages_that_are_not_writable(void **state)
{
    static const uint8_t code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
    struct room_wish wish = wish_near(ROOM_CODE, free_page());
    uintptr_t at = take(&wish);
    int next = dup(2);

    (void)state;
    close(next);
    assert_int_equal(room_write(at, code, sizeof(code)), 0);
    assert_int_equal(dup(2), next); /* no descriptor is left */
    close(next);
    assert_int_equal(protection_at(at), PROT_READ | PROT_EXEC);
    assert_int_equal(((int (*)(void))at)(), 42);
}

static void what_is_given_back_is_taken_again(void **state)
{
    struct room_wish wish = wish_near(ROOM_WORDS, free_page());
    uintptr_t at = take(&wish);

    (void)state;
    take(&wish);
    room_give_back(at, wish.size);
    assert_int_equal(take(&wish), at);
}

static void where_nothing_is_free_there_is_nothing(void **state)
{
    struct room_wish wish;
    int error;

    (void)state;
    contested = free_page();
    map_contested();
    wish = wish_near(ROOM_CODE, contested);
    wish.low = contested;
    wish.high = contested + PAGE - 64;
    assert_int_equal(room_take(&wish, &error), 0);
    assert_int_equal(error, 0);
    munmap((void *)contested, PAGE);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
