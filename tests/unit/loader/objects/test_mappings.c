/* test_mappings.c - loads are refused before the process has no mapping left; limits below the kernel's. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "loader/objects/mappings.h"
#include "tests/support/harness.h"

static struct refusal why;

static int clear(void **state)
{
    (void)state;
    refusal_clear(&why);
    return 0;
}

static size_t lines_of_maps(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    size_t lines = 0;

    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;)
        lines += c == '\n';
    fclose(file);
    return lines;
}

static void far_from_the_limit_nothing_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mappings_check(1, 65530, &why), 0);
    assert_int_equal(mappings_check(256, 65530, &why), 0);
    assert_int_equal(why.count, 0);
}

static void the_limit_is_the_kernels(void **state)
{
    (void)state;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
    size_t limit = 65530;

    if (file) {
        assert_int_equal(fscanf(file, "%zu", &limit), 1);
        fclose(file);
    }
    assert_int_equal(mappings_limit(), limit);
}

static void a_sixteenth_stays_free(void **state)
{
    (void)state;
    size_t limit = 16 * (lines_of_maps() + 4 * MAPPINGS_PER_LOAD);

    assert_int_equal(mappings_check(1, limit, &why), 0);
    limit = lines_of_maps() + MAPPINGS_PER_LOAD;
    assert_int_equal(mappings_check(1, limit, &why), -1);
    assert_int_equal(why.items[0].code, HP_MAPPINGS);
}

static void what_the_program_mapped_meanwhile_counts(void **state)
{
    (void)state;
    enum { MORE = 2000 };
    size_t limit = 2 * (lines_of_maps() + MORE / 4);
    char *pages = mmap(NULL, 4096 * MORE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(pages != MAP_FAILED);
    assert_int_equal(mappings_check(1, limit, &why), 0);
    for (size_t i = 0; i < MORE; i += 2)
        assert_int_equal(mprotect(pages + 4096 * i, 4096, PROT_READ), 0);
    int result = 0; /* it is counted again after twenty times what the count took */
    for (int i = 0; i < 1000000 && result == 0; i++)
        result = mappings_check(0 + (i % 1000 == 0), limit, &why);
    assert_int_equal(result, -1);
    munmap(pages, 4096 * MORE);
}

static void loads_since_the_last_count_are_reckoned(void **state)
{
    (void)state;
    size_t limit = 2 * (lines_of_maps() + 40 * MAPPINGS_PER_LOAD);

    assert_int_equal(mappings_check(1, limit, &why), 0);
    assert_int_equal(mappings_check(1000, limit, &why), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(far_from_the_limit_nothing_is_refused, clear),
        cmocka_unit_test_teardown(the_limit_is_the_kernels, clear),
        cmocka_unit_test_teardown(a_sixteenth_stays_free, clear),
        cmocka_unit_test_teardown(what_the_program_mapped_meanwhile_counts, clear),
        cmocka_unit_test_teardown(loads_since_the_last_count_are_reckoned, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
