/*
 * test_thin_relocations.c - arch/thin.h: what each relocation stores, and that a value that does not fit is refused and stores
 * nothing.
 */
#include "arch/thin.h"

#include <elf.h>
#include <string.h>

#include "tests/support/harness.h"

struct row {
    uint32_t number;
    uint64_t target;
    int64_t addend;
    uint64_t place;
    bool fits;
    uint64_t stored; /* little-endian, as many bytes as the field has */
};

static const struct row rows[] = {
    {R_X86_64_64, 0x123456789a, 2, 0, true, 0x123456789c},
    {R_X86_64_64, 0, -1, 0, true, UINT64_MAX},
    {R_X86_64_32, 0xfffffff0, 0xf, 0, true, 0xffffffff},
    {R_X86_64_32, 0xfffffff0, 0x10, 0, false, 0},
    {R_X86_64_32, 0, -1, 0, false, 0},
    {R_X86_64_32S, 0x7fffffff, 0, 0, true, 0x7fffffff},
    {R_X86_64_32S, 0x80000000, 0, 0, false, 0},
    {R_X86_64_32S, 0, -1, 0, true, 0xffffffff},
    {R_X86_64_16, 0xffff, 0, 0, true, 0xffff},
    {R_X86_64_16, 0xffff, 1, 0, false, 0},
    {R_X86_64_8, 0x7f, 0, 0, true, 0x7f},
    {R_X86_64_8, 0x100, 0, 0, false, 0},
    {R_X86_64_PC32, 0x2000, -4, 0x1000, true, 0xffc},
    {R_X86_64_PC32, 0x1000, -4, 0x2000, true, 0xffffeffc},
    {R_X86_64_PC32, 0x80000003, -4, 0, true, 0x7fffffff},
    {R_X86_64_PC32, 0x80000004, -4, 0, false, 0},
    {R_X86_64_PC32, 0, 0, 0x80000000, true, 0x80000000},
    {R_X86_64_PC32, 0, 0, 0x80000001, false, 0},
    {R_X86_64_PLT32, 0x2000, -4, 0x1000, true, 0xffc},
    {R_X86_64_PC64, 0x1000, 0, 0x2000, true, (uint64_t)-0x1000},
    {R_X86_64_GOTPCREL, 0x3000, -4, 0x1000, true, 0x1ffc},
    {R_X86_64_GOTPCRELX, 0x3000, -4, 0x1000, true, 0x1ffc},
    {R_X86_64_REX_GOTPCRELX, 0x3000, -5, 0x1000, true, 0x1ffb},
    {R_X86_64_GOTTPOFF, 0x3000, -4, 0x1000, true, 0x1ffc},
    {R_X86_64_TPOFF32, (uint64_t)-64, 8, 0, true, 0xffffffc8},
    {R_X86_64_TPOFF64, (uint64_t)-64, 8, 0, true, (uint64_t)-56},
    {R_X86_64_TLSGD, 0x3000, -4, 0x1000, true, 0x1ffc},
    {R_X86_64_TLSLD, 0x3000, -4, 0x1000, true, 0x1ffc},
    {R_X86_64_DTPOFF32, 24, 4, 0, true, 28},
    {R_X86_64_DTPOFF64, 24, 4, 0, true, 28},
    {R_X86_64_SIZE32, 100, 1, 0, true, 101},
    {R_X86_64_SIZE64, 100, 1, 0, true, 101},
    {R_X86_64_GOTPC32_TLSDESC, 0x3000, -4, 0x1000, true, 0x1ffc},
};

static void relocations_store_what_the_psabi_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        uint8_t field[8], expected[8];
        memset(field, 0xa5, sizeof field);
        memset(expected, 0xa5, sizeof expected);
        if (row->fits)
            memcpy(expected, &row->stored, arch_thin(row->number).size);
        if (arch_thin_apply(row->number, field, row->place, row->target, row->addend) != row->fits)
            fail_msg("row %zu: relocation %u", i, row->number);
        if (memcmp(field, expected, sizeof field) != 0)
            fail_msg("row %zu: relocation %u stores another value", i, row->number);
    }
}

static void unknown_relocations_store_nothing(void **state)
{
    static const uint32_t unknown[] = {R_X86_64_COPY,
                                       R_X86_64_GLOB_DAT,
                                       R_X86_64_RELATIVE,
                                       R_X86_64_IRELATIVE,
                                       R_X86_64_TLSDESC,
                                       43,
                                       255,
                                       UINT32_MAX};
    uint64_t field = 7;

    (void)state;
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        assert_int_equal(arch_thin(unknown[i]).target, ARCH_THIN_UNKNOWN);
        assert_false(arch_thin_apply(unknown[i], (uint8_t *)&field, 0, 0, 0));
        assert_int_equal(field, 7);
    }
}

static void marks_store_nothing(void **state)
{
    uint64_t field = 7;

    (void)state;
    assert_true(arch_thin_apply(R_X86_64_NONE, (uint8_t *)&field, 0, UINT64_MAX, 9));
    assert_true(arch_thin_apply(R_X86_64_TLSDESC_CALL, (uint8_t *)&field, 0, UINT64_MAX, 9));
    assert_int_equal(field, 7);
}

static void branches_are_told_from_accesses(void **state)
{
    static const uint8_t code[] = {0xe8, 0,    0,    0, 0,       /* call */
                                   0xe9, 0,    0,    0, 0,       /* jmp */
                                   0x0f, 0x84, 0,    0, 0, 0,    /* je */
                                   0x48, 0x8d, 0x3d, 0, 0, 0, 0, /* lea */
                                   0x48, 0xc7, 0xc0, 0, 0, 0, 0, /* mov $ */
                                   0xc7, 0x05, 0,    0, 0, 0, 1, 0, 0, 0 /* movl $1, x */};

    (void)state;
    assert_true(arch_thin_is_branch(R_X86_64_PLT32, code, 1));
    assert_true(arch_thin_is_branch(R_X86_64_PC32, code, 1));
    assert_true(arch_thin_is_branch(R_X86_64_PLT32, code, 6));
    assert_true(arch_thin_is_branch(R_X86_64_PC32, code, 12));
    assert_false(arch_thin_is_branch(R_X86_64_PC32, code, 19));
    assert_false(arch_thin_is_branch(R_X86_64_PLT32, code, 19));
    assert_false(arch_thin_is_branch(R_X86_64_32S, code, 26));
    assert_false(arch_thin_is_branch(R_X86_64_PC32, code, 32));
    assert_false(arch_thin_is_branch(R_X86_64_64, code, 1));
    assert_false(arch_thin_is_branch(R_X86_64_PC32, code, 0));
}

static void a_stub_jumps_through_its_word(void **state)
{
    static const uint8_t expected[] = {0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25};
    uint8_t stub[ARCH_THIN_STUB_SIZE] = {0};
    int32_t field;

    (void)state;
    assert_true(arch_thin_stub(stub, 0x1000, 0x3000));
    assert_memory_equal(stub, expected, sizeof expected);
    memcpy(&field, stub + 6, sizeof field);
    assert_int_equal(0x1000 + 10 + field, 0x3000);
}

static void a_stub_that_is_too_far_from_its_word_is_not_written(void **state)
{
    uint8_t stub[ARCH_THIN_STUB_SIZE] = {0}, zeros[ARCH_THIN_STUB_SIZE] = {0};

    (void)state;
    assert_false(arch_thin_stub(stub, 0x1000, 0x1000 + (UINT64_C(1) << 32)));
    assert_memory_equal(stub, zeros, sizeof stub);
}

static void numbers_are_those_of_the_abi(void **state)
{
    (void)state;
    assert_int_equal(arch_thin_number(ARCH_THIN_ABSOLUTE_64), R_X86_64_64);
    assert_int_equal(arch_thin_number(ARCH_THIN_DYNAMIC_GOT), R_X86_64_GLOB_DAT);
    assert_int_equal(arch_thin_number(ARCH_THIN_DYNAMIC_TLS_MODULE), R_X86_64_DTPMOD64);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(relocations_store_what_the_psabi_says),
        T(unknown_relocations_store_nothing),
        T(marks_store_nothing),
        T(branches_are_told_from_accesses),
        T(a_stub_jumps_through_its_word),
        T(a_stub_that_is_too_far_from_its_word_is_not_written),
        T(numbers_are_those_of_the_abi),
    };

    return cmocka_run_group_tests_name("thin relocations", tests, NULL, NULL);
}
