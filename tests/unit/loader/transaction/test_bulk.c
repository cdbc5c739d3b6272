/*
 * test_bulk.c - many functions in one transaction: what is done once for all of them, by counting calls
 * through wrappers (ld(1), --wrap), never by time.
 */
#include <string.h>

#include "loader/objects/maps.h"
#include "loader/text/text_poke.h"
#include "tests/support/bulk.h"
#include "tests/support/harness.h"
#include "tests/support/in_process.h"

enum { MANY = 256, FEW = 16 };

/* ---- what is patched ---- */

/* In assembler: a compiler for a sanitizer gives them other first bytes, and so other techniques. */
#define FUNCTION(h)                                \
    int bulk_##h(int x);                           \
    __asm__(".pushsection .text\n"                 \
            ".balign 16\n"                         \
            ".globl bulk_" #h "\n"                 \
            ".type bulk_" #h ", @function\n"       \
            "bulk_" #h ":\n"                       \
            ".cfi_startproc\n"                     \
            "lea 0x" #h "(%rdi), %eax\n"           \
            "ret\n"                                \
            ".cfi_endproc\n"                       \
            ".size bulk_" #h ", . - bulk_" #h "\n" \
            ".balign 16\n"                         \
            ".popsection");
BULK(FUNCTION)

#define ADDRESS(h) bulk_##h,
static int (*const functions[])(int) = {BULK(ADDRESS)};

/* ---- what is counted ---- */

static struct counts {
    unsigned maps, syncs, opened;
} counts;

int __real_maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context);
int __wrap_maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context);
void __real_text_poke_sync(void);
void __wrap_text_poke_sync(void);
int __real_text_poke_open(struct text_poke *poke, uintptr_t address, size_t size, int protection,
                          bool prefer_stores);
int __wrap_text_poke_open(struct text_poke *poke, uintptr_t address, size_t size, int protection,
                          bool prefer_stores);

int __wrap_maps_each(bool (*each)(const struct mapping *mapping, void *context), void *context)
{
    counts.maps++;
    return __real_maps_each(each, context);
}

void __wrap_text_poke_sync(void)
{
    counts.syncs++;
    __real_text_poke_sync();
}

int __wrap_text_poke_open(struct text_poke *poke, uintptr_t address, size_t size, int protection,
                          bool prefer_stores)
{
    counts.opened++;
    return __real_text_poke_open(poke, address, size, protection, prefer_stores);
}

static struct counts counts_of(const char *patch)
{
    counts = (struct counts){0};
    must_load(patch);
    print_message("%s: %u readings of maps, %u serialisations, %u openings\n", patch, counts.maps,
                  counts.syncs, counts.opened);
    return counts;
}

static void assert_results(size_t count, int more)
{
    for (size_t i = 0; i < count; i++)
        assert_int_equal(functions[i](7), 7 + more + (int)i);
}

static int revert_everything(void **state)
{
    (void)state;
    assert_codes(in_process_run("revert all"), "apply");
    assert_int_equal(functions[3](7), 10);
    return 0;
}

/* ---- tests ---- */

/* The functions of the first 16 are armed already then. */
static void many_functions_take_no_more_readings_and_serialisations_than_few(void **state)
{
    struct counts few, many;
    unsigned sections;

    (void)state;
    few = counts_of("bulk_few");
    assert_results(FEW, 1000);
    sections = in_process.sections;
    many = counts_of("bulk_many");
    assert_results(MANY, 2000);
    sections = in_process.sections - sections; /* a slow machine needs more */
    assert_in_range(few.maps, 1, 4);
    assert_in_range(many.maps, 1, 4);
    assert_true(many.syncs <= 2 * sections + 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(many_functions_take_no_more_readings_and_serialisations_than_few,
                                  revert_everything),
    };

    return cmocka_run_group_tests(tests, in_process_setup, in_process_teardown);
}
