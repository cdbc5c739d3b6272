/*
 * test_prologue.c - which functions can be patched, where their jumps may lead, and what becomes of
 * the instructions that a jump displaces: by hand-written bytes. test_prologue_real.c reads those
 * that compilers write, and runs them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch/arch.h"

/* Where the functions run, and where their copies go. */
#define ENTRY UINT64_C(0x10000000)
#define COPY (ENTRY + 0x1000)

/* A function's bytes as hex digits; blanks are for the reader. */
static size_t parse_hex(const char *text, uint8_t *out, size_t room)
{
    size_t length = 0;

    for (const char *at = text; *at; at++) {
        unsigned byte;

        if (*at == ' ')
            continue;
        assert_int_equal(sscanf(at, "%2x", &byte), 1);
        assert_true(length < room);
        out[length++] = (uint8_t)byte;
        at++;
    }
    return length;
}

/* The bytes are copied to the end of an allocation, so that a sanitizer sees a read beyond. */
static enum arch_problem read_by(enum arch_problem (*read)(const uint8_t *, size_t, uint64_t,
                                                           struct arch_prologue *),
                                 const char *text, struct arch_prologue *out)
{
    uint8_t bytes[512], *exact;
    size_t size = parse_hex(text, bytes, sizeof(bytes));
    enum arch_problem problem;

    exact = malloc(size ? size : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, size);
    problem = read(exact, size, ENTRY, out);
    free(exact);
    return problem;
}

static enum arch_problem read_hex(const char *text, struct arch_prologue *out)
{
    return read_by(arch_prologue_read, text, out);
}

static void assert_problem(const char *text, enum arch_problem expected)
{
    struct arch_prologue prologue;
    enum arch_problem problem = read_hex(text, &prologue);

    if (problem != expected)
        print_error("%s: %s, not: %s\n", text, arch_problem_text(problem),
                    arch_problem_text(expected));
    assert_int_equal(problem, expected);
}

static struct arch_prologue assert_reads(const char *text)
{
    struct arch_prologue prologue;

    assert_problem(text, ARCH_OK);
    read_hex(text, &prologue);
    return prologue;
}

/* The starts as digits: "0145" is three instructions, at 0, 1 and 4, up to 5. */
static void assert_starts(const char *text, const char *starts)
{
    struct arch_prologue prologue = assert_reads(text);
    char found[2 * ARCH_PROLOGUE_COUNT + 4] = "";

    for (unsigned i = 0; i <= prologue.count; i++)
        snprintf(found + strlen(found), sizeof(found) - strlen(found), "%x", prologue.start[i]);
    assert_string_equal(found, starts);
    assert_int_equal(prologue.length, prologue.start[prologue.count]);
}

static void assert_moves_so(const char *text, uint64_t to, bool shadow_stack, const char *expected)
{
    struct arch_prologue prologue = assert_reads(text);
    uint8_t relocated[ARCH_MOVED_BYTES], map[ARCH_PROLOGUE_COUNT];
    char found[2 * ARCH_MOVED_BYTES + 1] = "", wanted[2 * ARCH_MOVED_BYTES + 1] = "";
    uint8_t bytes[ARCH_MOVED_BYTES];
    ssize_t length = arch_move(&prologue, to, shadow_stack, relocated, sizeof(relocated), map);
    size_t expected_length = parse_hex(expected, bytes, sizeof(bytes));

    for (ssize_t i = 0; i < length; i++)
        snprintf(found + 2 * i, 3, "%02x", relocated[i]);
    for (size_t i = 0; i < expected_length; i++)
        snprintf(wanted + 2 * i, 3, "%02x", bytes[i]);
    assert_string_equal(found, wanted);
}

static void assert_moves_to(const char *text, uint64_t to, const char *expected)
{
    assert_moves_so(text, to, false, expected);
}

static void assert_moves(const char *text, const char *expected)
{
    assert_moves_to(text, COPY, expected);
}

static void assert_moves_with_shadow_stack(const char *text, const char *expected)
{
    assert_moves_so(text, COPY, true, expected);
}

/* ------------------------------------------------------------------ what is read --- */

static void whole_instructions_are_displaced(void **state)
{
    (void)state;
    assert_starts("55 48 89 e5 5d c3", "0145");              /* push; mov; pop; ret */
    assert_starts("41 57 41 56 41 55 41 54 c3", "0246");     /* push r15, r14, r13 */
    assert_starts("b8 01 00 00 00 c3", "05");                /* mov eax, 1 */
    assert_starts("48 b8 01 02 03 04 05 06 07 08 c3", "0a"); /* movabs */
    assert_starts("53 48 81 ec 00 01 00 00 c3", "018");      /* push; sub rsp, 256 */
}

static void the_jump_goes_behind_an_endbr64(void **state)
{
    struct arch_prologue prologue = assert_reads("f3 0f 1e fa 55 48 89 e5 5d c3");

    (void)state;
    assert_int_equal(prologue.entry, ENTRY);
    assert_int_equal(prologue.jump, ENTRY + 4);
    assert_int_equal(prologue.length, 5);
    assert_int_equal(prologue.bytes[0], 0x55);
}

static void a_function_shorter_than_the_jump_is_refused(void **state)
{
    (void)state;
    assert_problem("", ARCH_TOO_SHORT);
    assert_problem("c3", ARCH_TOO_SHORT);
    assert_problem("31 c0 90 c3", ARCH_TOO_SHORT);
    assert_problem("f3 0f 1e fa 31 c0 90 c3", ARCH_TOO_SHORT);
    assert_problem("f3 0f 1e fa", ARCH_TOO_SHORT);
}

static void padding_behind_a_return_is_the_jumps_to_have(void **state)
{
    (void)state;
    assert_starts("31 c0 c3 66 90", "025");
    assert_starts("31 c0 c3 0f 1f 44 00 00", "025");
    assert_starts("c3 cc cc cc cc", "05");
    assert_starts("eb 40 cc cc cc", "05");
    assert_starts("0f 0b 0f 1f 00", "05");
    assert_moves("31 c0 c3 66 90", "31 c0 c3");
}

static void code_behind_a_return_belongs_to_another_function(void **state)
{
    (void)state;
    assert_problem("31 c0 c3 55 48 89 e5 5d c3", ARCH_TOO_SHORT);
    assert_problem("31 c0 c3 90 55 48 89 e5", ARCH_TOO_SHORT);
    assert_problem("90 31 c0 c3 55 48 89 e5", ARCH_TOO_SHORT);
    assert_problem("eb 10 b8 01 00 00 00", ARCH_TOO_SHORT);
}

static void code_behind_a_return_that_is_jumped_to_is_the_functions(void **state)
{
    (void)state;
    assert_starts("e3 01 c3 89 f8 c3", "0235"); /* jrcxz 1f; ret; 1: mov eax, edi; ret */
    assert_moves("e3 01 c3 89 f8 c3", "e3 02 eb 05 e9 01 00 00 00 c3 89 f8 e9 f4 ef ff ff");
}

static void padding_that_is_jumped_to_is_not_padding(void **state)
{
    (void)state;
    assert_problem("c3 0f 1f 00 90 90 90 eb fa", ARCH_JUMP_INSIDE); /* to offset 3 */
}

static void unknown_bytes_are_refused(void **state)
{
    (void)state;
    assert_problem("06 06 06 06 06 06", ARCH_UNDECODABLE);
    assert_problem("55 06 06 06 06 06", ARCH_UNDECODABLE);
    assert_problem("55 48 89 e5 48 b8 01", ARCH_UNDECODABLE); /* cut short */
}

static void a_call_that_returns_into_the_jump_is_refused(void **state)
{
    (void)state;
    assert_problem("ff d0 31 c0 90 c3", ARCH_CALL_INSIDE);
    assert_problem("50 ff d0 58 c3", ARCH_CALL_INSIDE);
    assert_problem("90 90 ff d0 90 c3", ARCH_CALL_INSIDE);
    assert_problem("ff 50 08 90 90 c3", ARCH_CALL_INSIDE);
}

static void a_call_that_returns_behind_the_jump_is_moved(void **state)
{
    (void)state;
    /* push 1f(%rip); jmp to where the call led; 1: the address behind the call */
    assert_moves("e8 fb 0f 00 00 c3", "ff 35 05 00 00 00 e9 f5 ff ff ff 05 00 00 10 00 00 00 00");
    assert_moves("50 e8 fa 0f 00 00 c3",
                 "50 ff 35 05 00 00 00 e9 f4 ff ff ff 06 00 00 10 00 00 00 00");
    assert_moves("50 53 55 ff d0 c3",
                 "50 53 55 ff 35 02 00 00 00 ff e0 05 00 00 10 00 00 00 00"); /* *rax */
    assert_moves("90 41 ff 54 d4 08 c3",
                 "90 ff 35 05 00 00 00 41 ff 64 d4 08 06 00 00 10 00 00 00 00"); /* 8(r12,rdx,8) */
    assert_moves("90 90 3e ff d1 c3", "90 90 ff 35 03 00 00 00 3e ff e1 05 00 00 10 00 00 00 00");
}

static void a_call_that_counts_from_the_stack_stays_one(void **state)
{
    (void)state;
    assert_moves("90 ff 54 24 08 c3", "90 ff 54 24 08 e9 fb ef ff ff");
    assert_moves("90 90 ff 14 24 c3", "90 90 ff 14 24 e9 fb ef ff ff");
    assert_moves("90 90 90 ff d4 c3", "90 90 90 ff d4 e9 fb ef ff ff");
}

static void with_a_shadow_stack_a_call_stays_one(void **state)
{
    (void)state;
    assert_moves_with_shadow_stack("e8 fb 0f 00 00 c3", "e8 fb ff ff ff e9 fb ef ff ff");
    assert_moves_with_shadow_stack("50 e8 fa 0f 00 00 c3", "50 e8 fa ff ff ff e9 fb ef ff ff");
    assert_moves_with_shadow_stack("50 53 55 ff d0 c3", "50 53 55 ff d0 e9 fb ef ff ff");
    assert_moves_with_shadow_stack("ff 15 00 20 00 00 c3", "ff 15 00 10 00 00 e9 fb ef ff ff");
    assert_moves_with_shadow_stack("e8 00 00 00 00 58 c3", ""); /* would pop the copy's address */
}

static void a_call_for_its_own_address_finds_it(void **state)
{
    (void)state;
    assert_moves("e8 00 00 00 00 58 c3",
                 "ff 35 05 00 00 00 e9 fa ef ff ff 05 00 00 10 00 00 00 00");
    assert_problem("90 e8 fb ff ff ff 58 c3", ARCH_NOT_MOVABLE); /* to the call itself */
}

static void a_call_of_itself_calls_the_function_as_it_is_now(void **state)
{
    (void)state;
    assert_moves("e8 fb ff ff ff c3", "ff 35 05 00 00 00 e9 f5 ef ff ff 05 00 00 10 00 00 00 00");
    assert_reads("55 48 89 e5 90 e8 f6 ff ff ff c3");
}

static void a_loop_whose_head_is_the_entry_is_refused(void **state)
{
    (void)state;
    assert_problem("83 ef 01 90 90 75 f9 c3", ARCH_JUMP_INSIDE);             /* jnz f */
    assert_problem("83 ef 01 90 90 0f 85 f5 ff ff ff c3", ARCH_JUMP_INSIDE); /* jnz f, 32 bits */
    assert_problem("83 ef 01 90 90 e2 f9 c3", ARCH_JUMP_INSIDE);             /* loop f */
    assert_problem("f3 0f 1e fa 83 ef 01 90 90 75 f9 c3", ARCH_JUMP_INSIDE); /* endbr64 before */
    assert_problem("f3 0f 1e fa 83 ef 01 90 90 e9 f6 ff ff ff", ARCH_JUMP_INSIDE);
}

static void a_jump_to_the_endbr64_is_a_tail_call(void **state)
{
    (void)state;
    assert_reads("f3 0f 1e fa 83 ef 01 90 90 75 f5 c3");
    assert_reads("f3 0f 1e fa 83 ef 01 90 90 e9 f2 ff ff ff");
}

static void a_jump_back_to_before_the_frame_is_a_tail_call(void **state)
{
    (void)state;
    assert_reads("53 83 ef 01 90 5b 75 f8 c3");                        /* push; ...; pop; jnz f */
    assert_reads("48 83 ec 18 90 48 83 c4 18 eb f5");                  /* sub; ...; add; jmp f */
    assert_problem("49 83 ec 18 90 90 90 90 eb f6", ARCH_JUMP_INSIDE); /* sub from r12 */
    assert_problem("83 ef 01 90 90 53 90 5b 75 f6 c3", ARCH_JUMP_INSIDE); /* a frame of later */
}

/* test rdi, rdi; je; push rbx; ...; pop rbx; jmp f */
static void a_jump_behind_the_end_of_a_frame_is_a_tail_call(void **state)
{
    (void)state;
    assert_reads("48 85 ff 74 06 53 90 90 5b eb f5 c3");
    assert_reads("48 85 ff 74 09 53 90 90 5b e9 f2 ff ff ff c3");
    assert_reads("48 85 ff 74 06 55 90 90 c9 eb f5 c3");                     /* leave */
    assert_reads("48 85 ff 74 0c 48 83 ec 08 90 48 83 c4 08 eb f0 c3");      /* add rsp */
    assert_problem("48 85 ff 74 06 6a 01 5f 90 eb f5 c3", ARCH_JUMP_INSIDE); /* not last */
    assert_problem("48 85 ff 74 05 6a 01 5f eb f6 c3", ARCH_JUMP_INSIDE);    /* push 1; pop */
    assert_problem("48 85 ff 74 04 53 90 90 5b eb f5 c3", ARCH_JUMP_INSIDE); /* je to the jmp */
    assert_problem("f3 0f 1e fa 48 85 ff 74 06 53 90 90 5b eb f5 c3", ARCH_JUMP_INSIDE);
    assert_problem("48 85 ff 74 06 53 90 90 5b 75 f5 c3", ARCH_JUMP_INSIDE);    /* jne f */
    assert_problem("48 85 ff 74 06 53 90 90 5b eb f5 06 c3", ARCH_JUMP_INSIDE); /* unknown */
}

static void what_lies_in_the_padding_is_no_jump(void **state)
{
    (void)state;
    /* jmp 1f; nopw with a jne in its displacement; 1: ret */
    assert_starts("eb 0a 66 2e 0f 1f 84 00 75 f6 00 00 c3", "05");
}

/* A trap would stay there as long as the entry is armed. */
static void a_jump_to_an_old_boundary_is_refused(void **state)
{
    (void)state;
    assert_problem("55 48 89 e5 90 90 75 f9 c3", ARCH_JUMP_INSIDE); /* to offset 1 */
    assert_reads("55 48 89 e5 90 90 75 fd c3");                     /* to offset 5 */
}

static void a_jump_into_an_instruction_is_refused(void **state)
{
    (void)state;
    assert_problem("55 48 89 e5 90 90 75 fa c3", ARCH_JUMP_INSIDE); /* to offset 2 */
    assert_problem("b8 01 00 00 00 90 e3 fa c3", ARCH_JUMP_INSIDE);
    assert_problem("74 01 f0 0f b1 0f c3", ARCH_JUMP_INSIDE); /* around lock */
}

/* ------------------------------------------------------------ short jumps --- */

static struct arch_prologue assert_short(const char *text)
{
    struct arch_prologue prologue;

    assert_int_equal(read_by(arch_prologue_read_short, text, &prologue), ARCH_OK);
    assert_int_equal(prologue.count, 1);
    assert_int_equal(prologue.written, 2);
    return prologue;
}

static void assert_no_short(const char *text, enum arch_problem expected)
{
    struct arch_prologue prologue;

    assert_int_equal(read_by(arch_prologue_read_short, text, &prologue), expected);
}

static void a_short_jump_displaces_the_first_instruction_alone(void **state)
{
    (void)state;
    assert_int_equal(assert_short("31 c0 c3").length, 2); /* shorter than a long jump */
    assert_int_equal(assert_short("48 89 f8 c3").length, 3);
    assert_int_equal(assert_short("b8 01 00 00 00 c3").length, 5);
    assert_int_equal(assert_short("f3 0f 1e fa 31 c0 c3").jump, ENTRY + 4);
    assert_int_equal(assert_short("ff d0 90 90 90 c3").length, 2); /* a call returns behind it */
    assert_int_equal(assert_short("0f 0b").length, 2);
    assert_no_short("55 48 89 e5 5d c3", ARCH_TOO_SHORT); /* a boundary in the two bytes */
    assert_no_short("c3", ARCH_TOO_SHORT);
    assert_no_short("f3 0f 1e fa c3", ARCH_TOO_SHORT);
    assert_no_short("", ARCH_UNDECODABLE);
    assert_no_short("48", ARCH_UNDECODABLE);
}

static void a_loop_behind_the_first_instruction_does_not_matter_to_a_short_jump(void **state)
{
    (void)state;
    assert_short("89 f8 83 e8 01 75 fb c3"); /* to offset 2 */
    assert_problem("89 f8 83 e8 01 75 fb c3", ARCH_JUMP_INSIDE);
    assert_no_short("89 f8 83 e8 01 75 f9 c3", ARCH_JUMP_INSIDE); /* to the entry */
    assert_no_short("f0 0f b1 0f 75 fb c3", ARCH_JUMP_INSIDE);    /* past the lock, to offset 1 */
    assert_short("74 01 f0 0f b1 0f c3");                         /* around it, to offset 3 */
    assert_no_short("eb ff c0 c3", ARCH_JUMP_INSIDE);             /* into itself */
    assert_no_short("f3 a4 c3", ARCH_NOT_MOVABLE); /* rep movsb: a thread may be half through it */
}

/* Both bytes in one aligned word of eight. */
static void a_short_jump_does_not_straddle_a_word(void **state)
{
    static const uint8_t code[] = {0x31, 0xc0, 0xc3};
    struct arch_prologue prologue;

    (void)state;
    for (uint64_t at = ENTRY; at < ENTRY + 16; at++)
        assert_int_equal(arch_prologue_read_short(code, sizeof(code), at, &prologue),
                         at % 8 == 7 ? ARCH_TOO_SHORT : ARCH_OK);
}

/* eb xx counts from its end; the long jump in the pad from the pad's. */
static void a_short_jump_leads_to_its_pad_and_that_anywhere(void **state)
{
    struct arch_prologue prologue = assert_short("48 89 f8 c3");
    uint8_t jump[8];
    uint64_t low, high;

    (void)state;
    arch_pad_window(&prologue, &low, &high);
    assert_int_equal(low, ENTRY + 2 - 128);
    assert_int_equal(high, ENTRY + 2 + 127);
    for (prologue.pad = low; prologue.pad <= high; prologue.pad++) {
        struct arch_window window;
        int32_t distance;

        arch_short_bytes(&prologue, jump);
        assert_int_equal(jump[0], 0xeb);
        assert_int_equal(ENTRY + 2 + (uint64_t)(int64_t)(int8_t)jump[1], prologue.pad);
        arch_stub_window(&prologue, &window);
        assert_int_equal(window.stride, 1);
        assert_int_equal(window.high, prologue.pad + 5 + INT32_MAX);
        assert_int_equal(arch_jump_bytes(&prologue, ENTRY + 0x12345678, jump), 5);
        assert_int_equal(jump[0], 0xe9);
        memcpy(&distance, jump + 1, sizeof(distance));
        assert_int_equal(prologue.pad + 5 + (uint64_t)distance, ENTRY + 0x12345678);
    }
}

static void a_function_ends_itself_by_its_last_instruction(void **state)
{
    static const struct {
        const char *text;
        bool ends;
    } bodies[] = {
        {"31 c0 c3", true},        {"eb fe", true},
        {"0f 0b", true},           {"e8 00 01 00 00", true}, /* does not return */
        {"31 c0", false},          {"74 fe", false},
        {"0f 1f 00", false},       {"b8 00 00 00 c3", false}, /* ret is the operand's byte */
        {"31 c0 c3 b8", false},    {"", false},
        {"31 c0 c3 0f 05", false}, {"74 01 c3", false}, /* to behind it */
        {"74 08 c3", false},       {"74 09 c3", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        uint8_t bytes[64];
        size_t size = parse_hex(bodies[i].text, bytes, sizeof(bytes));

        assert_int_equal(arch_ends_itself(bytes, size, 8), bodies[i].ends);
    }
}

/* -fpatchable-function-entry=5,3 lays three NOPs of one byte before the entry. */
static void nops_of_one_byte_before_an_entry_are_no_padding(void **state)
{
    uint8_t bytes[64];

    (void)state;
    assert_int_equal(arch_padding_free(bytes, parse_hex("66 0f 1f 44 00 00", bytes, 64)), 6);
    assert_int_equal(arch_padding_free(bytes, parse_hex("66 0f 1f 44 00 00 90 90 90", bytes, 64)),
                     6);
    assert_int_equal(arch_padding_free(bytes, parse_hex("cc cc cc cc cc", bytes, 64)), 5);
    assert_int_equal(arch_padding_free(bytes, parse_hex("90 90 90 90 90 90", bytes, 64)), 0);
}

/* A body of NOPs that ends in a jump of 8 or 32 bits, `jump_end` bytes from the entry. */
static enum arch_problem read_far_jump(size_t jump_end, int32_t target, bool near)
{
    static uint8_t code[4096];
    int32_t relative = target - (int32_t)jump_end;
    struct arch_prologue prologue;

    memset(code, 0x90, sizeof(code));
    memcpy(code, "\xb8\1\0\0\0", 5);
    if (near) {
        code[jump_end - 2] = 0x74;
        code[jump_end - 1] = (uint8_t)relative;
    } else {
        code[jump_end - 5] = 0xe9;
        memcpy(code + jump_end - 4, &relative, 4);
    }
    return arch_prologue_read(code, sizeof(code), ENTRY, &prologue);
}

static void jumps_are_found_as_far_as_they_reach(void **state)
{
    (void)state;
    for (int32_t target = 0; target < 8; target++) {
        enum arch_problem expected = target < 5 ? ARCH_JUMP_INSIDE : ARCH_OK;

        assert_int_equal(read_far_jump((size_t)target + 128, target, true), expected);
        assert_int_equal(read_far_jump(64, target, true), expected);
        assert_int_equal(read_far_jump(4096, target, false), expected);
        assert_int_equal(read_far_jump(300, target, false), expected);
        assert_int_equal(read_far_jump(10, target, false), expected);
    }
}

static void data_between_instructions_does_not_hide_a_jump(void **state)
{
    (void)state;
    /* An unknown byte, then one that would swallow the jump if it were decoded on. */
    assert_problem("b8 01 00 00 00 c3 06 b9 75 f6 c3", ARCH_JUMP_INSIDE);
    assert_problem("b8 01 00 00 00 c3 06 b9 e9 f3 ff ff ff", ARCH_JUMP_INSIDE);
}

static void a_breakpoint_is_left_where_it_is(void **state)
{
    (void)state;
    assert_problem("cc 48 89 e5 5d c3", ARCH_NOT_MOVABLE);
    assert_problem("55 cc 89 e5 5d c3", ARCH_NOT_MOVABLE);
}

static void branches_that_depend_on_the_processor_are_refused(void **state)
{
    (void)state;
    assert_problem("66 e9 00 00 00 00 c3", ARCH_NOT_MOVABLE);
    assert_problem("90 66 74 10 90 c3", ARCH_NOT_MOVABLE);
    assert_problem("90 f3 e0 10 90 c3", ARCH_NOT_MOVABLE);       /* rep loopne */
    assert_problem("c5 f0 84 00 01 00 00 c3", ARCH_NOT_MOVABLE); /* jkzd */
    assert_problem("90 90 66 ff 52 10 c3", ARCH_NOT_MOVABLE);    /* call of 16 bits */
    assert_problem("90 90 ff 5a 10 c3", ARCH_NOT_MOVABLE);       /* far call */
    assert_problem("67 8b 05 00 00 00 00 c3", ARCH_NOT_MOVABLE); /* [eip] */
}

static void room_left_by_the_compiler_is_known(void **state)
{
    struct arch_prologue prologue = assert_reads("90 90 90 90 90 55 c3");

    (void)state;
    assert_true(prologue.padding);
    assert_int_equal(prologue.count, 5);
    assert_true(assert_reads("0f 1f 44 00 00 55 c3").padding);
    assert_true(assert_reads("f3 0f 1e fa 66 90 0f 1f 00 c3").padding);
    assert_false(assert_reads("90 90 90 90 55 c3").padding);
}

static void padding_between_functions_is_measured(void **state)
{
    static const uint8_t code[] = {0x66, 0x90, 0xcc, 0x0f, 0x1f, 0x00, 0x55, 0x90};

    (void)state;
    assert_int_equal(arch_padding(code, sizeof(code)), 6);
    assert_int_equal(arch_padding(code, 5), 3); /* not half of one */
    assert_int_equal(arch_padding(code, 0), 0);
    assert_int_equal(arch_padding(code + 6, 2), 0);
}

static void every_problem_has_a_text(void **state)
{
    (void)state;
    for (int i = 0; i < ARCH_PROBLEM_COUNT; i++)
        assert_true(strlen(arch_problem_text((enum arch_problem)i)) > 5);
    assert_string_equal(arch_problem_text(ARCH_TOO_SHORT), "the function is shorter than a jump");
    assert_string_equal(arch_problem_text(ARCH_PROBLEM_COUNT), "unknown");
}

/* The functions of a library may end with its last page. */
static void nothing_behind_the_function_is_read(void **state)
{
    static const char *const texts[] = {"",
                                        "c3",
                                        "f3 0f 1e fa",
                                        "55 48 89 e5 5d",
                                        "90 90 75",
                                        "c3 0f 1f 00",
                                        "e9 00 00 00 00",
                                        "31 c0 c3 66 90",
                                        "48 8b 05",
                                        "90 90 90 90 48 b8 01"};
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(pages != MAP_FAILED);
    assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        uint8_t bytes[32];
        size_t size = parse_hex(texts[i], bytes, sizeof(bytes));
        struct arch_prologue prologue;

        memcpy(pages + page - size, bytes, size);
        arch_prologue_read(pages + page - size, size, ENTRY, &prologue);
        assert_true(arch_padding(pages + page - size, size) <= size);
    }
    munmap(pages, 2 * page);
}

/* ----------------------------------------------------------------- what is moved --- */

static void what_asks_the_kernel_or_the_clock_is_copied(void **state)
{
    (void)state;
    assert_moves("0f 05 90 90 90 c3", "0f 05 90 90 90 e9 fb ef ff ff"); /* syscall */
    assert_moves("0f 31 90 90 90 c3", "0f 31 90 90 90 e9 fb ef ff ff"); /* rdtsc */
    assert_moves("cd 80 90 90 90 c3", "cd 80 90 90 90 e9 fb ef ff ff"); /* int 0x80 */
    assert_moves("0f ae e8 0f a2 c3", "0f ae e8 0f a2 e9 fb ef ff ff"); /* cpuid */
}

static void plain_instructions_are_copied(void **state)
{
    (void)state;
    assert_moves("55 48 89 e5 5d c3", "55 48 89 e5 5d e9 fb ef ff ff");
    assert_moves("31 c0 90 90 c3", "31 c0 90 90 c3"); /* nothing to go back to */
    /* xabort goes on where there is no transaction */
    assert_moves("48 89 fa c6 f8 fd c3", "48 89 fa c6 f8 fd e9 fb ef ff ff");
}

static void an_endbr64_comes_first_in_the_copy_too(void **state)
{
    (void)state;
    assert_moves("f3 0f 1e fa 55 48 89 e5 5d c3", "f3 0f 1e fa 55 48 89 e5 5d e9 fb ef ff ff");
}

static void references_to_memory_are_corrected(void **state)
{
    (void)state;
    /* mov rax, [rip + 0x2000] */
    assert_moves("48 8b 05 00 20 00 00 c3", "48 8b 05 00 10 00 00 e9 fb ef ff ff");
    /* cmp dword [rip + 0x2000], 7: the field lies before an immediate */
    assert_moves("83 3d 00 20 00 00 07 c3", "83 3d 00 10 00 00 07 e9 fb ef ff ff");
    assert_moves("c7 05 00 20 00 00 01 02 03 04 c3",
                 "c7 05 00 10 00 00 01 02 03 04 e9 fb ef ff ff");
    /* push; lea rdi, [rip - 1] */
    assert_moves("53 48 8d 3d ff ff ff ff c3", "53 48 8d 3d ff ef ff ff e9 fb ef ff ff");
    /* jmp and call through memory */
    assert_moves("ff 25 00 20 00 00", "ff 25 00 10 00 00");
    assert_moves("ff 15 00 20 00 00 c3",
                 "ff 35 06 00 00 00 ff 25 fa 0f 00 00 06 00 00 10 00 00 00 00");
    /* vmovdqa ymm0, [rip + 0x2000]; the same with EVEX; vpinsrb with an immediate */
    assert_moves("c5 fd 6f 05 00 20 00 00 c3", "c5 fd 6f 05 00 10 00 00 e9 fb ef ff ff");
    assert_moves("62 f1 fd 48 6f 05 00 20 00 00 c3",
                 "62 f1 fd 48 6f 05 00 10 00 00 e9 fb ef ff ff");
    assert_moves("c4 e3 79 20 05 00 20 00 00 03 c3",
                 "c4 e3 79 20 05 00 10 00 00 03 e9 fb ef ff ff");
}

static void short_jumps_become_long_ones(void **state)
{
    (void)state;
    /* test edi, edi; jz +0x10; nop */
    assert_moves("85 ff 74 10 90 c3", "85 ff 0f 84 0c f0 ff ff 90 e9 f7 ef ff ff");
    assert_moves("90 90 90 eb 10", "90 90 90 e9 0d f0 ff ff");
    assert_moves("0f 8f 00 20 00 00 c3", "0f 8f 00 10 00 00 e9 fb ef ff ff");
    assert_moves("e9 00 20 00 00", "e9 00 10 00 00");
}

static void jumps_without_a_long_form_become_two(void **state)
{
    (void)state;
    assert_moves("90 90 90 e2 10 c3", "90 90 90 e2 02 eb 05 e9 09 f0 ff ff e9 f4 ef ff ff");
    assert_moves("90 90 90 e1 10 c3", "90 90 90 e1 02 eb 05 e9 09 f0 ff ff e9 f4 ef ff ff");
    assert_moves("90 90 90 e0 10 c3", "90 90 90 e0 02 eb 05 e9 09 f0 ff ff e9 f4 ef ff ff");
    assert_moves("90 90 67 e3 10 c3", "90 90 67 e3 02 eb 05 e9 09 f0 ff ff e9 f4 ef ff ff");
}

static void jumps_among_the_displaced_stay_among_the_moved(void **state)
{
    (void)state;
    /* test; jz 1f; push; 1: the rest */
    assert_moves("85 ff 74 01 55 48 89 e5 c3", "85 ff 0f 84 fd ef ff ff 55 e9 f7 ef ff ff");
    /* jz 1f; push; 1: mov rbp, rsp */
    assert_moves("74 01 55 48 89 e5 c3", "0f 84 01 00 00 00 55 48 89 e5 e9 f7 ef ff ff");
    /* dec edi; jnz back to it; nop: a loop of the displaced alone */
    assert_moves("ff cf 75 fc 90 c3", "ff cf 0f 85 f8 ff ff ff 90 e9 f7 ef ff ff");
}

static void the_start_of_a_transaction_is_moved(void **state)
{
    (void)state;
    assert_moves("c7 f8 00 20 00 00 c3", "c7 f8 00 10 00 00 e9 fb ef ff ff");
}

static void the_map_says_where_each_one_went(void **state)
{
    struct arch_prologue prologue = assert_reads("85 ff 74 10 90 c3");
    uint8_t relocated[ARCH_MOVED_BYTES], map[ARCH_PROLOGUE_COUNT];

    (void)state;
    assert_true(arch_move(&prologue, COPY, false, relocated, sizeof(relocated), map) > 0);
    assert_int_equal(prologue.count, 3);
    assert_int_equal(map[0], 0);
    assert_int_equal(map[1], 2);
    assert_int_equal(map[2], 8);
    prologue = assert_reads("f3 0f 1e fa 55 48 89 e5 5d c3");
    assert_true(arch_move(&prologue, COPY, false, relocated, sizeof(relocated), map) > 0);
    assert_int_equal(map[0], 4);
    assert_int_equal(map[1], 5);
}

static void a_copy_from_which_memory_is_out_of_reach_is_refused(void **state)
{
    uint8_t relocated[ARCH_MOVED_BYTES], map[ARCH_PROLOGUE_COUNT];
    struct arch_prologue data = assert_reads("48 8b 05 00 20 00 00 c3");
    struct arch_prologue branch = assert_reads("85 ff 74 10 90 c3");

    (void)state;
    /* The field's lowest value is -2^31: target - (to + 7) */
    assert_true(arch_move(&data, ENTRY + 0x2000 + (UINT64_C(1) << 31), false, relocated, 256, map) >
                0);
    assert_int_equal(
        arch_move(&data, ENTRY + 0x2001 + (UINT64_C(1) << 31), false, relocated, 256, map), -1);
    assert_int_equal(arch_move(&branch, ENTRY + (UINT64_C(1) << 32), false, relocated, 256, map),
                     -1);
}

static void the_way_back_may_be_far(void **state)
{
    (void)state;
    assert_moves_to("55 48 89 e5 5d c3", UINT64_C(0x7f0000000000),
                    "55 48 89 e5 5d ff 25 00 00 00 00 05 00 00 10 00 00 00 00");
}

static void too_little_room_is_refused(void **state)
{
    struct arch_prologue prologue = assert_reads("55 48 89 e5 5d c3");
    uint8_t relocated[ARCH_MOVED_BYTES], map[ARCH_PROLOGUE_COUNT];

    (void)state;
    assert_int_equal(arch_move(&prologue, COPY, false, relocated, 5 + 13, map), -1);
    assert_int_equal(arch_move(&prologue, COPY, false, relocated, 5 + 14, map), 10);
}

/* ------------------------------------------------------------------ where stubs lie --- */

static struct arch_prologue with_starts(uint64_t jump, unsigned boundaries)
{
    struct arch_prologue prologue = {.entry = jump, .jump = jump, .length = 5};

    for (unsigned offset = 0; offset < 5; offset++) {
        if (offset == 0 || boundaries & 1U << offset)
            prologue.start[prologue.count++] = (uint8_t)offset;
    }
    prologue.start[prologue.count] = 5;
    return prologue;
}

static void a_boundary_at_4_puts_the_stub_832_megabytes_below(void **state)
{
    struct arch_prologue prologue = with_starts(UINT64_C(0x555555554000), 1 << 4);
    struct arch_window window;

    (void)state;
    arch_stub_window(&prologue, &window);
    assert_int_equal(window.low, prologue.jump + 5 - (UINT64_C(832) << 20));
    assert_int_equal(window.high, prologue.jump + 5 - (UINT64_C(816) << 20) - 1);
    assert_int_equal(window.stride, 1);
}

static void a_boundary_at_1_leaves_every_256th_address(void **state)
{
    struct arch_prologue prologue = with_starts(UINT64_C(0x555555554000), 1 << 1);
    struct arch_window window;

    (void)state;
    arch_stub_window(&prologue, &window);
    assert_int_equal(window.stride, 256);
    assert_int_equal(window.residue, 0x05 + 0xcc);
    assert_true(window.high - window.low > (UINT64_C(1) << 32) - 512);
}

static void five_nops_leave_one_address(void **state)
{
    struct arch_prologue prologue = assert_reads("90 90 90 90 90 c3");
    struct arch_window window;

    (void)state;
    prologue.jump = UINT64_C(0x555555554000);
    arch_stub_window(&prologue, &window);
    assert_int_equal(window.low, prologue.jump + 5 - 0x33333334);
    assert_int_equal(window.high, window.low);
    assert_int_equal(window.stride, UINT64_C(1) << 32);
    assert_true(arch_stub_possible(&prologue, window.low));
    assert_false(arch_stub_possible(&prologue, window.low + 1));
}

static void one_instruction_leaves_all_that_a_jump_reaches(void **state)
{
    struct arch_prologue prologue = with_starts(UINT64_C(0x555555554000), 0);
    struct arch_window window;

    (void)state;
    arch_stub_window(&prologue, &window);
    assert_int_equal(window.low, prologue.jump + 5 - (UINT64_C(1) << 31));
    assert_int_equal(window.high, prologue.jump + 5 + (UINT64_C(1) << 31) - 1);
    assert_int_equal(window.stride, 1);
}

static void below_address_zero_there_is_no_stub(void **state)
{
    struct arch_prologue prologue = with_starts(0x400000, 1 << 4);
    struct arch_window window;
    uint64_t stub;

    (void)state;
    arch_stub_window(&prologue, &window);
    assert_true(window.low > window.high);
    assert_false(arch_stub_from(&prologue, 0, &stub));
    prologue = with_starts(0x400000, 0);
    arch_stub_window(&prologue, &window);
    assert_int_equal(window.low, 0);
    assert_int_equal(window.high, 0x400004 + (UINT64_C(1) << 31));
}

/* xorshift64: the same numbers at every run. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void assert_jump_is_right(const struct arch_prologue *prologue, uint64_t stub)
{
    uint8_t jump[8];
    int32_t distance;

    assert_int_equal(arch_jump_bytes(prologue, stub, jump), 5);
    assert_int_equal(jump[0], 0xe9);
    memcpy(&distance, jump + 1, 4);
    assert_true(prologue->jump + 5 + (uint64_t)(int64_t)distance == stub);
    for (unsigned i = 1; i < prologue->count; i++)
        assert_int_equal(jump[prologue->start[i]], 0xcc);
}

static void assert_in_window(const struct arch_window *window, uint64_t stub)
{
    assert_true(stub >= window->low && stub <= window->high);
    assert_true((stub & (window->stride - 1)) == window->residue);
}

static void every_possible_stub_has_traps_on_the_boundaries(void **state)
{
    uint64_t seed = 0x9e3779b97f4a7c15;

    (void)state;
    for (unsigned boundaries = 0; boundaries < 32; boundaries += 2) {
        uint64_t jump = UINT64_C(0x555500000000) + (next_random(&seed) & 0xffffffff);
        struct arch_prologue prologue = with_starts(jump, boundaries);
        struct arch_window window;

        arch_stub_window(&prologue, &window);
        for (int i = 0; i < 2000; i++) {
            uint64_t reach = jump - (UINT64_C(1) << 31), stub;
            uint64_t from = reach + (next_random(&seed) & 0xffffffff);

            if (!arch_stub_from(&prologue, from, &stub))
                continue;
            assert_true(stub >= from);
            assert_true(arch_stub_possible(&prologue, stub));
            assert_in_window(&window, stub);
            assert_jump_is_right(&prologue, stub);
        }
    }
}

/* In the middle, and at the ends of address spaces of 48 and of 57 bits. */
static const uint64_t places[] = {UINT64_C(0x555512345678), UINT64_C(0x7fffffffe123),
                                  UINT64_C(0x800000001234), UINT64_C(0xfffffffffee123)};
enum { PLACES = sizeof(places) / sizeof(places[0]) };

static void assert_window_ends(uint64_t jump, unsigned boundaries)
{
    struct arch_prologue prologue = with_starts(jump, boundaries);
    struct arch_window window;
    uint64_t stub;

    arch_stub_window(&prologue, &window);
    assert_true(arch_stub_possible(&prologue, window.low));
    assert_true(arch_stub_possible(&prologue, window.high));
    assert_jump_is_right(&prologue, window.low);
    assert_jump_is_right(&prologue, window.high);
    assert_true(arch_stub_from(&prologue, 0, &stub));
    assert_int_equal(stub, window.low);
    assert_false(arch_stub_from(&prologue, window.high + 1, &stub));
}

static void the_ends_of_the_window_are_the_outermost_stubs(void **state)
{
    (void)state;
    for (size_t i = 0; i < PLACES; i++)
        for (unsigned boundaries = 0; boundaries < 32; boundaries += 2)
            assert_window_ends(places[i], boundaries);
}

static void assert_none_is_passed_over(uint64_t jump, unsigned boundaries, uint64_t *seed)
{
    struct arch_prologue prologue = with_starts(jump, boundaries);
    uint64_t from = prologue.jump - (next_random(seed) & 0x7fffffff), found;
    bool any = arch_stub_from(&prologue, from, &found);

    for (uint64_t stub = from; stub < from + 200000; stub++) {
        if (arch_stub_possible(&prologue, stub)) {
            assert_true(any);
            assert_int_equal(stub, found);
            return;
        }
        assert_true(!any || stub < found);
    }
}

static void no_possible_stub_is_passed_over(void **state)
{
    uint64_t seed = 42;

    (void)state;
    for (size_t i = 0; i < PLACES; i++)
        for (unsigned boundaries = 0; boundaries < 32; boundaries += 2)
            assert_none_is_passed_over(places[i], boundaries, &seed);
}

/* ------------------------------------------------------------------ what stubs are --- */

static void a_stub_jumps_through_its_word(void **state)
{
    uint8_t code[ARCH_STUB_BYTES];

    (void)state;
    assert_int_equal(arch_stub(0x1000, 0x2000, code, sizeof(code)), 6);
    assert_memory_equal(code, "\xff\x25\xfa\x0f\0\0", 6);
    assert_int_equal(arch_stub(0x1000, 0x2000, code, 5), 0);
    assert_int_equal(arch_stub(0x1000, UINT64_C(0x100000000), code, sizeof(code)), 0);
}

static void a_noting_stub_stores_first(void **state)
{
    uint8_t code[ARCH_STUB_BYTES];

    (void)state;
    assert_int_equal(arch_stub_hit(0x1000, 0x3000, 0x2000, code, sizeof(code)), 13);
    assert_memory_equal(code, "\xc6\x05\xf9\x1f\0\0\x01\xff\x25\xf3\x0f\0\0", 13);
    assert_int_equal(arch_stub_hit(0x1000, 0x3000, 0x2000, code, 12), 0);
    assert_int_equal(arch_stub_hit(0x1000, UINT64_C(0x100000000), 0x2000, code, 32), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_instructions_are_displaced),
        cmocka_unit_test(the_jump_goes_behind_an_endbr64),
        cmocka_unit_test(a_function_shorter_than_the_jump_is_refused),
        cmocka_unit_test(padding_behind_a_return_is_the_jumps_to_have),
        cmocka_unit_test(code_behind_a_return_belongs_to_another_function),
        cmocka_unit_test(code_behind_a_return_that_is_jumped_to_is_the_functions),
        cmocka_unit_test(padding_that_is_jumped_to_is_not_padding),
        cmocka_unit_test(unknown_bytes_are_refused),
        cmocka_unit_test(a_call_that_returns_into_the_jump_is_refused),
        cmocka_unit_test(a_call_that_returns_behind_the_jump_is_moved),
        cmocka_unit_test(a_call_that_counts_from_the_stack_stays_one),
        cmocka_unit_test(with_a_shadow_stack_a_call_stays_one),
        cmocka_unit_test(a_call_for_its_own_address_finds_it),
        cmocka_unit_test(a_call_of_itself_calls_the_function_as_it_is_now),
        cmocka_unit_test(a_loop_whose_head_is_the_entry_is_refused),
        cmocka_unit_test(a_jump_to_the_endbr64_is_a_tail_call),
        cmocka_unit_test(a_jump_back_to_before_the_frame_is_a_tail_call),
        cmocka_unit_test(a_jump_behind_the_end_of_a_frame_is_a_tail_call),
        cmocka_unit_test(what_lies_in_the_padding_is_no_jump),
        cmocka_unit_test(a_jump_to_an_old_boundary_is_refused),
        cmocka_unit_test(a_short_jump_displaces_the_first_instruction_alone),
        cmocka_unit_test(a_loop_behind_the_first_instruction_does_not_matter_to_a_short_jump),
        cmocka_unit_test(a_short_jump_does_not_straddle_a_word),
        cmocka_unit_test(a_short_jump_leads_to_its_pad_and_that_anywhere),
        cmocka_unit_test(a_function_ends_itself_by_its_last_instruction),
        cmocka_unit_test(nops_of_one_byte_before_an_entry_are_no_padding),
        cmocka_unit_test(a_jump_into_an_instruction_is_refused),
        cmocka_unit_test(jumps_are_found_as_far_as_they_reach),
        cmocka_unit_test(data_between_instructions_does_not_hide_a_jump),
        cmocka_unit_test(a_breakpoint_is_left_where_it_is),
        cmocka_unit_test(branches_that_depend_on_the_processor_are_refused),
        cmocka_unit_test(room_left_by_the_compiler_is_known),
        cmocka_unit_test(padding_between_functions_is_measured),
        cmocka_unit_test(every_problem_has_a_text),
        cmocka_unit_test(nothing_behind_the_function_is_read),
        cmocka_unit_test(plain_instructions_are_copied),
        cmocka_unit_test(what_asks_the_kernel_or_the_clock_is_copied),
        cmocka_unit_test(an_endbr64_comes_first_in_the_copy_too),
        cmocka_unit_test(references_to_memory_are_corrected),
        cmocka_unit_test(short_jumps_become_long_ones),
        cmocka_unit_test(jumps_without_a_long_form_become_two),
        cmocka_unit_test(jumps_among_the_displaced_stay_among_the_moved),
        cmocka_unit_test(the_start_of_a_transaction_is_moved),
        cmocka_unit_test(the_map_says_where_each_one_went),
        cmocka_unit_test(a_copy_from_which_memory_is_out_of_reach_is_refused),
        cmocka_unit_test(the_way_back_may_be_far),
        cmocka_unit_test(too_little_room_is_refused),
        cmocka_unit_test(a_boundary_at_4_puts_the_stub_832_megabytes_below),
        cmocka_unit_test(a_boundary_at_1_leaves_every_256th_address),
        cmocka_unit_test(five_nops_leave_one_address),
        cmocka_unit_test(one_instruction_leaves_all_that_a_jump_reaches),
        cmocka_unit_test(below_address_zero_there_is_no_stub),
        cmocka_unit_test(every_possible_stub_has_traps_on_the_boundaries),
        cmocka_unit_test(the_ends_of_the_window_are_the_outermost_stubs),
        cmocka_unit_test(no_possible_stub_is_passed_over),
        cmocka_unit_test(a_stub_jumps_through_its_word),
        cmocka_unit_test(a_noting_stub_stores_first),
    };

    return cmocka_run_group_tests_name("prologue", tests, NULL, NULL);
}
