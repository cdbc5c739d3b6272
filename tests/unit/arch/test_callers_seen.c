/*
 * test_callers_seen.c - what is looked up by an instruction's bytes is what decoding says: for every
 * address in the code of this program and of its libraries, and for bytes at random.
 */
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/x86_64/callers_seen.h"

enum { RANDOM_TIMES = 1000 * 1000, PART = 1 << 18 };

static bool same_sets(const struct effects *a, const struct effects *b)
{
    return registers_equal(a->reads, b->reads) && registers_equal(a->writes, b->writes) &&
           registers_equal(a->touches, b->touches);
}

static bool same_stack(const struct effects *a, const struct effects *b)
{
    return a->stack == b->stack && a->amount == b->amount && a->pushed == b->pushed &&
           a->popped == b->popped && a->x87_push == b->x87_push;
}

static bool same_table(const struct effects *a, const struct effects *b)
{
    return a->table == b->table && a->value == b->value && a->to == b->to && a->base == b->base &&
           a->index == b->index && a->above == b->above;
}

static bool same(const struct effects *a, const struct effects *b)
{
    return a->length == b->length && a->kind == b->kind && a->target == b->target &&
           a->field_bytes == b->field_bytes && a->scalar_float == b->scalar_float &&
           a->nothing == b->nothing && a->simple_memory == b->simple_memory && same_sets(a, b) &&
           same_stack(a, b) && same_table(a, b);
}

/* Of up to 15 bytes. */
static void check(struct seen *seen, const uint8_t *code, size_t size, uint64_t address)
{
    uint8_t copy[SEEN_BYTES] = {0};
    struct effects decoded, found;
    bool is_one;

    memcpy(copy, code, size);
    is_one = effects_decode(copy, size, address, &decoded);
    assert_int_equal(seen_decode(seen, copy, size, address, &found), is_one);
    if (is_one && !same(&decoded, &found))
        fail_msg("size %zu at %#lx: %02x %02x %02x %02x %02x %02x %02x %02x %02x %02x", size,
                 (unsigned long)address, copy[0], copy[1], copy[2], copy[3], copy[4], copy[5],
                 copy[6], copy[7], copy[8], copy[9]);
}

static int check_object(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        const uint8_t *code = (const uint8_t *)(info->dlpi_addr + segment->p_vaddr);
        size_t count = segment->p_memsz < PART ? segment->p_memsz : PART;

        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        for (size_t at = 0; at + 15 <= count; at++)
            check(context, code + at, 15, segment->p_vaddr + at);
    }
    return 0;
}

static void instructions_of_programs_are_found_as_decoded(void **state)
{
    struct seen *seen = seen_make();

    (void)state;
    assert_non_null(seen);
    dl_iterate_phdr(check_object, seen);
    seen_free(seen);
}

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* Opcodes at random, with prefixes and operands as they are common, so that they occur again. */
static void bytes_at_random_are_found_as_decoded(void **state)
{
    static const uint8_t common[] = {0x48, 0x66, 0x0f, 0x44, 0xc5, 0xf3, 0x83, 0x04, 0x24, 0x05};
    struct seen *seen = seen_make();
    uint64_t random = 88172645463325252;

    (void)state;
    assert_non_null(seen);
    for (int n = 0; n < RANDOM_TIMES; n++) {
        uint64_t bytes[2] = {next_random(&random), next_random(&random)}, how;
        uint8_t code[sizeof(bytes)];

        memcpy(code, bytes, sizeof(bytes));
        how = next_random(&random);
        for (int i = 0; i < 4; i++, how >>= 8)
            if (how & 1)
                code[i] = common[(how >> 1 & 0x7f) % sizeof(common)];
        check(seen, code, 15, random);
        memset(code + 4, (int)(how & 0xff), 4); /* the same with another displacement */
        check(seen, code, 15, random);
    }
    seen_free(seen);
}

static void what_is_cut_is_not_found(void **state)
{
    static const uint8_t lea[] = {0x48, 0x8d, 0x05, 0, 0, 0, 0};
    struct seen *seen = seen_make();

    (void)state;
    assert_non_null(seen);
    for (int n = 0; n < 2; n++)
        for (size_t size = sizeof(lea); size > 0; size--)
            check(seen, lea, size, 0x1000 * size);
    seen_free(seen);
}

static void without_a_table_it_is_decoded(void **state)
{
    static const uint8_t call[] = {0xe8, 0x10, 0, 0, 0};
    struct effects found;
    uint8_t copy[SEEN_BYTES] = {0};

    (void)state;
    memcpy(copy, call, sizeof(call));
    assert_true(seen_decode(NULL, copy, sizeof(call), 0x1000, &found));
    assert_int_equal(found.target, 0x1015);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instructions_of_programs_are_found_as_decoded),
        cmocka_unit_test(bytes_at_random_are_found_as_decoded),
        cmocka_unit_test(what_is_cut_is_not_found),
        cmocka_unit_test(without_a_table_it_is_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
