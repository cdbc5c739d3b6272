/*
 * test_untyped.c - the ABI of hotpatch-rs on slots that a program, in C or in C++, registers at run time:
 * stacked, reverted in any order, reloaded; and that `check` judges as `load` does.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/entries.h"

#define MADE "untyped-made made.untyped"

static const char *program;

static void start_registered(void)
{
    start(program);
    host_expect(host, "register-untyped made.untyped", "0");
    host_expect(host, MADE, "0 105");
}

static void layers_of_both_kinds_are_reverted_in_any_order(void **state)
{
    (void)state;
    start_registered();
    must_apply(host, "load %s", patch_file("untyped_made"));
    host_expect(host, MADE, "7 500");
    must_apply(host, "load %s", patch_file("untyped_over"));
    host_expect(host, MADE, "17 1500");
    must_apply(host, "load %s", patch_file("untyped_by_typed"));
    host_expect(host, MADE, "47 1500");
    must_apply(host, "revert name=untyped-made");
    host_expect(host, MADE, "40 1105");
    must_apply(host, "revert name=untyped-over");
    host_expect(host, MADE, "30 105");
    must_apply(host, "revert last");
    host_expect(host, MADE, "0 105");
    finish();
}

static void a_rebuilt_untyped_patch_is_reloaded(void **state)
{
    const char *path;

    (void)state;
    start_registered();
    path = host_path(host, "fix.so");
    copy_file(patch_file("untyped_made"), path);
    must_apply(host, "load %s", path);
    must_apply(host, "load %s", patch_file("untyped_over"));
    host_expect(host, MADE, "17 1500");
    unlink(path);
    copy_file(patch_file("untyped_made_again"), path);
    must_apply(host, "reload");
    host_expect(host, MADE, "18 1095"); /* in its place, below the other */
    must_apply(host, "revert all");
    host_expect(host, MADE, "0 105");
    must_apply(host, "load %s", path);
    host_expect(host, MADE, "8 95");
    finish();
}

static void a_registered_untyped_slot_is_listed_as_untyped(void **state)
{
    struct reply *reply;

    (void)state;
    start_registered();
    reply = request(host, "slots kind=declared");
    assert_string_equal(
        member_text(slot_named(member(reply->json, "slots"), "made.untyped"), "type"), "untyped");
    assert_string_equal(member_text(slot_named(member(reply->json, "slots"), "answer"), "type"),
                        "function");
    reply_free(reply);
    finish();
}

static void a_child_calls_what_its_parent_applied(void **state)
{
    (void)state;
    start_registered();
    must_apply(host, "load %s", patch_file("untyped_made"));
    host_become(host, "fork");
    host_expect(host, MADE, "7 500");
    must_apply(host, "revert all");
    host_expect(host, MADE, "0 105");
    finish();
}

/* The new version's layer lies on the new version's slot. */
static void a_patch_that_replaces_its_own_slot_is_reloaded(void **state)
{
    const char *path;

    (void)state;
    start_registered();
    path = host_path(host, "own.so");
    copy_file(patch_file("untyped_declares"), path);
    must_apply(host, "load %s", path);
    host_expect(host, "untyped-made patch.untyped", "2 105");
    unlink(path);
    copy_file(patch_file("untyped_declares_again"), path);
    must_apply(host, "reload");
    must_apply(host, "load %s", path); /* unchanged */
    must_apply(host, "revert all");
    must_apply(host, "load %s", path);
    must_apply(host, "revert all");
    finish();
}

/* ---- check and load agree ---- */

static const char *code_of(const struct output *output)
{
    static char code[64];
    const char *at = strstr(output->error, "HP-");

    if (output->status == 0)
        return "apply";
    assert_non_null(at);
    snprintf(code, sizeof(code), "%.*s", (int)strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-"), at);
    return code;
}

static void check_says_what_load_does(void **state)
{
    static const char *const patches[] = {
        "untyped",           "untyped_wrong_type", "untyped_for_typed",     "untyped_for_data",
        "untyped_for_entry", "untyped_declares",   "untyped_typed_declared"};
    char file[300];

    (void)state;
    start_registered();
    snprintf(file, sizeof(file), "%s", built("hosts/%s", program));
    for (size_t i = 0; i < sizeof(patches) / sizeof(*patches); i++) {
        const char *loaded = outcome(host, "load %s", patch_file(patches[i]));
        struct output *output = hotpatch(host, "check", file, patch_file(patches[i]), NULL);

        if (strcmp(code_of(output), loaded) != 0)
            fail_msg("%s: check says %s, load %s", patches[i], code_of(output), loaded);
        output_free(output);
    }
    finish();
}

static int run(const char *name)
{
    const struct CMUnitTest tests[] = {
        LIVE(layers_of_both_kinds_are_reverted_in_any_order),
        LIVE(a_rebuilt_untyped_patch_is_reloaded),
        LIVE(a_registered_untyped_slot_is_listed_as_untyped),
        LIVE(a_child_calls_what_its_parent_applied),
        LIVE(a_patch_that_replaces_its_own_slot_is_reloaded),
        LIVE(check_says_what_load_does),
    };

    program = name;
    return _cmocka_run_group_tests(name, tests, sizeof(tests) / sizeof(*tests), NULL, NULL);
}

int main(void)
{
    return run("host") + run("host-cxx");
}
