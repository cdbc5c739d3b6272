/*
 * test_torture.c - live hosts that are patched without pause while their threads call, start, end
 * and fork, and while libraries come and go. The hosts judge every answer themselves.
 *
 * Counts are lower under a sanitizer, where a step costs tens of times as much.
 *
 * What these tests are worth (each broken on purpose, each failed): a slot's word stored byte by
 * byte, or a patch unmapped at its revert: the host with eight threads dies; a forked child that
 * does not reset the request or the commit lock: children hang (SIGALRM, "bad 0xe"); the status
 * read from slots without ld.so's lock: the host dies while libraries come and go; a library taken
 * for known by its place alone: "said to be patched", and wrong answers. Two 4-byte stores instead
 * of one of 8 are not seen here: the gap is of a nanosecond.
 */
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/stream.h"

static int scaled(int count)
{
    return sanitized() ? count / 20 : count;
}

static int start(void **state)
{
    *state = memory_host_start("torture", NULL);
    return 0;
}

static int stop(void **state)
{
    memory_host_kill(*state);
    return 0;
}

/* Transactions that leave everything as it was once all of them are done. */
static const char *const *cycle(size_t *count)
{
    static const char *lines[10];
    size_t n = 0;
    static char text[10][512];
    const char *v1 = patch_file("torture_v1"), *v2 = patch_file("torture_v2");
    const char *over = patch_file("torture_over");
    snprintf(text[n++], 512, "load %s", v1);
    snprintf(text[n++], 512, "load %s", v2);
    snprintf(text[n++], 512, "load %s", over);
    snprintf(text[n++], 512, "revert name=torture");
    snprintf(text[n++], 512, "load %s", v1);
    snprintf(text[n++], 512, "revert last");
    snprintf(text[n++], 512, "revert last");
    snprintf(text[n++], 512, "load %s", v2);
    snprintf(text[n++], 512, "load %s", over);
    snprintf(text[n++], 512, "revert all");
    for (size_t i = 0; i < n; i++)
        lines[i] = text[i];
    *count = n;
    return lines;
}

static void run(struct host *host, struct stream *stream, size_t transactions)
{
    size_t count;
    const char *const *lines = cycle(&count);
    long refused = stream_run(stream, lines, count, transactions);
    if (refused != 0)
        fail_msg("%ld of %zu transactions failed: %s; the host is %s; log:\n%s", refused,
                 transactions, stream->refusal, host_fate(host), host_log(host));
}

static void assert_reverted(struct host *host)
{
    host_expect(host, "answer", "1");
    host_expect(host, "pointer", "1");
    host_expect(host, "label", "host");
    host_expect(host, "parent", "own");
}

/* Cycles until a thread has got that answer: on a busy machine all of the first ones may pass between two
 * calls of it. */
static void run_until_seen(struct host *host, struct stream *stream, int answer)
{
    enum { MOST_CYCLES = 10000 };
    char question[32];
    size_t count, cycles = 0;
    cycle(&count);
    snprintf(question, sizeof(question), "seen %d", answer);
    while (atol(host_ask(host, "%s", question)) == 0) {
        if (cycles++ == MOST_CYCLES)
            fail_msg("no thread ever got the answer %d", answer);
        run(host, stream, count);
    }
}

static struct stream *open_stream(struct host *host)
{
    static struct stream stream;
    assert_true(stream_open(&stream, host, "torture"));
    return &stream;
}

/* Four of these are the 20,000: a module stays mapped, and ld.so is slower with thousands of them. */
static void eight_threads_get_legal_answers_over_5000_transactions(void **state)
{
    struct host *host = *state;
    struct stream *stream = open_stream(host);
    host_expect(host, "spin 8", "spinning 8");
    run(host, stream, (size_t)scaled(5000));
    for (int answer = 1; answer <= 3; answer++)
        run_until_seen(host, stream, answer);
    run_until_seen(host, stream, 13);
    host_expect(host, "halt", "calls some wrong 0 (0)");
    assert_reverted(host);
    stream_close(stream);
}

/* Files and faults, of which there may be 1,024 within ten seconds, in the words of the program and of
 * a library. */
static void eight_threads_call_imports_of_program_and_library(void **state)
{
    struct host *host = *state;
    struct stream *stream = open_stream(host);
    char open[600];
    static char text[2][512];
    const char *lines[] = {
        text[0],     "load fail=getppid=1000002 nth=2", "load fail=getppid=1000001 probability=0.5",
        text[1],     "revert name=fail:getppid",        "load fail=getppid=1000002 caller=exe",
        "revert all"};
    snprintf(text[0], sizeof(text[0]), "load %s", patch_file("torture_v1"));
    snprintf(text[1], sizeof(text[1]), "load %s", patch_file("torture_v2"));
    snprintf(open, sizeof(open), "open %s", built("hosts/libtorture.so"));
    host_expect(host, open, "opened");
    host_expect(host, "call-library", "called");
    host_expect(host, "spin 8", "spinning 8");
    long refused = stream_run(stream, lines, 7, (size_t)scaled(2100));
    if (refused != 0)
        fail_msg("%ld transactions failed: %s; log:\n%s", refused, stream->refusal, host_log(host));
    host_expect(host, "halt", "calls some wrong 0 (0)");
    assert_reverted(host);
    stream_close(stream);
}

/* Transactions, one at a time, for as long as the host is at what it was asked last. */
static const char *patch_meanwhile(struct host *host, const char *question)
{
    size_t count, done = 0;
    const char *const *lines = cycle(&count);
    struct stream *stream = open_stream(host);
    struct pollfd polled = {host->from, POLLIN, 0};
    host_say(host, question);
    do {
        if (stream_run(stream, lines + done % count, 1, 1) != 0)
            fail_msg("transaction %zu failed: %s; log:\n%s", done, stream->refusal, host_log(host));
        done++;
    } while (done % count != 0 || poll(&polled, 1, 0) == 0);
    stream_close(stream);
    print_message("%zu transactions meanwhile\n", done);
    return host_hear(host);
}

/* A cycle of transactions for every ten children: without a bound the mappings that stay would
 * make fork(2) itself the slow part. */
static void patch_against_forks(struct host *host, int count)
{
    char question[600], expected[64];
    const char *heard;
    size_t length;
    const char *const *lines = cycle(&length);
    struct stream *stream = open_stream(host);
    snprintf(question, sizeof(question), "forks %d %s", count, patch_file("torture_over"));
    snprintf(expected, sizeof(expected), "children %d bad 0x0", count);
    host_say(host, question);
    do {
        if (stream_run(stream, lines, length, length) != 0)
            fail_msg("a transaction failed: %s; log:\n%s", stream->refusal, host_log(host));
    } while (strcmp(heard = host_hear(host), "ten") == 0);
    assert_string_equal(heard, expected);
    stream_close(stream);
}

static void a_thousand_forks_against_a_stream_of_loads(void **state)
{
    struct host *host = *state;
    patch_against_forks(host, scaled(1000));
    assert_reverted(host);
}

static void forks_while_other_threads_call(void **state)
{
    struct host *host = *state;
    host_expect(host, "spin 2", "spinning 2");
    patch_against_forks(host, scaled(200));
    host_expect(host, "halt", "calls some wrong 0 (0)");
}

static void a_thousand_threads_see_the_new_code(void **state)
{
    struct host *host = *state;
    int threads = sanitized() ? 200 : 1000;
    char answer[64];
    snprintf(answer, sizeof(answer), "sleeping %d", threads);
    host_expect(host, sanitized() ? "crowd 200" : "crowd 1000", answer);
    must_apply(host, "load %s", patch_file("torture_v1"));
    host_expect(host, "let-go", "calls some wrong 0 (0)");
    snprintf(answer, sizeof(answer), "%d", threads);
    host_expect(host, "seen 2", answer);
    host_expect(host, "seen 1", "0");
    must_apply(host, "revert all");
    assert_reverted(host);
}

static void threads_start_and_end_during_switches(void **state)
{
    struct host *host = *state;
    struct stream *stream = open_stream(host);
    host_expect(host, "churn", "churning");
    run(host, stream, (size_t)scaled(2000));
    host_expect(host, "halt", "calls some wrong 0 (0)");
    assert_reverted(host);
    stream_close(stream);
}

static void a_program_whose_main_thread_has_left_is_patched(void **state)
{
    struct host *host = *state;
    struct stream *stream = open_stream(host);
    host_expect(host, "spin 4", "spinning 4");
    host_expect(host, "leave-main", "ready");
    run(host, stream, (size_t)scaled(1000));
    host_expect(host, "halt", "calls some wrong 0 (0)");
    must_apply(host, "load %s", patch_file("torture_v2"));
    host_expect(host, "answer", "3");
    stream_close(stream);
}

/* The library's slots go with it while patches that name them or others are loaded. */
static void libraries_come_and_go_during_loads(void **state)
{
    struct host *host = *state;
    char question[600], expected[64];
    snprintf(question, sizeof(question), "libraries %s %d", built("hosts/libslots.so"),
             scaled(1000));
    snprintf(expected, sizeof(expected), "opened %d bad 0", scaled(1000));
    assert_string_equal(patch_meanwhile(host, question), expected);
    assert_reverted(host);
}

/* A patch for a slot that is there at one moment and gone at the next is applied or refused. */
static void a_slot_that_comes_and_goes_is_patched_or_refused(void **state)
{
    struct host *host = *state;
    char question[600], expected[64];
    struct pollfd polled = {host->from, POLLIN, 0};
    int applied = 0, refused = 0;
    snprintf(question, sizeof(question), "libraries %s %d", built("hosts/libslots.so"),
             scaled(20000));
    snprintf(expected, sizeof(expected), "opened %d bad 0", scaled(20000));
    host_say(host, question);
    while (poll(&polled, 1, 0) == 0) {
        const struct reply *reply = request(host, "load %s", patch_file("library_value"));
        if (strcmp(reply->code, "apply") == 0)
            applied++;
        else if (strcmp(reply->code, "HP-NO-TARGET") == 0)
            refused++;
        else
            fail_msg("%s: %s", reply->code, reply->text);
        reply_free((struct reply *)reply);
        reply_free(request(host, "revert all"));
    }
    print_message("%d applied, %d refused\n", applied, refused);
    assert_true(applied + refused > 0);
    assert_string_equal(host_hear(host), expected);
    assert_reverted(host);
}

static size_t layers_of(struct host *host, const char *slot)
{
    struct reply *reply = request(host, "slots match=%s", slot);
    size_t layers =
        json_object_array_length(member(slot_named(member(reply->json, "slots"), slot), "layers"));
    reply_free(reply);
    return layers;
}

/* The same file at the same place as before, and yet another object without any patch. */
static void a_library_that_was_opened_anew_is_not_called_patched(void **state)
{
    struct host *host = *state;
    char open[600];
    snprintf(open, sizeof(open), "open %s", built("hosts/libslots.so"));
    host_expect(host, open, "opened");
    must_apply(host, "load %s", patch_file("library_value"));
    host_expect(host, "library", "42");
    assert_int_equal(layers_of(host, "library_value"), 1);
    host_expect(host, "close", "closed");
    host_expect(host, open, "opened");
    host_expect(host, "library", "40");
    assert_int_equal(layers_of(host, "library_value"), 0);
    must_apply(host, "load %s", patch_file("library_value"));
    host_expect(host, "library", "42");
    must_apply(host, "revert all");
    host_expect(host, "library", "40");
}

/* A plugin that is rebuilt between dlclose and dlopen: its slots lie elsewhere now. */
static void a_library_that_was_rebuilt_and_opened_anew_is_read_anew(void **state)
{
    struct host *host = *state;
    char open[600];
    const char *path = host_path(host, "libslots.so");
    snprintf(open, sizeof(open), "open %s", path);
    copy_file(built("hosts/libslots.so"), path);
    host_expect(host, open, "opened");
    must_apply(host, "load %s", patch_file("library_value"));
    host_expect(host, "library", "42");
    must_apply(host, "revert all");
    host_expect(host, "close", "closed");
    copy_file(built("hosts/libslots2.so"), path);
    host_expect(host, open, "opened");
    host_expect(host, "library", "41");
    must_apply(host, "load %s", patch_file("library_value"));
    host_expect(host, "library", "42");
    must_apply(host, "revert all");
    host_expect(host, "library", "41");
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, start, stop)
#define EIGHT_THREADS(n)                                                              \
    {                                                                                 \
        "eight_threads_get_legal_answers_over_5000_transactions_" #n,                 \
            eight_threads_get_legal_answers_over_5000_transactions, start, stop, NULL \
    }

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        EIGHT_THREADS(1),
        EIGHT_THREADS(2),
        EIGHT_THREADS(3),
        EIGHT_THREADS(4),
        WITH_HOST(eight_threads_call_imports_of_program_and_library),
        WITH_HOST(a_thousand_forks_against_a_stream_of_loads),
        WITH_HOST(forks_while_other_threads_call),
        WITH_HOST(a_thousand_threads_see_the_new_code),
        WITH_HOST(threads_start_and_end_during_switches),
        WITH_HOST(a_program_whose_main_thread_has_left_is_patched),
        WITH_HOST(libraries_come_and_go_during_loads),
        WITH_HOST(a_library_that_was_opened_anew_is_not_called_patched),
        WITH_HOST(a_library_that_was_rebuilt_and_opened_anew_is_read_anew),
        WITH_HOST(a_slot_that_comes_and_goes_is_patched_or_refused),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
