/*
 * test_foreign.c - what other tools leave at an entry, told from its bytes; and what the processor makes of a
 * jump whose first byte is the original one again.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "arch/foreign.h"

static const uint8_t ours[5] = {0xe9, 0xcc, 0x10, 0xcc, 0x00};
static const uint8_t files[5] = {0x48, 0x83, 0xec, 0x18, 0x53};

static enum arch_foreign kind_of(const uint8_t *found, size_t room, size_t *at)
{
    return arch_foreign(found, room, ours, files, sizeof(ours), at);
}

static void what_was_written_is_told_from_what_others_write(void **state)
{
    uint8_t found[16] = {0xe9, 0xcc, 0x10, 0xcc, 0x00};
    size_t at = 0;

    (void)state;
    assert_int_equal(kind_of(found, 5, &at), ARCH_FOREIGN_NONE);
    found[0] = files[0];
    assert_int_equal(kind_of(found, 5, &at), ARCH_FOREIGN_ORIGINAL);
    assert_int_equal(at, 0);
    found[2] = files[2];
    assert_int_equal(kind_of(found, 5, &at), ARCH_FOREIGN_ORIGINAL);
    found[0] = 0xcc;
    assert_int_equal(kind_of(found, 5, &at), ARCH_FOREIGN_TRAP);
    found[0] = ours[0];
    found[4] = 0xcc;
    assert_int_equal(kind_of(found, 5, &at), ARCH_FOREIGN_TRAP);
    assert_int_equal(at, 4);
    found[4] = 0x7f;
    assert_int_equal(kind_of(found, 5, &at), ARCH_FOREIGN_JUMP);
    found[0] = 0x90;
    assert_int_equal(kind_of(found, 5, &at), ARCH_FOREIGN_OTHER);
}

static void jumps_of_hooks_are_known_by_their_first_bytes(void **state)
{
    static const struct {
        uint8_t bytes[16];
        const char *text;
    } jumps[] = {
        {{0xe9, 0x00, 0x01, 0x00, 0x00}, "a jump to 0x1105"},
        {{0xe8, 0x00, 0x01, 0x00, 0x00}, "a call to 0x1105"},
        {{0xeb, 0xf0}, "a jump to 0xff2"},
        {{0xff, 0x25, 0, 0, 0, 0, 0x34, 0x12}, "a jump to 0x1234"},
        {{0xff, 0x25, 8, 0, 0, 0}, "a jump"},
        {{0x48, 0xb8, 0x78, 0x56, 0, 0, 0, 0, 0, 0, 0xff, 0xe0}, "a jump to 0x5678"},
        {{0x49, 0xbb, 0x78, 0x56, 0, 0, 0, 0, 0, 0, 0x41, 0xff, 0xe3}, "a jump to 0x5678"},
        {{0x68, 1, 2, 3, 4, 0xc3}, "a jump"},
        {{0xf3, 0x0f, 0x1e, 0xfa, 0xe9, 0, 0, 0, 0}, "a jump to 0x1009"},
    };
    static const uint8_t plain[16];

    (void)state;
    for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
        char text[ARCH_FOREIGN_TEXT];
        size_t at;

        assert_int_equal(arch_foreign(jumps[i].bytes, 16, plain, plain, 16, &at),
                         ARCH_FOREIGN_JUMP);
        arch_foreign_jump_text(jumps[i].bytes, 16, 0x1000, text);
        assert_string_equal(text, jumps[i].text);
    }
}

static void an_int3_that_a_call_meets_is_seen_without_a_file(void **state)
{
    static const uint8_t first[16] = {0xcc, 0x89, 0xe5, 0x53};
    static const uint8_t second[16] = {0x55, 0xcc, 0x89, 0xe5};
    static const uint8_t landed[16] = {0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0xcc};
    static const uint8_t padded[16] = {0x31, 0xc0, 0xc3, 0xcc, 0xcc, 0xcc, 0xcc};
    static const uint8_t inside[16] = {0xb8, 0xcc, 0xcc, 0xcc, 0xcc, 0xc3};
    size_t at;

    (void)state;
    assert_true(arch_traps_first(first, 16, &at));
    assert_int_equal(at, 0);
    assert_true(arch_traps_first(second, 16, &at));
    assert_int_equal(at, 1);
    assert_true(arch_traps_first(landed, 16, &at));
    assert_int_equal(at, 5);
    assert_false(arch_traps_first(padded, 16, &at));
    assert_false(arch_traps_first(inside, 16, &at));
}

/* ---- the original first byte before the rest of a jump ---- */

static sigjmp_buf back;
static volatile uintptr_t met;

static void on_trap(int number, siginfo_t *info, void *context)
{
    (void)info;
    met = (uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    siglongjmp(back, number);
}

/* Which signal the processor raises there. */
static int run(uint8_t *code)
{
    void (*function)(void);
    int number = sigsetjmp(back, 1);

    *(void **)&function = code;
    if (number == 0) {
        function();
        fail_msg("nothing was raised");
    }
    return number;
}

static void the_processor_traps_where_it_is_said_to(void **state)
{
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO}, ill, trap;
    uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct arch_prologue prologue = {.count = 1, .start = {0, 7}, .length = 7};
    unsigned traps = 0, faults = 0;

    (void)state;
    if (code == MAP_FAILED)
        skip();
    sigaction(SIGILL, &action, &ill);
    sigaction(SIGTRAP, &action, &trap);
    memset(code, 0xcc, 64);
    for (unsigned pair = 0; pair < 65536; pair++) {
        uint8_t written[5] = {0xe9, (uint8_t)pair, 0, 0, 0}, at;
        bool by_fault;

        prologue.bytes[0] = (uint8_t)(pair >> 8);
        prologue.bytes[1] = (uint8_t)(written[1] + 1);
        if (prologue.bytes[0] == 0xe9 || prologue.bytes[0] == 0xc3 ||
            !arch_survives_restore(&prologue, written, 5, &at, &by_fault))
            continue;
        memcpy(code, written, 5);
        code[0] = prologue.bytes[0];
        assert_int_equal(run(code), by_fault ? SIGILL : SIGTRAP);
        assert_int_equal(met, (uintptr_t)code + (by_fault ? 0 : at + 1u));
        faults += by_fault;
        traps += !by_fault;
    }
    print_message("%u pairs raise SIGILL, %u SIGTRAP\n", faults, traps);
    assert_true(traps > 16 && faults > 300);
    sigaction(SIGILL, &ill, NULL);
    sigaction(SIGTRAP, &trap, NULL);
    munmap(code, 4096);
}

/* A stub is asked for so that it is; what is written then survives. */
static void a_guarded_jump_survives(void **state)
{
    static const struct {
        uint8_t code[16];
        bool guarded, survives, faults;
    } functions[] = {
        {{0x55, 0x48, 0x89, 0xe5, 0x53, 0xc3}, false, true, false},
        {{0x41, 0x54, 0x55, 0x53, 0x90, 0xc3}, true, true, false},
        {{0x48, 0x83, 0xec, 0x18, 0x90, 0xc3}, true, true, false},
        {{0x31, 0xc0, 0x85, 0xff, 0x90, 0xc3}, true, true, false},
        {{0xc7, 0x44, 0x24, 0xfc, 0, 0, 0, 0, 0xc3}, true, true, true},
        {{0x0f, 0xb6, 0x07, 0x90, 0x90, 0xc3}, true, true, true},
        {{0x8b, 0x47, 0x08, 0x90, 0x90, 0xc3}, false, false, false},
        {{0xb8, 0x01, 0, 0, 0, 0xc3}, false, false, false},
        {{0xc3, 0x90, 0x90, 0x90, 0x90, 0x90}, false, true, false},
        {{0xe9, 0x00, 0x10, 0, 0, 0x90}, false, true, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        const uint64_t entry = UINT64_C(0x555555555010);
        struct arch_prologue prologue;
        uint8_t jump[8], trap;
        uint64_t stub;
        bool faults;

        assert_int_equal(arch_prologue_read(functions[i].code, 16, entry, &prologue), ARCH_OK);
        assert_int_equal(arch_stub_guard(&prologue), functions[i].guarded);
        assert_true(arch_stub_from(&prologue, 0, &stub));
        arch_jump_bytes(&prologue, stub, jump);
        assert_int_equal(arch_survives_restore(&prologue, jump, 5, &trap, &faults),
                         functions[i].survives);
        if (functions[i].survives)
            assert_int_equal(faults, functions[i].faults);
        assert_int_equal(arch_stub_faults(&prologue), functions[i].faults);
    }
}

static void choices_of_stubs_end_with_those_that_are_not_guarded(void **state)
{
    static const uint8_t code[16] = {0x48, 0x83, 0xec, 0x18, 0x90, 0xc3};
    struct arch_prologue prologue;
    unsigned choices = 1;

    (void)state;
    assert_int_equal(arch_prologue_read(code, 16, UINT64_C(0x400000), &prologue), ARCH_OK);
    assert_true(arch_stub_guard(&prologue));
    while (arch_stub_other(&prologue))
        choices++;
    assert_int_equal(choices, ARCH_STUB_CHOICES);
    assert_false(prologue.guarded);
}

/* ---- a copy that a hook's longer jump does not reach ---- */

static void a_wide_copy_comes_back_behind_a_hooks_bytes(void **state)
{
    /* push %rbx; mov $1,%ebx; mov %ebx,%eax; 3 nops; mov $1,%eax; pop; ret */
    static const uint8_t code[] = {0x53, 0xbb, 1,    0, 0, 0, 0x89, 0xd8, 0x90,
                                   0x90, 0x90, 0xb8, 1, 0, 0, 0,    0x5b, 0xc3};
    struct arch_prologue prologue, wide;

    (void)state;
    assert_int_equal(arch_prologue_read(code, sizeof(code), 0x1000, &prologue), ARCH_OK);
    assert_int_equal(prologue.length, 6);
    wide = prologue;
    arch_prologue_widen(code, sizeof(code), &wide);
    assert_int_equal(wide.length, 16);
    assert_memory_equal(wide.bytes, code, 16);
    assert_memory_equal(wide.start, prologue.start, prologue.count);
}

static void the_widening_stops_where_a_copy_would_do_something_else(void **state)
{
    static const struct {
        uint8_t code[16];
        unsigned length;
    } functions[] = {
        {{0x53, 0xbb, 1, 0, 0, 0, 0xe8, 0, 0, 0, 0, 0x5b, 0xc3}, 6},  /* a call */
        {{0x53, 0xbb, 1, 0, 0, 0, 0x90, 0xeb, 0xfd, 0x90, 0xc3}, 7},  /* a loop */
        {{0x53, 0xbb, 1, 0, 0, 0, 0xcc, 0x90, 0x90, 0x90, 0xc3}, 6},  /* a breakpoint */
        {{0x53, 0xbb, 1, 0, 0, 0, 0x5b, 0xc3, 0x90, 0x90, 0x90}, 8},  /* the end */
        {{0x53, 0xbb, 1, 0, 0, 0, 0x74, 0x01, 0x90, 0x90, 0x5b}, 6},  /* a branch close by */
        {{0x53, 0xbb, 1, 0, 0, 0, 0x74, 0x70, 0x90, 0x5b, 0xc3}, 11}, /* a branch far away */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        struct arch_prologue prologue;

        assert_int_equal(arch_prologue_read(functions[i].code, 16, 0x1000, &prologue), ARCH_OK);
        arch_prologue_widen(functions[i].code, 16, &prologue);
        assert_int_equal(prologue.length, functions[i].length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_told_from_what_others_write),
        cmocka_unit_test(jumps_of_hooks_are_known_by_their_first_bytes),
        cmocka_unit_test(an_int3_that_a_call_meets_is_seen_without_a_file),
        cmocka_unit_test(the_processor_traps_where_it_is_said_to),
        cmocka_unit_test(a_guarded_jump_survives),
        cmocka_unit_test(choices_of_stubs_end_with_those_that_are_not_guarded),
        cmocka_unit_test(a_wide_copy_comes_back_behind_a_hooks_bytes),
        cmocka_unit_test(the_widening_stops_where_a_copy_would_do_something_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
