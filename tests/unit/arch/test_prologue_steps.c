/*
 * test_prologue_steps.c - hand-written and random instructions, original and moved copy, run one by
 * one in a traced child: they leave the same registers, stack and memory. test_prologue.c compares
 * their bytes; test_prologue_real.c runs what compilers write.
 */
#include <execinfo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "tests/support/stepper.h"

enum { SPAN = 1 << 20, SIZE = 64 };

/* Where the functions begin: what they refer to relative to themselves lies in the arena. */
static uint8_t *code_of(const struct stepper *stepper)
{
    return stepper->image + SPAN / 2;
}

static void start(struct stepper *stepper)
{
    if (!stepper_start(stepper, SPAN)) {
        print_message("nobody may trace here\n");
        skip();
    }
}

static void put_hex(const char *text, uint8_t *out)
{
    memset(out, 0x90, SIZE);
    for (const char *at = text; *at; at++) {
        unsigned byte;

        if (*at == ' ')
            continue;
        assert_int_equal(sscanf(at, "%2x", &byte), 1);
        *out++ = (uint8_t)byte;
        at++;
    }
}

static enum step_outcome step_hex(const struct stepper *stepper, const char *text, bool pointers)
{
    struct arch_prologue prologue;
    uint8_t *code = code_of(stepper);
    enum arch_problem problem;
    enum step_outcome outcome;
    char why[200];

    put_hex(text, code);
    problem = arch_prologue_read(code, SIZE, (uintptr_t)code, &prologue);
    if (problem != ARCH_OK)
        fail_msg("%s: %s", text, arch_problem_text(problem));
    outcome = step_prologue(stepper, &prologue, pointers, why);
    if (outcome == STEP_DIFFERENT)
        fail_msg("%s: %s", text, why);
    return outcome;
}

static void assert_runs_alike(const struct stepper *stepper, const char *text)
{
    if (step_hex(stepper, text, true) != STEP_EQUAL)
        fail_msg("%s: was to run through with pointers", text);
    if (step_hex(stepper, text, false) == STEP_SKIPPED)
        fail_msg("%s: was not run", text);
}

static void assert_faults_alike(const struct stepper *stepper, const char *text, bool pointers)
{
    if (step_hex(stepper, text, pointers) != STEP_FAULTED)
        fail_msg("%s: was to fault", text);
}

/* ------------------------------------------------------------------------- calls --- */

static void assert_calls_run_alike(struct stepper *stepper)
{
    assert_runs_alike(stepper, "e8 fb 0f 00 00 c3"); /* call there */
    assert_runs_alike(stepper, "48 83 ec 08 e8 10 00 00 00 c3");
    assert_runs_alike(stepper, "50 e8 00 f0 ff ff c3");
    assert_runs_alike(stepper, "50 53 55 ff d0 c3");       /* *rax */
    assert_runs_alike(stepper, "53 48 89 fb 41 ff d7 c3"); /* *r15 */
    assert_runs_alike(stepper, "90 90 90 ff 50 08 c3");    /* *8(rax) */
    assert_runs_alike(stepper, "90 41 ff 54 24 10 c3");    /* *16(r12) */
    assert_runs_alike(stepper, "90 ff 94 25 00 00 00 00 c3");
    assert_runs_alike(stepper, "64 ff 14 25 10 00 00 00 c3"); /* *fs:16 */
    assert_runs_alike(stepper, "90 90 ff 14 24 c3");          /* *(rsp) */
    assert_runs_alike(stepper, "90 90 90 ff d4 c3");          /* *rsp */
}

static void a_moved_call_leaves_the_stack_as_the_original_does(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    assert_calls_run_alike(&stepper);
    assert_runs_alike(&stepper, "e8 00 00 00 00 58 c3"); /* call for its own address */
    stepper_stop(&stepper);
}

static void with_a_shadow_stack_a_call_runs_alike(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    stepper.shadow_stack = true;
    assert_calls_run_alike(&stepper);
    stepper_stop(&stepper);
}

static void a_call_through_memory_that_is_not_there_faults_alike(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    assert_faults_alike(&stepper, "90 90 90 ff 50 08 c3", false);
    assert_faults_alike(&stepper, "90 90 90 64 ff 10 c3", true); /* *fs:(rax): twice too far */
    assert_faults_alike(&stepper, "ff 15 00 00 00 02 c3", true); /* in the gap */
    stepper_stop(&stepper);
}

/* ----------------------------------------------------------------- odd instructions --- */

static void what_refers_to_itself_runs_alike(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    assert_runs_alike(&stepper, "48 8d 3d 00 10 00 00 c3");             /* lea */
    assert_runs_alike(&stepper, "48 8d 05 f9 ff ff ff c3");             /* lea of itself */
    assert_runs_alike(&stepper, "48 8b 05 00 10 00 00 c3");             /* mov */
    assert_runs_alike(&stepper, "80 3d 00 10 00 00 90 c3");             /* cmp, 8 bits */
    assert_runs_alike(&stepper, "66 81 3d 00 10 00 00 90 90 c3");       /* cmp, 16 bits */
    assert_runs_alike(&stepper, "48 81 3d 00 10 00 00 90 90 90 90 c3"); /* cmp, 64 bits */
    assert_runs_alike(&stepper, "c7 05 00 10 00 00 01 02 03 04 c3");    /* mov of a constant */
    assert_runs_alike(&stepper, "66 0f 3a 0f 05 f6 0f 00 00 03 c3");    /* palignr */
    assert_runs_alike(&stepper, "f0 48 0f c1 05 00 10 00 00 c3");       /* lock xadd */
    assert_runs_alike(&stepper, "8f 05 00 10 00 00 c3");                /* pop */
    assert_runs_alike(&stepper, "ff 35 00 10 00 00 c3");                /* push */
    assert_runs_alike(&stepper, "ff 25 00 10 00 00");                   /* jmp */
    stepper_stop(&stepper);
}

/* Random bytes do. */
static void what_refers_to_the_copies_themselves_is_not_compared(void **state)
{
    struct stepper stepper;
    char text[32];
    int32_t there;

    (void)state;
    start(&stepper);
    there = (int32_t)(stepper.copies + STEPPER_COPIES / 2 - (code_of(&stepper) + 6));
    snprintf(text, sizeof(text), "00 25 %08x c3", __builtin_bswap32((uint32_t)there)); /* add */
    assert_int_equal(step_hex(&stepper, text, true), STEP_SKIPPED);
    stepper_stop(&stepper);
}

/* Not every processor has these: they run, or SIGILL comes, alike in both. */
static void assert_same(const struct stepper *stepper, const char *text)
{
    if (step_hex(stepper, text, true) == STEP_SKIPPED ||
        step_hex(stepper, text, false) == STEP_SKIPPED)
        fail_msg("%s: was not run", text);
}

static void instructions_of_newer_processors_run_alike(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    assert_same(&stepper, "c5 fd 6f 05 00 10 00 00 c3");       /* vmovdqa rip */
    assert_same(&stepper, "c4 e3 79 20 05 00 10 00 00 03 c3"); /* vpinsrb rip, 3 */
    assert_same(&stepper, "62 f1 fd 48 6f 05 00 10 00 00 c3"); /* vmovdqa64 rip: no disp8*N */
    assert_same(&stepper, "62 f1 fe 48 6f 47 01 c3");          /* vmovdqu64 64(rdi): disp8*64 */
    assert_same(&stepper, "62 f1 7c 58 58 05 00 10 00 00 c3"); /* vaddps rip{1to16} */
    assert_same(&stepper, "c5 f8 77 90 90 c3");                /* vzeroupper */
    assert_same(&stepper, "0f 38 f0 05 00 10 00 00 c3");       /* movbe rip */
    stepper_stop(&stepper);
}

/* glibc's elided try-lock begins so. Outside of a transaction an xabort does nothing where the processor
 * has TSX, and the function goes on; elsewhere it is SIGILL. */
static void what_ends_a_transaction_goes_on_outside_of_one(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    assert_same(&stepper, "48 89 fa c6 f8 fd 0f b7 06 c3"); /* xabort */
    assert_same(&stepper, "90 90 0f 01 d6 0f 94 c0 c3");    /* xtest; sete */
    assert_same(&stepper, "90 90 0f 01 d5 90 90 c3");       /* xend */
    stepper_stop(&stepper);
}

static void assert_not_compared(const struct stepper *stepper, const char *text)
{
    if (step_hex(stepper, text, true) != STEP_SKIPPED)
        fail_msg("%s: was compared", text);
}

static void what_need_not_leave_the_same_is_not_compared(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    assert_not_compared(&stepper, "90 90 90 0f 31 c3");          /* rdtsc */
    assert_not_compared(&stepper, "90 90 90 0f 01 f9 c3");       /* rdtscp */
    assert_not_compared(&stepper, "90 90 48 0f c7 f0 c3");       /* rdrand */
    assert_not_compared(&stepper, "90 90 48 0f c7 f8 c3");       /* rdseed */
    assert_not_compared(&stepper, "90 90 90 0f a2 c3");          /* cpuid */
    assert_not_compared(&stepper, "90 90 90 0f 01 d0 c3");       /* xgetbv */
    assert_not_compared(&stepper, "90 f3 0f c7 f8 c3");          /* rdpid */
    assert_not_compared(&stepper, "c7 f8 00 10 00 00 c3");       /* xbegin */
    assert_not_compared(&stepper, "90 90 0f 01 00 c3");          /* sgdt */
    assert_not_compared(&stepper, "90 90 90 d9 30 c3");          /* fnstenv */
    assert_not_compared(&stepper, "90 90 0f bc c1 c3");          /* bsf */
    assert_not_compared(&stepper, "48 0f af c1 0f 94 c0 90 c3"); /* imul; sete: ZF is undefined */
    assert_not_compared(&stepper, "48 0f af c1 9c 58 90 c3");    /* imul; pushf; pop */
    stepper_stop(&stepper);
}

static void an_undefined_flag_that_nothing_reads_is_not_compared(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    assert_runs_alike(&stepper, "48 0f af c1 90 c3");          /* imul */
    assert_runs_alike(&stepper, "48 0f af c1 48 85 c0 74 01"); /* imul; test; je */
    assert_runs_alike(&stepper, "48 c1 e0 03 90 c3");          /* shl 3 */
    assert_runs_alike(&stepper, "48 d3 e8 48 0f a3 c8 90 c3"); /* shr cl; bt */
    stepper_stop(&stepper);
}

static void counted_jumps_run_alike(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    assert_runs_alike(&stepper, "90 90 90 e2 10 c3");
    assert_runs_alike(&stepper, "90 90 90 e1 10 c3");
    assert_runs_alike(&stepper, "90 90 90 e0 f0 c3");
    assert_runs_alike(&stepper, "90 90 67 e2 10 c3");
    assert_runs_alike(&stepper, "90 90 90 e3 10 c3");
    assert_runs_alike(&stepper, "31 c9 90 e3 10 c3"); /* taken */
    assert_runs_alike(&stepper, "90 90 67 e3 10 c3");
    assert_runs_alike(&stepper, "e3 01 c3 89 f8 c3");
    stepper_stop(&stepper);
}

static void odd_instructions_run_alike(void **state)
{
    struct stepper stepper;

    (void)state;
    start(&stepper);
    assert_runs_alike(&stepper, "c8 20 00 00 90 c3");             /* enter */
    assert_runs_alike(&stepper, "c8 20 00 02 90 c3");             /* enter, nested */
    assert_runs_alike(&stepper, "9c 58 90 90 90 c3");             /* pushf; pop */
    assert_runs_alike(&stepper, "64 48 8b 04 25 28 00 00 00 c3"); /* fs:40 */
    assert_runs_alike(&stepper, "65 48 8b 04 25 10 00 00 00 c3"); /* gs:16 */
    assert_runs_alike(&stepper, "2e 2e 2e 2e 2e 2e 2e 2e 48 8b 05 00 10 00 00 c3"); /* 15 bytes */
    assert_runs_alike(&stepper, "66 66 66 66 66 66 2e 0f 1f 84 00 00 02 00 00 c3");
    assert_runs_alike(&stepper, "67 8d 44 07 08 c3");                /* lea of 32 bits */
    assert_runs_alike(&stepper, "48 b8 01 02 03 04 05 06 07 08 c3"); /* movabs */
    assert_runs_alike(&stepper, "48 ab 90 90 90 c3");                /* stos */
    assert_runs_alike(&stepper, "5c 54 90 90 90 c3");                /* pop, push rsp */
    assert_runs_alike(&stepper, "e9 00 10 00 00");                   /* a tail call */
    assert_runs_alike(&stepper, "eb 10 90 90 90");
    assert_runs_alike(&stepper, "c3 90 90 90 90");
    assert_runs_alike(&stepper, "c2 08 00 cc cc");
    assert_faults_alike(&stepper, "0f 0b 0f 1f 00", true);    /* ud2 */
    assert_faults_alike(&stepper, "90 f4 90 90 90 c3", true); /* hlt */
    assert_faults_alike(&stepper, "31 c9 f7 f1 90 c3", true); /* div by 0 */
    stepper_stop(&stepper);
}

/* ---------------------------------------------------------------------- unwinders --- */

/* As compilers begin what needs no frame: the call is displaced. */
__asm__(".text\n"
        ".globl calling\n.hidden calling\n.type calling, @function\n"
        "calling:\n.cfi_startproc\n"
        "subq $8, %rsp\n.cfi_adjust_cfa_offset 8\n"
        "call *%rdi\n"
        ".globl calling_on\n.hidden calling_on\n"
        "calling_on: addq $8, %rsp\n.cfi_adjust_cfa_offset -8\n"
        "ret\n.cfi_endproc\n.size calling, .-calling\n");
extern const uint8_t calling[], calling_on[];

enum { FRAMES = 8 };
static void *frames[FRAMES];
static int frame_count;

static void look_back(void)
{
    frame_count = backtrace(frames, FRAMES);
}

static bool was_seen(uintptr_t begin, uintptr_t end)
{
    for (int i = 0; i < frame_count; i++) {
        if ((uintptr_t)frames[i] >= begin && (uintptr_t)frames[i] < end)
            return true;
    }
    return false;
}

static void unwinders_see_through_a_moved_call(void **state)
{
    struct arch_prologue prologue;
    uint8_t map[ARCH_PROLOGUE_COUNT];
    uint8_t *copy =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void (*relocated)(void (*)(void));

    (void)state;
    assert_true(copy != MAP_FAILED);
    assert_int_equal(arch_prologue_read(calling, 11, (uintptr_t)calling, &prologue), ARCH_OK);
    assert_int_equal(prologue.length, calling_on - calling);
    assert_true(arch_move(&prologue, (uintptr_t)copy, false, copy, ARCH_MOVED_BYTES, map) > 0);
    memcpy(&relocated, &copy, sizeof(relocated));
    relocated(look_back);
    assert_true(frame_count > 3); /* here, and who runs the tests */
    assert_true(was_seen((uintptr_t)calling_on, (uintptr_t)calling_on + 1));
    assert_false(was_seen((uintptr_t)copy, (uintptr_t)copy + 4096));
    munmap(copy, 4096);
}

/* ------------------------------------------------------------------------- random --- */

/* xorshift64: the same numbers at every run. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Any bytes, but half of them what makes instructions that need correction. */
static void invent(uint8_t *code, uint64_t *seed)
{
    static const uint8_t telling[] = {0x05, 0x0d, 0x15, 0x74, 0x7f, 0xe0, 0xe2, 0xe3, 0xe8, 0xe9,
                                      0xeb, 0x48, 0x66, 0x67, 0x0f, 0x84, 0x8b, 0x89, 0x55, 0x83,
                                      0x3d, 0x01, 0x02, 0x03, 0x00, 0xff, 0xc5, 0xf3, 0xcc, 0xfd};

    for (size_t i = 0; i < SIZE; i++) {
        uint64_t number = next_random(seed);
        code[i] = number & 1 << 20 ? telling[(number >> 8) % sizeof(telling)] : (uint8_t)number;
    }
    /* What is relative mostly stays in the arena. */
    code[next_random(seed) % SIZE] = 0;
    code[next_random(seed) % SIZE] = 0;
}

struct stepped {
    size_t patchable, compared, through;
};

static void fail_random(const struct arch_prologue *prologue, const char *why)
{
    for (unsigned i = 0; i < prologue->length; i++)
        print_error("%02x ", prologue->bytes[i]);
    fail_msg("%s", why);
}

/* False: it cannot be moved. */
static bool step_random(const struct stepper *stepper, struct stepped *stepped)
{
    uint8_t *code = code_of(stepper), relocated[ARCH_MOVED_BYTES], map[ARCH_PROLOGUE_COUNT];
    bool compared = false, through = false;
    struct arch_prologue prologue;

    if (arch_prologue_read(code, SIZE, (uintptr_t)code, &prologue) != ARCH_OK ||
        arch_move(&prologue, (uintptr_t)stepper->copies, stepper->shadow_stack, relocated,
                  sizeof(relocated), map) < 0)
        return false;
    for (int pointers = 0; pointers < 2; pointers++) {
        char why[200];
        enum step_outcome outcome = step_prologue(stepper, &prologue, pointers, why);

        if (outcome == STEP_DIFFERENT)
            fail_random(&prologue, why);
        compared |= outcome != STEP_SKIPPED;
        through |= outcome == STEP_EQUAL;
    }
    stepped->compared += compared;
    stepped->through += through;
    return true;
}

static void random_instructions_moved_do_what_they_did(void **state)
{
    enum { WANTED = 4000 };
    struct stepped stepped = {.compared = 0};
    struct stepper stepper;
    uint64_t seed = 0x2545f4914f6cdd1d;

    (void)state;
    start(&stepper);
    while (stepped.patchable < WANTED) {
        invent(code_of(&stepper), &seed);
        stepper.shadow_stack = next_random(&seed) & 1;
        stepped.patchable += step_random(&stepper, &stepped);
    }
    stepper_stop(&stepper);
    printf("random     %5zu compared, %5zu of them without a fault\n", stepped.compared,
           stepped.through);
    assert_true(stepped.compared > WANTED / 2 && stepped.through > WANTED / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moved_call_leaves_the_stack_as_the_original_does),
        cmocka_unit_test(with_a_shadow_stack_a_call_runs_alike),
        cmocka_unit_test(a_call_through_memory_that_is_not_there_faults_alike),
        cmocka_unit_test(what_refers_to_itself_runs_alike),
        cmocka_unit_test(what_refers_to_the_copies_themselves_is_not_compared),
        cmocka_unit_test(instructions_of_newer_processors_run_alike),
        cmocka_unit_test(what_ends_a_transaction_goes_on_outside_of_one),
        cmocka_unit_test(what_need_not_leave_the_same_is_not_compared),
        cmocka_unit_test(an_undefined_flag_that_nothing_reads_is_not_compared),
        cmocka_unit_test(counted_jumps_run_alike),
        cmocka_unit_test(odd_instructions_run_alike),
        cmocka_unit_test(unwinders_see_through_a_moved_call),
        cmocka_unit_test(random_instructions_moved_do_what_they_did),
    };

    return cmocka_run_group_tests_name("prologues that are run", tests, NULL, NULL);
}
