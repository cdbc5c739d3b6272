/*
 * test_entry_transactions.c - entry slots among others in transactions, in layers, as faults: all of
 * it or not a byte.
 */
#include "tests/support/entries.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- transactions ---- */

static void a_version_takes_the_place_of_another(void **state)
{
    struct picture armed;

    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
    armed = picture_take(host->pid);
    must_apply(host, "load %s", patch_file("answer3"));
    host_expect(host, "answer", "3");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    assert_int_equal(picture_changes(&armed, host->pid), 0); /* text is written once */
    picture_free(&armed);
    finish();
}

static void slots_of_all_kinds_switch_in_one_transaction(void **state)
{
    (void)state;
    start("entries");
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libslots.so")), "opened");
    must_apply(host, "begin\nload %s\nload %s\nload %s\ncommit", patch_file("library_value"),
               patch_file("import_getenv"), patch_file("answer2"));
    host_expect(host, "call library_answer", "42");
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "patched");
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    host_expect(host, "call library_answer", "40");
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "none");
    host_expect(host, "answer", "1");
    finish();
}

static void one_wrong_replacement_leaves_every_byte(void **state)
{
    struct picture before;

    (void)state;
    start("entries");
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libslots.so")), "opened");
    must_apply(host, "ping");
    before = picture_take(host->pid);
    assert_string_equal(outcome(host, "begin\nload %s\nload %s\nload %s\nload %s\ncommit",
                                patch_file("library_value"), patch_file("import_getenv"),
                                patch_file("answer2"), patch_file("no_target")),
                        "HP-NO-TARGET");
    assert_string_equal(outcome(host, "begin\nload %s\nload %s\ncommit", patch_file("calls"),
                                patch_file("hook_refuses")),
                        "HP-HOOK");
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    host_expect(host, "call library_answer", "40");
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "none");
    host_expect(host, "sum", "10");
    assert_unchanged(host);
    finish();
}

/* Kinds that would all switch, and one entry, armed last, that a thread stands in the way of. */
static void refuse_while_arming(const char *first)
{
    assert_string_equal(
        outcome(host,
                "begin\n%s%sload %s\nload %s\nload %s\nload fail=exported_answer=6\n"
                "load replace=straddles_page=two %s\ncommit",
                first, *first ? "\n" : "", patch_file("library_value"), patch_file("import_getenv"),
                patch_file("layer_a"), patch_file("entry_plain")),
        "HP-SIGTRAP-BLOCKED");
}

static void expect_nothing_switched(void)
{
    host_expect(host, "call library_answer", "40");
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "none");
    host_expect(host, "exported", "1");
    host_expect(host, "shape straddles_page", "1");
}

static void an_entry_that_cannot_be_armed_leaves_every_byte(void **state)
{
    struct picture before;
    struct reply *reply;

    (void)state;
    start("entries");
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libslots.so")), "opened");
    host_expect(host, "spinners-without-signals 1", "started");
    must_apply(host, "ping");
    before = picture_take(host->pid);
    refuse_while_arming("");
    assert_int_equal(picture_changes(&before, host->pid), 0);
    expect_nothing_switched();
    host_expect(host, "answer", "1");
    reply = request(host, "status");
    assert_int_equal(json_object_array_length(member(reply->json, "status.slots")), 0);
    assert_int_equal(json_object_array_length(member(reply->json, "status.modules")), 0);
    reply_free(reply);
    host_expect(host, "stop-threads", "wrong 0");
    picture_free(&before);
    finish();
}

/* What was there before stays: a layer on one of them, and its armed entry. */
static void an_entry_that_cannot_be_armed_leaves_what_is_applied(void **state)
{
    struct picture before;

    (void)state;
    start("entries");
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libslots.so")), "opened");
    must_apply(host, "load %s", patch_file("answer3"));
    host_expect(host, "spinners-without-signals 1", "started");
    before = picture_take(host->pid);
    refuse_while_arming("");
    assert_int_equal(picture_changes(&before, host->pid), 0);
    expect_nothing_switched();
    host_expect(host, "answer", "3");
    host_expect(host, "stop-threads", "wrong 0");
    picture_free(&before);
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    finish();
}

/* The hook that looks before the commit has agreed; the one after it must not run. */
static void an_entry_that_cannot_be_armed_is_refused_after_hooks_agreed(void **state)
{
    struct picture before;
    char load[600];

    (void)state;
    start("entries");
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libslots.so")), "opened");
    host_expect(host, "spinners-without-signals 1", "started");
    must_apply(host, "ping");
    before = picture_take(host->pid);
    snprintf(load, sizeof(load), "load %s", patch_file("hook_agrees"));
    refuse_while_arming(load);
    assert_int_equal(picture_changes(&before, host->pid), 0);
    expect_nothing_switched();
    host_expect(host, "second", "10");
    assert_true(host_log_has(host, "hook before_apply"));
    assert_false(host_log_has(host, "hook after_apply"));
    host_expect(host, "stop-threads", "wrong 0");
    picture_free(&before);
    finish();
}

static void entries_switch_at_a_safe_point_with_declared_slots(void **state)
{
    (void)state;
    start("host");
    assert_string_equal(host_ask(host, "open %s", built("hosts/libentries.so")), "opened");
    host_say(host, "pass-safe-points");
    must_apply(host,
               "begin\nload when=safe-point timeout=20000 %s\nload when=safe-point timeout=20000 "
               "replace=libentries.so:in_library=nine %s\ncommit",
               patch_file("answer2"), patch_file("entry_plain"));
    assert_string_equal(host_hear(host), "2");
    host_expect(host, "call in_library", "9");
    must_apply(host, "revert all");
    host_expect(host, "call in_library", "40");
    assert_unchanged(host);
    finish();
}

static void a_safe_point_that_does_not_come_leaves_every_byte(void **state)
{
    struct picture before;

    (void)state;
    start("entries");
    must_apply(host, "ping");
    before = picture_take(host->pid);
    assert_string_equal(outcome(host, "load when=safe-point timeout=50 %s", patch_file("answer2")),
                        "HP-TIMEOUT");
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    assert_unchanged(host);
    finish();
}

/* A wrapper, a fault that strikes at every second call, a patch, a wrapper: on one entry. */
static void load_four_layers(void)
{
    must_apply(host, "load %s", patch_file("layer_b"));
    must_apply(host, "load fail=answer=7 nth=2");
    must_apply(host, "load replace=answer=three %s", patch_file("entry_plain"));
    must_apply(host, "load %s", patch_file("layer_c"));
}

static void layers_of_all_sorts_come_off_in_any_order(void **state)
{
    static const char *const names[] = {"layer-b", "fail:answer", "entry_plain", "layer-c"};
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1}};

    (void)state;
    start("entries");
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        load_four_layers();
        host_expect(host, "answer", "6");
        for (int k = 0; k < 4; k++)
            must_apply(host, "revert name=%s", names[orders[i][k]]);
        host_expect(host, "answer", "1");
    }
    load_four_layers();
    must_apply(host, "revert name=entry_plain");
    host_expect(host, "answer", "202");
    host_expect(host, "answer", "14");
    must_apply(host, "revert name=layer-c");
    host_expect(host, "answer", "101");
    host_expect(host, "answer", "7");
    must_apply(host, "revert name=fail:answer");
    host_expect(host, "answer", "101");
    must_apply(host, "revert name=layer-b");
    host_expect(host, "answer", "1");
    finish();
}

/* The program's word leads past, or to, what the entry leads to. */
static void imports_and_the_entry_of_one_function_switch_apart(void **state)
{
    (void)state;
    if (sanitized())
        skip();
    for (int entry_first = 0; entry_first < 2; entry_first++) {
        static const char *const loads[] = {"load fail=getppid=500 nth=2",
                                            "load fail=libc.so.6:getppid=600"};

        start("entries");
        must_apply(host, "%s", loads[entry_first]);
        must_apply(host, "%s", loads[!entry_first]);
        host_expect(host, "getppid", "600");
        host_expect(host, "getppid", "500");
        host_expect(host, "libc getppid", "600");
        must_apply(host, "revert name=fail:%s", entry_first ? "getppid" : "libc.so.6:getppid");
        if (entry_first)
            host_expect(host, "getppid", "600");
        must_apply(host, "revert all");
        assert_string_not_equal(host_ask(host, "getppid"), "600");
        assert_string_not_equal(host_ask(host, "getppid"), "500");
        finish();
    }
}

/* Found by name when the patch's own code runs already; the libraries come and go meanwhile. */
static void a_hook_adds_an_entry(void **state)
{
    (void)state;
    start("entries");
    assert_string_equal(host_ask(host, "churn %s", built("hosts/libentries.so")), "started");
    for (int i = 0; i < 10; i++) {
        must_apply(host, "load %s", patch_file("hook_agrees"));
        host_expect(host, "second", "20");
        host_expect(host, "exported", "3");
        must_apply(host, "revert all");
        host_expect(host, "exported", "1");
    }
    host_expect(host, "stop-threads", "wrong 0");
    finish();
}

/* Which is seen when the entries are armed already. */
static void a_word_that_the_program_owns_leaves_every_byte_of_entries(void **state)
{
    struct picture before;

    (void)state;
    start("importer");
    host_expect(host, "own-got getenv", "done");
    must_apply(host, "load dry-run=1 fail=own_getenv=0");
    before = picture_take(host->pid);
    assert_string_equal(outcome(host, "begin\nload fail=own_getenv=0\nload %s\ncommit",
                                patch_file("import_getenv")),
                        "HP-HOST-OWNED");
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "own");
    finish();
}

static void a_dry_run_leaves_every_byte(void **state)
{
    struct picture before;

    (void)state;
    start("entries");
    before = picture_take(host->pid);
    must_apply(host, "load dry-run=1 %s", patch_file("answer2"));
    host_expect(host, "answer", "1");
    assert_string_equal(said_of("answer", "armed"), "false");
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    finish();
}

/* ---- padding that two functions need, and one can have ---- */

static const char *both(const char *keys)
{
    return outcome(host, "load %s replace=crowded_one=two replace=crowded_two=three %s", keys,
                   patch_file("entry_plain"));
}

static void refuse_both_and_replace(const char *one, const char *other)
{
    char question[32];

    start("entries");
    assert_string_equal(both("dry-run=1"), "HP-NOT-PATCHABLE");
    assert_string_equal(both(""), "HP-NOT-PATCHABLE");
    must_apply(host, "load dry-run=1 replace=%s=two %s", other, patch_file("entry_plain"));
    snprintf(question, sizeof(question), "shape %s", one);
    there_and_back(one, question, "1", "2");
    assert_string_equal(
        outcome(host, "load dry-run=1 replace=%s=two %s", other, patch_file("entry_plain")),
        "HP-NOT-PATCHABLE");
    assert_string_equal(replace(other, "two"), "HP-NOT-PATCHABLE");
    there_and_back(one, question, "1", "2");
    finish();
}

static void what_is_refused_takes_no_padding_and_a_dry_run_tells(void **state)
{
    (void)state;
    refuse_both_and_replace("crowded_one", "crowded_two");
    refuse_both_and_replace("crowded_two", "crowded_one");
}

static void a_patch_of_the_environment_is_there_before_main(void **state)
{
    char variable[600];

    (void)state;
    snprintf(variable, sizeof(variable), "HOTPATCH_PATCH=%s", patch_file("answer2"));
    host = host_start("entries", (const char *[]){variable, NULL});
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    finish();
}

/* ---- faults ---- */

static void a_fault_strikes_at_every_nth_call_of_a_function(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load fail=answer=7 nth=3");
    for (int i = 1; i <= 7; i++)
        host_expect(host, "answer", i % 3 == 0 ? "7" : "1");
    must_apply(host, "load fail=second=7 times=2");
    host_expect(host, "second", "7");
    host_expect(host, "second", "7");
    host_expect(host, "second", "10");
    finish();
}

static void a_fault_strikes_one_caller_of_a_function(void **state)
{
    (void)state;
    start("entries");
    open_library();
    must_apply(host, "load fail=libentries.so:hidden_answer=7 caller=exe");
    host_expect(host, "call library_direct", "30");
    must_apply(host, "load fail=libentries.so:hidden_answer=7 caller=libentries.so");
    host_expect(host, "call library_direct", "7");
    must_apply(host, "load fail=answer=7 caller=exe");
    host_expect(host, "answer", "7");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_version_takes_the_place_of_another),
        LIVE(slots_of_all_kinds_switch_in_one_transaction),
        LIVE(one_wrong_replacement_leaves_every_byte),
        LIVE(an_entry_that_cannot_be_armed_leaves_every_byte),
        LIVE(an_entry_that_cannot_be_armed_leaves_what_is_applied),
        LIVE(an_entry_that_cannot_be_armed_is_refused_after_hooks_agreed),
        LIVE(entries_switch_at_a_safe_point_with_declared_slots),
        LIVE(a_safe_point_that_does_not_come_leaves_every_byte),
        LIVE(layers_of_all_sorts_come_off_in_any_order),
        LIVE(imports_and_the_entry_of_one_function_switch_apart),
        LIVE(a_hook_adds_an_entry),
        LIVE(a_word_that_the_program_owns_leaves_every_byte_of_entries),
        LIVE(a_dry_run_leaves_every_byte),
        LIVE(what_is_refused_takes_no_padding_and_a_dry_run_tells),
        LIVE(a_patch_of_the_environment_is_there_before_main),
        LIVE(a_fault_strikes_at_every_nth_call_of_a_function),
        LIVE(a_fault_strikes_one_caller_of_a_function),
    };

    return cmocka_run_group_tests_name("entry_transactions", tests, NULL, NULL);
}
