/*
 * test_growth.c - what is refused, tried (dry-run=1) or applied and reverted again and again costs the
 * host nothing: no record, memory, mapping or descriptor, and no later request.
 *
 * ROUNDS=10000 makes the rounds of each test as many; without it a test takes a second or two.
 *
 * What it is worth (each broken on purpose, each failed): a fault's record kept after a refusal or a dry
 * run: HP-BUSY; the replacements that a request names not freed with a refused module: +204 kB.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/stream.h"
#include "tests/support/usage.h"

enum { LINES = 32, REQUESTS = 1600 };

/* The requests of one round. */
struct round {
    char lines[LINES][512];
    const char *text[LINES];
    size_t count;
    size_t rounds, warm; /* without ROUNDS; before the first look; 0: some */
};

static void add(struct round *round, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct round *round, const char *format, ...)
{
    va_list arguments;

    assert_true(round->count < LINES);
    va_start(arguments, format);
    vsnprintf(round->lines[round->count], sizeof(round->lines[0]), format, arguments);
    va_end(arguments);
    round->text[round->count] = round->lines[round->count];
    round->count++;
}

/* A load of each patch, and what takes it away again. */
static void add_cycles(struct round *round, const char *const *patches)
{
    for (; *patches; patches++) {
        add(round, "load %s", patch_file(*patches));
        add(round, "revert all");
    }
}

static void add_loads(struct round *round, const char *const *patches)
{
    for (; *patches; patches++)
        add(round, "load %s", patch_file(*patches));
}

static size_t rounds_of(const struct round *round)
{
    const char *asked = getenv("ROUNDS");

    if (asked)
        return strtoul(asked, NULL, 10);
    if (round->rounds)
        return round->rounds;
    return (size_t)(sanitized() ? REQUESTS / 10 : REQUESTS) / round->count + 1;
}

/* `refused`: of each round; -1: all. */
static void costs_nothing(struct host *host, const struct round *round, long refused)
{
    size_t rounds = rounds_of(round);
    size_t warm = round->warm ? round->warm : rounds / 2 + 128 / round->count + 1;
    struct usage before, after;
    struct stream stream;
    long expected = refused < 0 ? (long)round->count : refused, came;

    assert_true(stream_open(&stream, host, "growth"));
    came = stream_run(&stream, round->text, round->count, warm * round->count);
    if (came != (long)warm * expected)
        fail_msg("%ld of %zu requests were refused, %ld expected: %s", came, warm * round->count,
                 (long)warm * expected, stream.refusal);
    before = usage_of(host);
    came = stream_run(&stream, round->text, round->count, rounds * round->count);
    if (came != (long)rounds * expected)
        fail_msg("then %ld of %zu requests were refused, %ld expected: %s", came,
                 rounds * round->count, (long)rounds * expected, stream.refusal);
    after = usage_of(host);
    stream_close(&stream);
    print_message("%zu rounds of %zu: ", rounds, round->count);
    usage_assert_same(&before, &after);
    if (!sanitized())
        assert_true(after.anonymous_kb - before.anonymous_kb <= 128);
}

static int end(void **state)
{
    if (*state)
        memory_host_kill(*state);
    *state = NULL;
    return 0;
}

static struct host *begin(void **state, const char *program)
{
    struct host *host = memory_host_start(program, NULL);

    *state = host;
    return host;
}

/* ---- faults ---- */

static void refused_and_tried_faults_cost_nothing(void **state)
{
    struct host *host = begin(state, "imports");
    struct round round = {.rounds = sanitized() ? 100 : 850}; /* more than there are entries */

    add(&round, "load fail=nothing_of_that_name=1");
    add(&round, "load dry-run=1 fail=nothing_of_that_name=1");
    add(&round, "load fail=stdout=1");
    add(&round, "load fail=rename=x");
    add(&round, "load fail=rename=1:ENOTHING");
    add(&round, "load fail=rename=1 caller=libnothing.so");
    add(&round, "load fail=rename=1 deadline=1");
    add(&round, "load dry-run=1 fail=rename=-1:EIO");
    add(&round, "load dry-run=1 fail=getppid=1 nth=3");
    costs_nothing(host, &round, 7);
    must_apply(host, "load fail=getppid=500");
    host_expect(host, "getppid", "500");
    must_apply(host, "revert all");
}

/* A hook refuses when the fault is ready to be applied; the transaction's loads all go. */
static void faults_of_refused_transactions_cost_nothing(void **state)
{
    struct host *host = begin(state, "host");
    struct usage before, after;
    int rounds = getenv("ROUNDS") ? atoi(getenv("ROUNDS")) : sanitized() ? 50 : 400;

    for (int i = -rounds; i < rounds; i++) {
        struct reply *reply;

        if (i == 0)
            before = usage_of(host);
        reply = request(host,
                        "begin\nload fail=second=7\nload fail=extra=7\nload fail=many=1\n"
                        "load %s\ncommit",
                        patch_file("hook_refuses"));
        if (strcmp(reply->code, "HP-HOOK") != 0)
            fail_msg("round %d: %s: %s", i, reply->code, reply->text);
        reply_free(reply);
    }
    after = usage_of(host);
    usage_assert_same(&before, &after);
    must_apply(host, "load fail=second=7");
    host_expect(host, "second", "7");
    must_apply(host, "revert all");
}

static void faults_applied_and_reverted_cost_nothing(void **state)
{
    struct host *host = begin(state, "host");
    struct round round = {0};

    add(&round, "load fail=second=7");
    add(&round, "load fail=second=8"); /* in its place */
    add(&round, "load fail=extra=7 nth=2");
    add(&round, "revert all");
    add(&round, "load fail=exe:main=7 times=1");
    add(&round, "revert last");
    costs_nothing(host, &round, 0);
    must_apply(host, "load fail=second=7");
    host_expect(host, "second", "7");
    must_apply(host, "revert all");
    host_expect(host, "second", "10");
}

/* Nothing shows where a running thread is: the entries of a second are in use at once. */
static void faults_cost_nothing_while_threads_run(void **state)
{
    struct host *host = begin(state, "host");
    struct round round = {.warm = sanitized() ? 100 : 1200};

    host_expect(host, "threads 2", "started");
    add(&round, "load fail=second=7");
    add(&round, "load fail=second=8");
    add(&round, "revert all");
    costs_nothing(host, &round, 0);
    must_apply(host, "load fail=second=7");
    host_expect(host, "second", "7");
    must_apply(host, "revert all");
    host_expect(host, "stop-threads", "wrong 0");
}

/* ---- patches ---- */

static void refused_patches_cost_nothing(void **state)
{
    static const char *const patches[] = {"bad_signature",
                                          "no_target",
                                          "function_for_data",
                                          "data_for_function",
                                          "untyped_for_typed",
                                          "untyped_wrong_type",
                                          "half_wrong",
                                          "wrong_build",
                                          "wrong_object",
                                          "undefined",
                                          "object_unknown",
                                          "target_empty",
                                          "twice",
                                          "hook_refuses",
                                          "plain",
                                          NULL};
    struct host *host = begin(state, "host");
    struct round round = {0};

    add_loads(&round, patches);
    add(&round, "load replace=answer=nothing %s", patch_file("plain"));
    add(&round, "load replace=nothing=plain_answer %s", patch_file("plain"));
    add(&round, "load replace=exe:=plain_answer %s", patch_file("plain"));
    add(&round, "load %s deadline=1", patch_file("answer2"));
    add(&round, "load /nowhere/at.all");
    add(&round, "load when=quiet %s", patch_file("answer2"));
    add(&round, "load when=safe-point timeout=1 %s", patch_file("answer2"));
    costs_nothing(host, &round, -1);
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
}

static void callers_that_are_refused_cost_nothing(void **state)
{
    static const char *const patches[] = {"relies_variadic", "relies_twice",
                                          "relies_result_unknown", NULL};
    struct host *host = begin(state, "relies");
    struct round round = {0};

    if (sanitized())
        skip();
    add_loads(&round, patches);
    add(&round, "load dry-run=1 %s", patch_file("relies"));
    costs_nothing(host, &round, 3);
}

/* One byte in some place is another, or the rest of the file is not there. */
static void add_damaged(struct round *round, struct host *host)
{
    struct file good = file_read(patch_file("answer2"));
    uint32_t seed = 1;

    for (int i = 0; i < 24; i++) {
        char name[32];
        struct file file = {malloc(good.size), good.size};

        memcpy(file.bytes, good.bytes, good.size);
        seed = seed * 1103515245 + 12345;
        if (i < 8)
            file.size = file.size * (size_t)i / 8;
        else if (i < 16)
            file.bytes[sizeof(Elf64_Ehdr) + (size_t)i * 7] ^= 0x80;
        else
            file.bytes[seed / 65536 % 4096] ^= 0x40;
        snprintf(name, sizeof(name), "damaged%d.so", i);
        file_write(host_path(host, name), file.bytes, file.size, 0755);
        add(round, "load dry-run=1 %s", host_path(host, name));
        file_free(&file);
    }
    file_free(&good);
}

/* Some bytes do not matter: the first round tells. */
static void damaged_files_cost_nothing(void **state)
{
    struct host *host = begin(state, "host");
    struct round round = {0};
    struct stream stream;
    long refused;

    add_damaged(&round, host);
    assert_true(stream_open(&stream, host, "first"));
    refused = stream_run(&stream, round.text, round.count, round.count);
    stream_close(&stream);
    assert_true(refused >= 8);
    costs_nothing(host, &round, refused);
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
}

static void a_missing_library_costs_nothing(void **state)
{
    struct host *host = begin(state, "host");
    struct round round = {0};
    char source[600], library[600], patch[600];
    const char *const make_library[] = {"gcc", "-shared", "-fPIC", "-o", library, source, NULL};
    const char *const make_patch[] = {
        "gcc", "-shared", "-fPIC", "-o", patch, source, "-Wl,--no-as-needed", library, NULL};

    snprintf(source, sizeof(source), "%s", host_path(host, "lib.c"));
    snprintf(library, sizeof(library), "%s", host_path(host, "libmissing.so"));
    snprintf(patch, sizeof(patch), "%s", host_path(host, "needs.so"));
    file_write(source, "int lib(void) { return 1; }\n", 28, 0600);
    output_free(run_program(NULL, make_library));
    output_free(run_program(NULL, make_patch));
    remove(library);
    add(&round, "load replace=answer=lib %s", patch);
    assert_string_equal(outcome(host, "%s", round.text[0]), "HP-NEEDED");
    costs_nothing(host, &round, -1);
}

static void patches_applied_and_reverted_cost_nothing(void **state)
{
    static const char *const patches[] = {
        "answer2",       "greeting", "calls",     "untyped",
        "hook_adds",     "hooks",    "own_slots", "untyped_declares",
        "layer_a",       "requirer", "provider",  "second",
        "not_patchable", NULL};
    struct host *host = begin(state, "host");
    struct round round = {0};

    add_cycles(&round, patches);
    costs_nothing(host, &round, 0);
    host_expect(host, "answer", "1");
}

/* The worker closes them when their constructors have ended; until then it is busy. */
static void load_too_late(struct host *host, int count)
{
    int64_t deadline = milliseconds() + HARNESS_TIMEOUT_MS;

    while (count > 0) {
        struct reply *reply =
            request(host, "begin\nload deadline=%lld %s\nload fail=second=7\ncommit",
                    (long long)milliseconds() + 10, patch_file("constructor_slow"));

        if (ms_until(deadline) == 0)
            fail_msg("no load was too late for %d ms; %d are left", HARNESS_TIMEOUT_MS, count);
        if (strcmp(reply->code, "HP-DEADLINE") == 0) {
            count--;
            deadline = milliseconds() + HARNESS_TIMEOUT_MS;
        } else if (strcmp(reply->code, "apply") == 0)
            must_apply(host, "revert all");
        else
            assert_string_equal(reply->code, "HP-BUSY");
        reply_free(reply);
    }
}

static void constructors_that_end_too_late_cost_nothing(void **state)
{
    struct host *host = begin(state, "host");
    int count = getenv("ROUNDS") ? atoi(getenv("ROUNDS")) / 10 : sanitized() ? 10 : 100;
    struct usage before, after;

    load_too_late(host, 80);
    before = usage_of(host);
    load_too_late(host, count);
    after = usage_of(host);
    usage_assert_same(&before, &after);
    if (!sanitized())
        assert_true(after.anonymous_kb - before.anonymous_kb <= 100);
    AWAIT(strcmp(outcome(host, "load %s", patch_file("answer2")), "apply") == 0,
          "a worker that is not busy");
    host_expect(host, "answer", "2");
}

static void dry_runs_cost_nothing(void **state)
{
    static const char *const patches[] = {"answer2",   "greeting",  "calls",    "untyped",
                                          "hook_adds", "own_slots", "requirer", "provider",
                                          "second",    NULL};
    struct host *host = begin(state, "host");
    struct round round = {0};

    for (size_t i = 0; patches[i]; i++)
        add(&round, "load dry-run=1 %s", patch_file(patches[i]));
    add(&round, "slots match=a*");
    costs_nothing(host, &round, 0);
}

static void entries_armed_and_reverted_cost_nothing(void **state)
{
    struct host *host = begin(state, "relies");
    struct round round = {0};

    if (sanitized())
        skip();
    add(&round, "load %s", patch_file("relies"));
    add(&round, "revert all");
    add(&round, "load %s", patch_file("relies_structure"));
    add(&round, "load fail=general=1 nth=2");
    add(&round, "revert last");
    add(&round, "revert all");
    costs_nothing(host, &round, 0);
}

#define GROWTH(test) cmocka_unit_test_teardown(test, end)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        GROWTH(refused_and_tried_faults_cost_nothing),
        GROWTH(faults_of_refused_transactions_cost_nothing),
        GROWTH(faults_applied_and_reverted_cost_nothing),
        GROWTH(faults_cost_nothing_while_threads_run),
        GROWTH(refused_patches_cost_nothing),
        GROWTH(callers_that_are_refused_cost_nothing),
        GROWTH(damaged_files_cost_nothing),
        GROWTH(a_missing_library_costs_nothing),
        GROWTH(patches_applied_and_reverted_cost_nothing),
        GROWTH(constructors_that_end_too_late_cost_nothing),
        GROWTH(dry_runs_cost_nothing),
        GROWTH(entries_armed_and_reverted_cost_nothing),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
