/*
 * test_prologue_real.c - every function of large programs and libraries as the distribution builds
 * them: how many can be patched, and do their moved prologues do what the originals do?
 *
 * The table and the counts are printed; what cannot be patched may not become more than it was.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "arch/x86_64/decode.h"
#include "tests/support/prologues.h"
#include "tests/support/stepper.h"

#define LIB "/usr/lib/x86_64-linux-gnu/"

/*
 * Of Debian 12's builds a long jump has no place in so many, and in no other; of python3 each update of
 * Debian's has others. Those of jumps are loops whose head is among the first five bytes. The unwind table has the functions' cold pieces, too, that no call leads to and some of which are a
 * jump of two bytes: they are only counted. Where a function has no frame they look like functions: python3's short ones.
 */
static const struct subject {
    const char *name, *path;
    size_t short_limit, jump_limit;
} subjects[] = {
    {"redis", "/usr/bin/redis-server", 5, 1},
    {"nginx", "/usr/sbin/nginx", 0, 3},
    {"memcached", "/usr/bin/memcached", 0, 0},
    {"postgres", "/usr/lib/postgresql/15/bin/postgres", 0, 5},
    {"libc", LIB "libc.so.6", 1, 4},
    {"libstdc++", LIB "libstdc++.so.6", 0, 0},
    {"python3", "/usr/bin/python3", 71, 40},
    {"bash", "/bin/bash", 0, 0},
};
enum { SUBJECTS = sizeof(subjects) / sizeof(subjects[0]) };

struct tally {
    size_t problems[ARCH_PROBLEM_COUNT];
    size_t pieces, single, at_4, calls;
};

static bool ends_in_a_call(const struct arch_prologue *prologue)
{
    unsigned last = prologue->start[prologue->count - 1];
    struct instruction in;

    return instruction_decode(prologue->bytes + last, (size_t)(prologue->length - last), &in) &&
           in.call;
}

static void tally_one(struct tally *tally, const struct arch_prologue *prologue)
{
    tally->calls += ends_in_a_call(prologue);
    tally->single += prologue->count == 1;
    for (unsigned i = 1; i < prologue->count; i++)
        tally->at_4 += prologue->start[i] == 4;
}

static void tally_all(const struct program *program, struct tally *tally)
{
    for (size_t i = 0; i < program->count; i++) {
        const struct routine *routine = &program->routines[i];
        struct arch_prologue prologue;
        enum arch_problem problem =
            arch_prologue_read(routine->code, routine->size, routine->address, &prologue);

        if (problem != ARCH_OK && routine->piece) {
            tally->pieces++;
            continue;
        }
        tally->problems[problem]++;
        if (problem == ARCH_OK)
            tally_one(tally, &prologue);
    }
}

static void print_tally(const char *name, size_t count, const struct tally *tally)
{
    printf("%-10s %6zu %9zu %6zu %7zu %5zu %5zu %6zu %6zu %7zu %6zu %6zu\n", name, count,
           tally->problems[ARCH_OK], tally->problems[ARCH_TOO_SHORT],
           tally->problems[ARCH_UNDECODABLE], tally->problems[ARCH_CALL_INSIDE],
           tally->problems[ARCH_JUMP_INSIDE], tally->problems[ARCH_NOT_MOVABLE], tally->pieces,
           tally->single, tally->at_4, tally->calls);
}

static void assert_limits(const struct subject *subject, const struct tally *tally)
{
    assert_true(tally->problems[ARCH_TOO_SHORT] <= subject->short_limit);
    assert_true(tally->problems[ARCH_JUMP_INSIDE] <= subject->jump_limit);
    assert_int_equal(tally->problems[ARCH_UNDECODABLE], 0);
    assert_int_equal(tally->problems[ARCH_CALL_INSIDE], 0);
    assert_int_equal(tally->problems[ARCH_NOT_MOVABLE], 0);
}

static void nearly_every_function_can_be_patched(void **state)
{
    (void)state;
    printf("%-10s %6s %9s %6s %7s %5s %5s %6s %6s %7s %6s %6s\n", "", "all", "patchable", "short",
           "unknown", "call", "jump", "fixed", "pieces", "single", "at +4", "calls");
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct tally tally = {.single = 0};
        struct program program;

        if (!program_open(&program, subjects[i].path)) {
            printf("%-10s is not installed\n", subjects[i].name);
            continue;
        }
        tally_all(&program, &tally);
        print_tally(subjects[i].name, program.count, &tally);
        program_close(&program);
        assert_limits(&subjects[i], &tally);
    }
}

/* ------------------------------------------------------------------- stepping --- */

/* At most so many of a program are run, spread over it. */
enum { STEPPED = 4000, REQUIRED = 10000 };

struct stepped {
    size_t patchable, compared, through, different;
};

static void step_one(const struct stepper *stepper, const struct arch_prologue *prologue,
                     uint64_t address, struct stepped *stepped)
{
    bool compared = false, through = false;

    for (int pointers = 1; pointers >= 0; pointers--) {
        char why[200];
        enum step_outcome outcome = step_prologue(stepper, prologue, pointers, why);

        compared = compared || outcome != STEP_SKIPPED;
        through = through || outcome == STEP_EQUAL;
        if (outcome == STEP_DIFFERENT) {
            stepped->different++;
            print_error("0x%" PRIx64 ": %s\n", address, why);
        }
    }
    stepped->compared += compared;
    stepped->through += through;
}

static void step_program(const struct program *program, struct stepped *stepped)
{
    size_t stride = (program->count + STEPPED - 1) / STEPPED;
    struct stepper stepper;

    if (!stepper_start(&stepper, program->high - program->low)) {
        print_message("nobody may trace here\n");
        skip();
    }
    program_load(program, stepper.image);
    for (size_t i = 0; i < program->count; i += stride) {
        const struct routine *routine = &program->routines[i];
        uint64_t entry = (uintptr_t)stepper.image + (routine->address - program->low);
        struct arch_prologue prologue;

        if (arch_prologue_read(routine->code, routine->size, entry, &prologue) != ARCH_OK)
            continue;
        stepped->patchable++;
        step_one(&stepper, &prologue, routine->address, stepped);
    }
    stepper_stop(&stepper);
}

static void moved_prologues_do_what_the_originals_do(void **state)
{
    struct stepped all = {.compared = 0};

    (void)state;
    for (size_t i = 0; i < SUBJECTS; i++) {
        struct stepped stepped = {.compared = 0};
        struct program program;

        if (!program_open(&program, subjects[i].path))
            continue;
        step_program(&program, &stepped);
        program_close(&program);
        printf("%-10s %5zu compared, %5zu of them without a fault; %zu not run, %zu different\n",
               subjects[i].name, stepped.compared, stepped.through,
               stepped.patchable - stepped.compared, stepped.different);
        all.patchable += stepped.patchable;
        all.compared += stepped.compared;
        all.through += stepped.through;
        all.different += stepped.different;
    }
    printf("%-10s %5zu compared, %5zu of them without a fault\n", "all", all.compared, all.through);
    assert_int_equal(all.different, 0);
    assert_true(all.through > all.compared / 10 * 9);
    if (all.patchable >= REQUIRED + REQUIRED / 10)
        assert_true(all.compared >= REQUIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearly_every_function_can_be_patched),
        cmocka_unit_test(moved_prologues_do_what_the_originals_do),
    };

    return cmocka_run_group_tests_name("prologues of real programs", tests, NULL, NULL);
}
