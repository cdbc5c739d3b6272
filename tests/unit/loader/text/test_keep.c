/*
 * test_keep.c - keeping stubs by themselves: what a call through one finds, and what it leaves. With
 * a replacement that overwrites all that the ABI lets it.
 */
#include <string.h>

#include "loader/slots/injection.h"
#include "loader/text/keeper.h"
#include "tests/support/harness.h"
#include "tests/support/registers.h"

enum { RAX = 0, RCX = 1, RDX = 2, RSP = 4 };

static const int caller_saved[] = {0, 1, 2, 6, 7, 8, 9, 10, 11};
static struct keeper *keepers;

/* The thunk of a new keeping stub that leads to registers_clobber. */
static uintptr_t stub_for(const struct arch_kept *kept, uint32_t stack_bytes)
{
    struct keep keep = {*kept, stack_bytes};

    assert_int_equal(
        keeper_make(&keepers, (uintptr_t)stub_for, (uintptr_t)registers_clobber, &keep), 0);
    return keeper_way(keepers, (uintptr_t)registers_clobber);
}

static void fill(struct registers *registers)
{
    uint64_t next = 0x9e3779b97f4a7c15;
    uint8_t *bytes = (uint8_t *)registers;

    for (size_t i = 0; i < sizeof(*registers); i++) {
        next = next * 6364136223846793005 + 1442695040888963407;
        bytes[i] = (uint8_t)(next >> 56);
    }
}

struct seen {
    struct registers in, out, inside;
};

static struct seen call(uintptr_t target, unsigned features, unsigned words)
{
    static struct seen seen;

    memset(&seen, 0, sizeof(seen));
    fill(&seen.in);
    registers_seen_features = features;
    registers_seen_words = words;
    registers_call(&seen.in, &seen.out, target, words, features);
    seen.inside = registers_seen;
    return seen;
}

static unsigned widths(void)
{
    return registers_features();
}

static size_t bytes_of(unsigned features)
{
    return features & REGISTERS_ZMM ? 64 : features & REGISTERS_YMM ? 32 : 16;
}

static void the_function_that_clobbers_does(void **state)
{
    struct seen seen = call((uintptr_t)registers_clobber, widths(), 0);

    (void)state;
    for (size_t i = 0; i < sizeof(caller_saved) / sizeof(*caller_saved); i++) {
        assert_int_equal(seen.inside.general[caller_saved[i]], seen.in.general[caller_saved[i]]);
        assert_int_not_equal(seen.out.general[caller_saved[i]], seen.in.general[caller_saved[i]]);
    }
    for (int i = 0; i < 16; i++)
        assert_memory_not_equal(seen.out.vector[i], seen.in.vector[i], 16);
}

/* All of them, in each set of those that may be results. */
static void general_registers_are_kept_but_for_the_results(void **state)
{
    (void)state;
    for (unsigned results = 0; results < 4; results++) {
        struct arch_kept kept = {.general = 0x0fc2};
        struct seen seen;

        kept.general |= results & 1 ? 1 << RAX : 0;
        kept.general |= results & 2 ? 1 << RDX : 0;
        seen = call(stub_for(&kept, 0), 0, 0);
        for (size_t i = 0; i < sizeof(caller_saved) / sizeof(*caller_saved); i++) {
            int n = caller_saved[i];

            if (n != 11) /* which carries no argument */
                assert_int_equal(seen.inside.general[n], seen.in.general[n]);
            if (n == RAX && !(results & 1))
                assert_int_equal(seen.out.general[n], REGISTERS_RESULT_RAX);
            else if (n == RDX && !(results & 2))
                assert_int_equal(seen.out.general[n], REGISTERS_RESULT_RDX);
            else
                assert_int_equal(seen.out.general[n], seen.in.general[n]);
        }
        assert_memory_equal(seen.inside.vector, seen.in.vector, 16);
    }
}

static void assert_vectors(const struct seen *seen, unsigned kept, size_t width)
{
    static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};

    for (int i = 0; i < (width == 64 ? 32 : 16); i++) {
        assert_memory_equal(seen->inside.vector[i], seen->in.vector[i], width);
        if (i < 2 && !(kept >> i & 1))
            assert_memory_equal(seen->out.vector[i], ones, 16);
        else
            assert_memory_equal(seen->out.vector[i], seen->in.vector[i], width);
    }
}

static void vector_registers_are_kept_in_each_width(void **state)
{
    static const unsigned features[] = {0, REGISTERS_YMM, REGISTERS_YMM | REGISTERS_ZMM};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        if ((features[i] & widths()) != features[i])
            continue;
        for (unsigned results = 0; results < 4; results++) {
            struct arch_kept kept = {.vector = 0x10 | results,
                                     .vector_bytes = (uint8_t)bytes_of(features[i])};
            struct seen seen = call(stub_for(&kept, 0), features[i], 0);

            assert_vectors(&seen, results, bytes_of(features[i]));
            assert_int_equal(seen.out.general[RAX], REGISTERS_RESULT_RAX);
            assert_int_equal(seen.out.general[RCX], seen.in.general[RCX]);
        }
    }
}

static void registers_above_the_sixteenth_are_kept(void **state)
{
    struct arch_kept kept = {.vector = 1u << 20, .vector_bytes = 16};
    struct seen seen;

    (void)state;
    if (!(widths() & REGISTERS_ZMM))
        skip();
    seen = call(stub_for(&kept, 0), widths(), 0);
    assert_memory_equal(seen.out.vector[20], seen.in.vector[20], 16);
}

static void mask_registers_are_kept(void **state)
{
    struct arch_kept kept = {.mask = 0x80};
    struct seen seen;

    (void)state;
    if (!(widths() & REGISTERS_ZMM))
        skip();
    seen = call(stub_for(&kept, 0), widths(), 0);
    assert_memory_equal(seen.out.mask, seen.in.mask, sizeof(seen.in.mask));
    seen = call((uintptr_t)registers_clobber, widths(), 0);
    assert_memory_not_equal(seen.out.mask, seen.in.mask, sizeof(seen.in.mask));
}

static void the_stack_is_aligned(void **state)
{
    static const struct arch_kept kept[] = {
        {.align = true}, {.vector = 4, .vector_bytes = 16}, {.general = 2, .align = true}};

    (void)state;
    assert_int_equal(
        call((uintptr_t)registers_clobber, REGISTERS_MISALIGNED, 0).inside.general[RSP] % 16, 0);
    for (size_t i = 0; i < 3; i++)
        for (unsigned words = 0; words < 4; words++)
            for (unsigned shift = 0; shift <= REGISTERS_MISALIGNED; shift += REGISTERS_MISALIGNED) {
                struct seen seen = call(stub_for(&kept[i], 8 * words), shift, words);

                assert_int_equal(seen.inside.general[RSP] % 16, 8);
            }
}

static void arguments_on_the_stack_are_copied(void **state)
{
    struct arch_kept kept = {.general = 2};

    (void)state;
    for (unsigned words = 1; words <= REGISTERS_STACK_WORDS; words++) {
        struct seen seen = call(stub_for(&kept, 8 * words), 0, words);

        assert_memory_equal(seen.inside.stack, seen.in.stack, 8 * words);
        for (size_t i = 0; i < sizeof(caller_saved) / sizeof(*caller_saved); i++)
            if (caller_saved[i] != 11)
                assert_int_equal(seen.inside.general[caller_saved[i]],
                                 seen.in.general[caller_saved[i]]);
        assert_int_equal(seen.out.general[RCX], seen.in.general[RCX]);
    }
}

/* ---- x87 ---- */

static double through_x87;

/* Asks for an empty stack, and leaves one, with other contents than before. */
__attribute__((noinline)) static void clobber_x87(void)
{
    double sum;

    __asm__ volatile("fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n fld1\n"
                     "faddp\n faddp\n faddp\n faddp\n faddp\n faddp\n faddp\n fstpl %0"
                     : "=m"(sum)
                     :
                     : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)");
    through_x87 = sum;
}

static void the_x87_stack_is_kept_and_empty_inside(void **state)
{
    struct keep keep = {.kept = {.x87 = true}};
    double kept = 0, pi;
    uintptr_t way;
    uint16_t control, rounding = 0x0f7f, before;

    (void)state;
    assert_int_equal(keeper_make(&keepers, (uintptr_t)stub_for, (uintptr_t)clobber_x87, &keep), 0);
    way = keeper_way(keepers, (uintptr_t)clobber_x87);
    __asm__ volatile("fnstcw %0\n fldcw %1" : "=m"(before) : "m"(rounding));
    __asm__ volatile("fldpi\n call *%2\n fstpl %0\n fnstcw %1"
                     : "=m"(kept), "=m"(control)
                     : "r"(way)
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
    __asm__ volatile("fldcw %1\n fldpi\n fstpl %0" : "=m"(pi) : "m"(before));
    assert_true(through_x87 == 8);
    assert_int_equal(control, rounding);
    assert_true(kept - pi < 1e-9 && pi - kept < 1e-9);
}

/* ---- faults ---- */

static struct injection *fault_of(uintptr_t original, bool no_result)
{
    struct injection *fault = &injection_table[ARCH_INJECTIONS - 1];

    *fault =
        (struct injection){.original = original, .value = 4711, .nth = 2, .no_result = no_result};
    return fault;
}

static void assert_as_called(const struct seen *seen, int but)
{
    for (size_t i = 0; i < sizeof(caller_saved) / sizeof(*caller_saved); i++)
        if (caller_saved[i] != but)
            assert_int_equal(seen->out.general[caller_saved[i]], seen->in.general[caller_saved[i]]);
    for (int i = 0; i < (widths() & REGISTERS_ZMM ? 32 : 16); i++)
        assert_memory_equal(seen->out.vector[i], seen->in.vector[i], bytes_of(widths()));
    if (widths() & REGISTERS_ZMM)
        assert_memory_equal(seen->out.mask, seen->in.mask, sizeof(seen->in.mask));
}

/* The first call passes, the second strikes. */
static void a_fault_that_strikes_writes_its_result_alone(void **state)
{
    struct injection *fault = fault_of((uintptr_t)registers_clobber, false);
    struct seen seen;

    (void)state;
    if (sanitized())
        skip();
    call(injection_function(fault), widths(), 0);
    seen = call(injection_function(fault), widths(), 0);
    assert_int_equal(seen.out.general[RAX], 4711);
    assert_as_called(&seen, RAX);
}

static void a_fault_of_a_function_without_result_writes_nothing(void **state)
{
    struct injection *fault = fault_of((uintptr_t)registers_clobber, true);
    struct seen seen;

    (void)state;
    if (sanitized())
        skip();
    call(injection_function(fault), widths(), 0);
    seen = call(injection_function(fault), widths(), 0);
    assert_as_called(&seen, -1);
}

__attribute__((naked)) static void does_nothing(void)
{
    __asm__("endbr64\n ret");
}

static void a_fault_that_passes_writes_nothing(void **state)
{
    struct seen seen;

    (void)state;
    if (sanitized())
        skip();
    seen = call(injection_function(fault_of((uintptr_t)does_nothing, false)), widths(), 0);
    assert_as_called(&seen, -1);
}

static void a_fault_hands_on_every_register_and_the_stack(void **state)
{
    struct seen seen =
        call(injection_function(fault_of((uintptr_t)registers_clobber, false)), widths(), 9);

    (void)state;
    for (size_t i = 0; i < sizeof(caller_saved) / sizeof(*caller_saved); i++)
        assert_int_equal(seen.inside.general[caller_saved[i]], seen.in.general[caller_saved[i]]);
    assert_memory_equal(seen.inside.stack, seen.in.stack, 9 * 8);
    if (!sanitized())
        assert_memory_equal(seen.inside.vector, seen.in.vector,
                            widths() & REGISTERS_ZMM ? sizeof(seen.in.vector) : 16);
}

/* ---- thunks ---- */

static void nothing_to_keep_needs_no_stub(void **state)
{
    struct keep none = {0};

    (void)state;
    assert_int_equal(
        keeper_make(&keepers, (uintptr_t)stub_for, (uintptr_t)registers_clobber, &none), 0);
    assert_int_equal(keeper_way(keepers, (uintptr_t)registers_clobber),
                     (uintptr_t)registers_clobber);
    assert_null(keeper_keep(keepers, (uintptr_t)registers_clobber));
}

static void the_same_replacement_gets_the_same_thunk(void **state)
{
    struct arch_kept one = {.general = 2}, two = {.general = 6};
    uintptr_t first = stub_for(&one, 0), second = stub_for(&two, 0);

    (void)state;
    assert_int_not_equal(first, second);
    nothing_to_keep_needs_no_stub(state);
    assert_int_equal(stub_for(&one, 0), first);
    assert_int_equal(keeper_keep(keepers, (uintptr_t)registers_clobber)->kept.general, 2);
    assert_int_equal(stub_for(&two, 0), second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_function_that_clobbers_does),
        cmocka_unit_test(general_registers_are_kept_but_for_the_results),
        cmocka_unit_test(vector_registers_are_kept_in_each_width),
        cmocka_unit_test(registers_above_the_sixteenth_are_kept),
        cmocka_unit_test(mask_registers_are_kept),
        cmocka_unit_test(the_stack_is_aligned),
        cmocka_unit_test(arguments_on_the_stack_are_copied),
        cmocka_unit_test(the_x87_stack_is_kept_and_empty_inside),
        cmocka_unit_test(a_fault_that_strikes_writes_its_result_alone),
        cmocka_unit_test(a_fault_of_a_function_without_result_writes_nothing),
        cmocka_unit_test(a_fault_that_passes_writes_nothing),
        cmocka_unit_test(a_fault_hands_on_every_register_and_the_stack),
        cmocka_unit_test(nothing_to_keep_needs_no_stub),
        cmocka_unit_test(the_same_replacement_gets_the_same_thunk),
    };

    return cmocka_run_group_tests_name("keep", tests, NULL, NULL);
}
