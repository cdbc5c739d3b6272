/*
 * test_relocated.c - functions of this program, called through what an entry gets: the jump, the stub, and the moved
 * prologue. One thread, no tracing: runs under emulators too (processors.sh). test_prologue_steps.c compares each
 * instruction's effects.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "tests/support/registers.h"
#include "tests/support/relocated_functions.h"

typedef long function(long);

#define DECLARE(name, features)     \
    extern long moved_##name(long); \
    extern const uint8_t moved_##name##_end[];
MOVED_FUNCTIONS(DECLARE)

static const struct subject {
    const char *name;
    function *run;
    const uint8_t *end;
    unsigned features; /* of the processor, registers.h */
} subjects[] = {
#define SUBJECT(name, features) {#name, moved_##name, moved_##name##_end, features},
    MOVED_FUNCTIONS(SUBJECT)};
enum { SUBJECTS = sizeof(subjects) / sizeof(subjects[0]), PAGE = MOVED_PAGE };

static const long arguments[] = {-3, 0, 1, 5, 1000};
enum { ARGUMENTS = sizeof(arguments) / sizeof(arguments[0]) };

static function *as_function(const void *code)
{
    function *run;

    memcpy(&run, &code, sizeof(run));
    return run;
}

static uint8_t *code_of(const struct subject *subject)
{
    uint8_t *code;

    memcpy(&code, &subject->run, sizeof(code));
    return code;
}

static void make_writable(const struct subject *subject, int protection)
{
    uint8_t *page = code_of(subject) - (uintptr_t)code_of(subject) % PAGE;

    assert_int_equal(mprotect(page, PAGE, protection), 0);
}

/* Two pages, or NULL: something is there. A kernel or an emulator that does not know the flag maps elsewhere. */
static uint8_t *map_at(uint64_t address)
{
    void *wanted = (void *)(uintptr_t)(address & ~(uint64_t)(PAGE - 1));
    void *there = mmap(wanted, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (there == wanted)
        return there;
    if (there != MAP_FAILED)
        munmap(there, 2 * PAGE);
    return NULL;
}

/* An armed entry: what its stub goes through, and where its moved prologue is. */
struct armed {
    struct arch_prologue prologue;
    uint8_t *
        near; /* two pages in reach: the stub, and on the second the moved prologue, the word, the note */
    uint8_t *stub, *relocated;
    uintptr_t *word;
    uint8_t *seen;
    size_t written;
};

/* The lowest place to try: not where the jump just reaches, or the data would be out of the copy's reach. */
static uint64_t lowest(const struct arch_prologue *prologue)
{
    struct arch_window window;
    uint64_t near = prologue->entry - ((uint64_t)1 << 30);

    arch_stub_window(prologue, &window);
    return window.low > near ? window.low : near;
}

/* Of the places that the jump reaches the first that is free; where none is, another jump. */
static void find_room(struct armed *armed)
{
    struct arch_prologue *prologue = &armed->prologue;
    uint64_t from = lowest(prologue), stub;

    for (; !armed->near; from = (stub | (PAGE - 1)) + 1) {
        while (!arch_stub_from(prologue, from, &stub)) {
            assert_true(arch_stub_other(prologue));
            from = lowest(prologue);
        }
        armed->near = map_at(stub);
        armed->stub = armed->near + stub % PAGE;
    }
}

/* Near the function, not yet led to. */
static void prepare(struct armed *armed, const struct subject *subject)
{
    uint8_t *code = code_of(subject), map[ARCH_PROLOGUE_COUNT];

    *armed = (struct armed){.near = NULL};
    assert_int_equal(
        arch_prologue_read(code, (size_t)(subject->end - code), (uintptr_t)code, &armed->prologue),
        ARCH_OK);
    find_room(armed);
    armed->relocated = armed->near + PAGE + 1024;
    armed->word = (void *)(armed->near + PAGE + 2048);
    armed->seen = armed->near + PAGE + 2048 + sizeof(uintptr_t);
    assert_true(arch_move(&armed->prologue, (uintptr_t)armed->relocated, false, armed->relocated,
                          ARCH_MOVED_BYTES, map) > 0);
    assert_true(arch_stub_hit((uintptr_t)armed->stub, (uintptr_t)armed->seen,
                              (uintptr_t)armed->word, armed->stub, ARCH_STUB_BYTES) > 0);
    *armed->word = (uintptr_t)armed->relocated;
}

static void arm(struct armed *armed)
{
    uint8_t jump[8];

    armed->written = arch_jump_bytes(&armed->prologue, (uintptr_t)armed->stub, jump);
    memcpy((void *)(uintptr_t)armed->prologue.jump, jump, armed->written);
}

static void disarm(const struct armed *armed)
{
    memcpy((void *)(uintptr_t)armed->prologue.jump, armed->prologue.bytes, armed->written);
}

static long replacement(long x)
{
    return 1000000 - x;
}

static bool is_for_this_processor(const struct subject *subject)
{
    if ((registers_features() & subject->features) == subject->features)
        return true;
    print_message("%s: this processor has no such registers\n", subject->name);
    return false;
}

static void must_return(const struct subject *subject, function *run, const long *expected)
{
    for (int i = 0; i < ARGUMENTS; i++) {
        long got = run(arguments[i]);

        if (got != expected[i])
            fail_msg("%s(%ld): %ld, not %ld", subject->name, arguments[i], got, expected[i]);
    }
}

static void try_one(const struct subject *subject)
{
    long before[ARGUMENTS], after[ARGUMENTS];
    struct armed armed;

    for (int i = 0; i < ARGUMENTS; i++) {
        before[i] = subject->run(arguments[i]);
        after[i] = replacement(arguments[i]);
    }
    make_writable(subject, PROT_READ | PROT_WRITE | PROT_EXEC);
    prepare(&armed, subject);
    must_return(subject, as_function(armed.relocated), before);
    arm(&armed);
    assert_int_equal(*armed.seen, 0);
    must_return(subject, subject->run, before);
    assert_int_equal(*armed.seen, 1);
    *armed.word = (uintptr_t)replacement;
    must_return(subject, subject->run, after);
    must_return(subject, as_function(armed.relocated), before);
    disarm(&armed);
    must_return(subject, subject->run, before);
    make_writable(subject, PROT_READ | PROT_EXEC);
    munmap(armed.near, 2 * PAGE);
}

static void what_an_entry_gets_leads_to_the_replacement_and_to_the_original(void **state)
{
    (void)state;
    for (size_t i = 0; i < SUBJECTS; i++)
        if (is_for_this_processor(&subjects[i]))
            try_one(&subjects[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_entry_gets_leads_to_the_replacement_and_to_the_original),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
