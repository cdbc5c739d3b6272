/*
 * test_thin_place.c - the place of a thin object is taken between the choice and the mapping: another is tried, up to a
 * limit. The engine patches the test's own program; dlopen(3) is wrapped, and takes the place first.
 */
#include <dlfcn.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/module/thin_place.h"
#include "tests/support/directory.h"
#include "tests/support/harness.h"
#include "tests/support/in_process.h"
#include "tests/support/thin_made.h"

int thin_answer(int n);
void *__real_dlopen(const char *name, int flags);
void *__wrap_dlopen(const char *name, int flags);

static int to_take; /* places that are taken before dlopen(3) */
static int opened;
static void *taken[32];
static int taken_count;

__attribute__((noinline)) int thin_answer(int n)
{
    __asm__ volatile("" : "+r"(n));
    return n * 10 + 1;
}

static const char new_c[] = "int thin_answer(int n);\n"
                            "int thin_answer(int n) { return n * 10 + 2; }\n";

static void take_place(const char *name)
{
    struct file file = file_read(name);
    const Elf64_Phdr *first =
        (const Elf64_Phdr *)(const void *)(file.bytes +
                                           ((const Elf64_Ehdr *)(void *)file.bytes)->e_phoff);

    taken[taken_count++] = mmap((void *)(uintptr_t)first->p_vaddr, 4096, PROT_NONE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    file_free(&file);
}

void *__wrap_dlopen(const char *name, int flags)
{
    if (name && strstr(name, "/objects/") && !(flags & RTLD_NOLOAD)) {
        opened++;
        if (to_take > 0) {
            to_take--;
            take_place(name);
        }
    }
    return __real_dlopen(name, flags);
}

static int build(void **state)
{
    static const char *const functions[] = {"thin_answer", NULL};
    char line[400];

    if (directory_make(state) != 0)
        return -1;
    file_write(directory_path("new.c"), new_c, sizeof(new_c) - 1, 0644);
    snprintf(line, sizeof(line), "cd %s && gcc -O2 -g -ffunction-sections -c new.c", directory);
    run_shell(line);
    thin_make(directory_path("new.hpo"), "new", "/proc/self/exe", directory_path("new.o"),
              functions);
    return in_process_setup(state);
}

static int clean(void **state)
{
    return in_process_teardown(state) | directory_remove(state);
}

static int release(void **state)
{
    (void)state;
    while (taken_count > 0)
        if (taken[--taken_count] != MAP_FAILED)
            munmap(taken[taken_count], 4096);
    to_take = opened = 0;
    return 0;
}

static bool is_free(const struct thin_spot *spot)
{
    void *at = mmap((void *)spot->base, spot->size, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (at == MAP_FAILED)
        return false;
    munmap(at, spot->size);
    return true;
}

static void nothing_is_mapped_at_a_place_that_waits(void **state)
{
    const struct thin_extent extent = {.size = 12345, .low = 4096, .high = UINT64_MAX / 2};
    struct thin_spot spot = {0};
    int error;

    (void)state;
    assert_int_not_equal(thin_spot_find(&spot, &extent, (uint64_t)(uintptr_t)thin_answer, &error),
                         0);
    assert_false(is_free(&spot));
    thin_spot_open(&spot);
    assert_true(is_free(&spot));
    thin_spot_done(&spot);
    assert_int_not_equal(thin_spot_find(&spot, &extent, (uint64_t)(uintptr_t)thin_answer, &error),
                         0);
    assert_false(is_free(&spot));
    thin_spot_done(&spot);
    assert_true(is_free(&spot));
}

static const char *load_new(void)
{
    char line[300];

    snprintf(line, sizeof(line), "load %s", directory_path("new.hpo"));
    return in_process_run(line);
}

static void after_too_many_tries_it_is_refused(void **state)
{
    (void)state;
    to_take = 100;
    assert_codes(load_new(), "HP-NEAR");
    assert_int_equal(opened, THIN_TRIES);
    assert_int_equal(thin_answer(3), 31);
}

static void another_place_is_tried(void **state)
{
    (void)state;
    to_take = 3;
    assert_codes(load_new(), "apply");
    assert_int_equal(opened, 4);
    assert_int_equal(thin_answer(3), 32);
    assert_codes(in_process_run("revert last"), "apply");
    assert_int_equal(thin_answer(3), 31);
}

static void a_mapping_is_used_again(void **state)
{
    (void)state;
    assert_codes(load_new(), "apply");
    assert_int_equal(opened, 0);
    assert_int_equal(thin_answer(3), 32);
    assert_codes(in_process_run("revert last"), "apply");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_mapped_at_a_place_that_waits, release),
        cmocka_unit_test_setup(after_too_many_tries_it_is_refused, release),
        cmocka_unit_test_setup(another_place_is_tried, release),
        cmocka_unit_test_setup(a_mapping_is_used_again, release),
    };

    return cmocka_run_group_tests(tests, build, clean);
}
