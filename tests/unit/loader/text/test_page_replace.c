/*
 * test_page_replace.c - a page of code that is changed at one moment, under threads that run it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "loader/objects/maps.h"
#include "loader/objects/maps_at.h"
#include "loader/text/page_replace.h"
#include "tests/support/harness.h"
#include "tests/support/shapes.h"

enum { ROUNDS = 2000, THREADS = 2, PAGE = 4096 };

/* The number lies over the end of a word of eight, in the middle of a page. */
int eleven(void);
__asm__(".text\n.p2align 12\n.skip 1030, 0xcc\n.type eleven, @function\neleven:\n"
        "mov $0x11111111, %eax\nret\n.size eleven, . - eleven\n.p2align 12\n");

static const uint8_t elevens[] = {0xb8, 0x11, 0x11, 0x11, 0x11};
static const uint8_t twos[] = {0xb8, 0x22, 0x22, 0x22, 0x22};

static int call(void)
{
    int (*volatile function)(void) = eleven;

    return function();
}

static void change(const uint8_t bytes[5])
{
    struct page_replace replaced = {0};

    assert_int_equal(page_replace_prepare(&replaced, (uintptr_t)eleven, bytes, 5), 0);
    assert_int_equal(page_replace_do(&replaced), 0);
    page_replace_end(&replaced);
}

static bool count_one(const struct mapping *mapping, void *count)
{
    (void)mapping;
    ++*(size_t *)count;
    return true;
}

static size_t mappings(void)
{
    size_t count = 0;

    assert_int_equal(maps_each(count_one, &count), 0);
    return count;
}

/* ---- what is left ---- */

static void the_page_stays_one_of_its_file(void **state)
{
    struct mapping was, is;
    uint8_t before[PAGE];
    uintptr_t page = (uintptr_t)eleven & ~(uintptr_t)(PAGE - 1);

    (void)state;
    memcpy(before, (const void *)page, PAGE);
    assert_true(maps_at((uintptr_t)eleven, &was));
    change(twos);
    assert_int_equal(call(), 0x22222222);
    memcpy(before + ((uintptr_t)eleven - page), twos, 5);
    assert_memory_equal(before, (const void *)page, PAGE);
    assert_true(maps_at((uintptr_t)eleven, &is));
    assert_int_equal(is.protection, was.protection);
    assert_int_equal(is.inode, was.inode);
    assert_int_equal(is.offset - is.begin, was.offset - was.begin);
    change(elevens);
    assert_int_equal(call(), 0x11111111);
}

static void no_copy_stays(void **state)
{
    size_t before;

    (void)state;
    change(twos);
    before = mappings();
    for (int i = 0; i < 20; i++)
        change(i % 2 ? twos : elevens);
    assert_int_equal(mappings(), before);
    change(elevens);
}

static void several_are_prepared_and_done_in_turn(void **state)
{
    struct page_replace there = {0}, back = {0};

    (void)state;
    assert_int_equal(page_replace_prepare(&there, (uintptr_t)eleven, twos, 5), 0);
    assert_int_equal(page_replace_prepare(&back, (uintptr_t)eleven, elevens, 5), 0);
    assert_int_equal(call(), 0x11111111);
    assert_int_equal(page_replace_do(&there), 0);
    assert_int_equal(call(), 0x22222222);
    assert_int_equal(page_replace_do(&back), 0);
    assert_int_equal(call(), 0x11111111);
    page_replace_end(&there);
    page_replace_end(&back);
}

/* ---- under threads ---- */

static atomic_bool stop;
static atomic_ulong calls, wrong;

static void *run(void *unused)
{
    while (!atomic_load(&stop)) {
        int got = call();

        if (got != 0x11111111 && got != 0x22222222)
            atomic_fetch_add(&wrong, 1);
        atomic_fetch_add(&calls, 1);
    }
    return unused;
}

static void threads_see_all_of_the_bytes_or_none(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        unsigned long before = atomic_load(&calls);

        change(i % 2 ? elevens : twos);
        while (atomic_load(&calls) < before + THREADS)
            sched_yield();
    }
    atomic_store(&stop, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_int_equal(call(), 0x11111111);
}

static int under_mdwe(const void *unused)
{
    struct page_replace replaced = {0};

    (void)unused;
    if (prctl(65, 1, 0, 0, 0) != 0) /* PR_SET_MDWE */
        return 0;                   /* before Linux 6.3 */
    return page_replace_prepare(&replaced, (uintptr_t)eleven, twos, 5) != 0 ||
           page_replace_do(&replaced) != 0 || call() != 0x22222222;
}

static void memory_deny_write_execute_does_not_matter(void **state)
{
    (void)state;
    assert_int_equal(in_child(under_mdwe, NULL), 0);
}

/* ---- what cannot be ---- */

static int try_at(uintptr_t address)
{
    struct page_replace replaced = {0};
    int result = page_replace_prepare(&replaced, address, elevens, 5);

    page_replace_end(&replaced);
    return result;
}

static void bytes_on_two_pages_are_changed_together(void **state)
{
    uint8_t bytes[5], *at = (uint8_t *)((uintptr_t)eleven & ~(uintptr_t)(PAGE - 1)) + PAGE - 2;
    struct page_replace there = {0}, back = {0};
    struct mapping first, second;

    (void)state;
    memcpy(bytes, at, sizeof(bytes));
    assert_int_equal(page_replace_prepare(&there, (uintptr_t)at, twos, 5), 0);
    assert_int_equal(page_replace_prepare(&back, (uintptr_t)at, bytes, 5), 0);
    assert_int_equal(page_replace_do(&there), 0);
    assert_memory_equal(at, twos, sizeof(twos));
    assert_int_equal(page_replace_do(&back), 0);
    assert_memory_equal(at, bytes, sizeof(bytes));
    assert_true(maps_at((uintptr_t)at, &first) && maps_at((uintptr_t)at + 4, &second));
    assert_int_equal(first.inode, second.inode);
    assert_int_equal(first.offset - first.begin, second.offset - second.begin);
}

static void code_without_a_file_is_changed_as_well(void **state)
{
    uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct page_replace replaced = {0};
    struct mapping is;

    (void)state;
    assert_ptr_not_equal(page, MAP_FAILED);
    assert_int_equal(page_replace_prepare(&replaced, (uintptr_t)page + 7, twos, 5), 0);
    assert_int_equal(page_replace_do(&replaced), 0);
    assert_memory_equal(page + 7, twos, sizeof(twos));
    assert_true(maps_at((uintptr_t)page, &is));
    assert_int_equal(is.protection, PROT_READ | PROT_EXEC);
    munmap(page, PAGE);
}

static void what_others_see_too_is_refused(void **state)
{
    void *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_ptr_not_equal(page, MAP_FAILED);
    assert_int_equal(try_at((uintptr_t)page), -ENOTSUP);
    munmap(page, PAGE);
}

static void of_a_file_that_was_replaced_the_old_page_stays(void **state)
{
    char name[] = "/tmp/hotpatch-exchange-XXXXXX", other[] = "/tmp/hotpatch-exchange-XXXXXX";
    int file = mkstemp(name), replacement = mkstemp(other);
    struct page_replace replaced = {0};
    uint8_t *page;

    (void)state;
    assert_int_equal(pwrite(file, "old", 3, 100), 3);
    assert_int_equal(ftruncate(file, PAGE), 0);
    assert_int_equal(ftruncate(replacement, PAGE), 0);
    page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
    assert_ptr_not_equal(page, MAP_FAILED);
    assert_int_equal(rename(other, name), 0);
    assert_int_equal(page_replace_prepare(&replaced, (uintptr_t)page, twos, 5), 0);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(page_replace_do(&replaced), 0);
    assert_memory_equal(page, twos, sizeof(twos));
    assert_memory_equal(page + 100, "old", 3);
    munmap(page, PAGE);
    close(file);
    close(replacement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_stays_one_of_its_file),
        cmocka_unit_test(no_copy_stays),
        cmocka_unit_test(several_are_prepared_and_done_in_turn),
        cmocka_unit_test(threads_see_all_of_the_bytes_or_none),
        cmocka_unit_test(memory_deny_write_execute_does_not_matter),
        cmocka_unit_test(bytes_on_two_pages_are_changed_together),
        cmocka_unit_test(code_without_a_file_is_changed_as_well),
        cmocka_unit_test(what_others_see_too_is_refused),
        cmocka_unit_test(of_a_file_that_was_replaced_the_old_page_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
