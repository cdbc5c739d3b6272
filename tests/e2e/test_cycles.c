/*
 * test_cycles.c - what is loaded when it is live already, and what was reverted and is loaded again.
 *
 * The patch `cycle` answers with four digits: constructors run, hooks before_apply, hooks after_revert,
 * calls.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/entries.h"

static int start_host(void **state)
{
    (void)state;
    start("host");
    return 0;
}

/* Of the process: lines of /proc/PID/maps that name `what`. */
static int mappings_of(const char *what)
{
    char path[64], line[4400];
    int count = 0;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)host->pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file))
        count += strstr(line, what) != NULL;
    fclose(file);
    return count;
}

static int objects_mapped(void)
{
    return mappings_of("/objects/") + mappings_of("memfd:hotpatch");
}

static const char *copy_of(const char *patch, const char *name)
{
    const char *path = host_path(host, name);

    unlink(path);
    copy_file(patch_file(patch), path);
    return path;
}

/* The member of the only module of a reply to `format`. */
static bool said(const char *key, const char *line)
{
    struct reply *reply = request(host, "%s", line);
    json_object *modules, *module;
    bool yes;

    if (strcmp(reply->code, "apply") != 0)
        fail_msg("%s: %s: %s", line, reply->code, reply->text);
    modules = member(reply->json, "modules");
    assert_int_equal(json_object_array_length(modules), 1);
    module = json_object_array_get_idx(modules, 0);
    yes = json_object_get_boolean(member(module, key));
    reply_free(reply);
    return yes;
}

static bool load_said(const char *key, const char *path)
{
    char line[512];

    snprintf(line, sizeof(line), "load %s", path);
    return said(key, line);
}

static bool status_says_reused(const char *name)
{
    struct reply *reply = request(host, "status");
    json_object *modules = member(reply->json, "status.modules");
    bool reused = false;

    for (size_t i = 0; i < json_object_array_length(modules); i++) {
        json_object *module = json_object_array_get_idx(modules, i);
        if (strcmp(member_text(module, "name"), name) == 0)
            reused = json_object_get_boolean(member(module, "reused"));
    }
    reply_free(reply);
    return reused;
}

/* ---- live already ---- */

static void what_is_live_is_unchanged(void **state)
{
    (void)state;
    assert_false(load_said("unchanged", patch_file("cycle")));
    host_expect(host, "answer", "1101");
    int before = objects_mapped();
    assert_true(load_said("unchanged", patch_file("cycle")));
    assert_int_equal(objects_mapped(), before);
    host_expect(host, "answer", "1102");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    assert_string_equal(outcome(host, "revert last"), "HP-NO-LAYER");
}

static void the_command_and_the_history_say_unchanged(void **state)
{
    char pid[16];

    (void)state;
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    must_apply(host, "load %s", patch_file("cycle"));
    struct output *output = hotpatch(host, "load", pid, patch_file("cycle"), NULL);
    assert_int_equal(output->status, 0);
    assert_non_null(strstr(output->out, "unchanged cycle 1 in PID"));
    output_free(output);
    output = hotpatch(host, "status", "--history", pid, NULL);
    assert_non_null(strstr(output->out, "unchanged"));
    output_free(output);
}

static void an_unchanged_layer_stays_below_what_lies_on_it(void **state)
{
    (void)state;
    must_apply(host, "load %s", patch_file("layer_a"));
    must_apply(host, "load %s", patch_file("layer_b"));
    char answer[64];
    snprintf(answer, sizeof(answer), "%s", host_ask(host, "answer"));
    assert_true(load_said("unchanged", patch_file("layer_a")));
    host_expect(host, "answer", answer);
    must_apply(host, "revert last");
    host_expect(host, "answer", "11");
}

static void a_dry_run_says_unchanged_too(void **state)
{
    (void)state;
    must_apply(host, "load %s", patch_file("cycle"));
    char line[512];
    snprintf(line, sizeof(line), "load dry-run=1 %s", patch_file("cycle"));
    assert_true(said("unchanged", line));
}

static void a_file_that_was_only_touched_is_unchanged(void **state)
{
    (void)state;
    const char *path = copy_of("cycle", "touched.so");
    struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};
    must_apply(host, "load %s", path);
    host_expect(host, "answer", "1101");
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_true(said("unchanged", "reload"));
    struct reply *reply = request(host, "reload"); /* the new time is known now */
    assert_int_equal(json_object_array_length(member(reply->json, "modules")), 0);
    reply_free(reply);
    host_expect(host, "answer", "1102");
}

/* Another name of the file: the next reload looks there. */
static void an_unchanged_module_goes_on_with_the_file_that_was_named_last(void **state)
{
    (void)state;
    must_apply(host, "load %s", copy_of("answer2", "one.so"));
    assert_true(load_said("unchanged", copy_of("answer2", "two.so")));
    copy_of("answer3", "two.so");
    must_apply(host, "reload");
    host_expect(host, "answer", "3");
}

static void what_was_applied_at_the_start_is_unchanged(void **state)
{
    char variable[512];
    const char *environment[] = {variable, NULL};

    (void)state;
    finish();
    snprintf(variable, sizeof(variable), "HOTPATCH_PATCH=%s", patch_file("cycle"));
    host = host_start("host", environment);
    host_expect(host, "answer", "1101");
    assert_true(load_said("unchanged", patch_file("cycle")));
    must_apply(host, "reload");
    host_expect(host, "answer", "1102");
    must_apply(host, "revert all");
    assert_true(load_said("reused", patch_file("cycle")));
    host_expect(host, "answer", "1213");
}

static void with_other_replacements_it_is_not_unchanged(void **state)
{
    (void)state;
    must_apply(host, "load replace=answer=two %s", patch_file("entry_plain"));
    host_expect(host, "answer", "2");
    must_apply(host, "load replace=second=two %s", patch_file("entry_plain"));
    host_expect(host, "answer", "1");
    host_expect(host, "second", "2");
}

static void unchanged_and_new_modules_are_one_transaction(void **state)
{
    (void)state;
    must_apply(host, "load %s", patch_file("cycle"));
    must_apply(host, "begin\nload %s\nload %s\ncommit", patch_file("cycle"), patch_file("layer_a"));
    host_expect(host, "answer", "1111"); /* 1101 + 10 */
    assert_string_equal(outcome(host, "begin\nload %s\nload %s\ncommit", patch_file("cycle"),
                                patch_file("hook_refuses")),
                        "HP-HOOK");
    host_expect(host, "answer", "1112");
}

/* ---- reverted, and loaded again ---- */

static void a_module_loaded_again_goes_on_with_its_data(void **state)
{
    (void)state;
    must_apply(host, "load %s", patch_file("cycle"));
    host_expect(host, "answer", "1101");
    host_expect(host, "answer", "1102");
    int before = objects_mapped();
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    assert_true(load_said("reused", patch_file("cycle")));
    host_expect(host, "answer", "1213");
    assert_int_equal(objects_mapped(), before);
    assert_true(status_says_reused("cycle"));
    must_apply(host, "revert name=cycle");
    host_expect(host, "answer", "1");
    host_expect(host, "second", "10");
}

static void files_that_alternate_are_reused_in_turn(void **state)
{
    (void)state;
    const char *path = host_path(host, "turn.so");
    int mapped = 0;
    for (int i = 0; i < 10; i++) {
        copy_of(i % 2 ? "answer3" : "cycle", "turn.so");
        assert_true(load_said("reused", path) == (i > 1));
        if (i % 2)
            host_expect(host, "answer", "3");
        must_apply(host, "revert all");
        if (i == 1)
            mapped = objects_mapped();
    }
    assert_int_equal(objects_mapped(), mapped);
}

static void versions_that_alternate_by_reload_are_reused_in_turn(void **state)
{
    (void)state;
    int mapped = 0;
    must_apply(host, "load %s", copy_of("answer2", "version.so"));
    for (int i = 0; i < 10; i++) {
        copy_of(i % 2 ? "answer2" : "answer3", "version.so");
        must_apply(host, "reload");
        host_expect(host, "answer", i % 2 ? "2" : "3");
        if (i == 0)
            mapped = objects_mapped();
    }
    assert_int_equal(objects_mapped(), mapped);
}

static void reverted_and_loaded_in_one_transaction_it_takes_two_mappings(void **state)
{
    (void)state;
    int mapped = 0;
    must_apply(host, "load %s", patch_file("cycle"));
    for (int i = 0; i < 10; i++) {
        must_apply(host, "begin\nrevert all\nload %s\ncommit", patch_file("cycle"));
        assert_int_not_equal(atoi(host_ask(host, "answer")), 1);
        if (i == 0)
            mapped = objects_mapped();
    }
    assert_int_equal(objects_mapped(), mapped);
}

/* second: 10 below, +1 by cycle, 20 whatever lies below by `second`. */
static void the_original_of_a_reused_module_is_what_lies_below_it_now(void **state)
{
    (void)state;
    must_apply(host, "load %s", patch_file("second"));
    must_apply(host, "load %s", patch_file("cycle"));
    host_expect(host, "second", "21");
    must_apply(host, "revert all");
    must_apply(host, "load %s", patch_file("cycle"));
    host_expect(host, "second", "11");
    must_apply(host, "load %s", patch_file("second"));
    host_expect(host, "second", "20");
    must_apply(host, "revert name=second");
    host_expect(host, "second", "11");
}

/* From below it to above it: nobody is in it, so it is reused all the same. */
static void a_module_nobody_is_in_is_reused_with_another_original(void **state)
{
    (void)state;
    must_apply(host, "load %s", patch_file("layer_a"));
    must_apply(host, "load %s", patch_file("layer_b"));
    char both[64];
    snprintf(both, sizeof(both), "%s", host_ask(host, "answer"));
    must_apply(host, "revert name=layer-a");
    assert_true(load_said("reused", patch_file("layer_a")));
    host_ask(host, "answer");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    must_apply(host, "load %s", patch_file("layer_a"));
    must_apply(host, "load %s", patch_file("layer_b"));
    host_expect(host, "answer", both);
}

static void a_refused_load_of_a_reverted_module_leaves_it_for_the_next(void **state)
{
    (void)state;
    must_apply(host, "load %s", patch_file("cycle"));
    for (int i = 0; i < 5; i++)
        host_ask(host, "answer");
    must_apply(host, "revert all");
    int mapped = objects_mapped();
    assert_string_equal(outcome(host, "load %s", patch_file("cycle")), "HP-HOOK");
    host_expect(host, "answer", "1");
    assert_string_equal(outcome(host, "begin\nload %s\nload %s\ncommit", patch_file("cycle"),
                                patch_file("undefined")),
                        "HP-UNDEFINED");
    host_expect(host, "answer", "1");
    assert_true(load_said("reused", patch_file("cycle")));
    host_expect(host, "answer", "1217");
    assert_int_equal(objects_mapped(), mapped);
}

static void slots_that_a_reused_module_declares_are_as_in_its_file(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        must_apply(host, "load %s", patch_file("own_slots"));
        host_expect(host, "answer", "60");
        must_apply(host, "load %s", patch_file("own_slots_fix"));
        host_expect(host, "answer", "61");
        must_apply(host, i == 1 ? "revert all" : "revert name=own-slots-fix");
        if (i != 1) {
            host_expect(host, "answer", "60");
            must_apply(host, "revert name=own-slots");
        }
        host_expect(host, "answer", "1");
    }
    assert_true(load_said("reused", patch_file("own_slots")));
    host_expect(host, "answer", "60");
}

/* Nothing shows where a running thread is: the mapping is known to be right without a look at the threads. */
static void a_module_that_replaces_its_own_slot_is_reused_at_once(void **state)
{
    int mapped = 0;

    (void)state;
    host_expect(host, "threads 2", "started");
    for (int i = 0; i < 20; i++) {
        assert_true(load_said("reused", patch_file("untyped_declares")) == (i > 0));
        host_expect(host, "untyped-made patch.untyped", "2 105");
        must_apply(host, "revert all");
        if (i == 0)
            mapped = objects_mapped();
    }
    assert_int_equal(objects_mapped(), mapped);
    host_expect(host, "stop-threads", "wrong 0");
}

static void a_slot_that_nobody_fills_any_more_is_empty_when_its_module_is_reused(void **state)
{
    (void)state;
    must_apply(host, "load %s", patch_file("provider"));
    must_apply(host, "load %s", patch_file("requirer"));
    host_expect(host, "answer", "507");
    must_apply(host, "revert all");
    assert_true(load_said("reused", patch_file("requirer")));
    host_expect(host, "answer", "500");
    assert_true(load_said("reused", patch_file("provider")));
    host_expect(host, "answer", "507");
}

static void what_a_hook_added_is_added_again(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(load_said("reused", patch_file("hook_adds")) == (i > 0));
        host_expect(host, "second", "30");
        must_apply(host, "revert all");
        host_expect(host, "second", "10");
    }
}

static void one_content_under_two_names_is_two_modules(void **state)
{
    (void)state;
    char line[512];
    must_apply(host, "load replace=answer=two %s", copy_of("entry_plain", "a.so"));
    snprintf(line, sizeof(line), "load replace=second=two %s", copy_of("entry_plain", "b.so"));
    assert_false(said("unchanged", line));
    host_expect(host, "answer", "2");
    host_expect(host, "second", "2");
    int mapped = objects_mapped();
    must_apply(host, "revert all");
    must_apply(host, "load replace=second=two %s", host_path(host, "a.so"));
    must_apply(host, "load replace=answer=two %s", host_path(host, "b.so"));
    host_expect(host, "answer", "2");
    host_expect(host, "second", "2");
    assert_int_equal(objects_mapped(), mapped);
}

static void a_child_reuses_what_its_parent_reverted(void **state)
{
    (void)state;
    must_apply(host, "load %s", patch_file("cycle"));
    host_expect(host, "answer", "1101");
    must_apply(host, "revert all");
    host_become(host, "fork");
    assert_true(load_said("reused", patch_file("cycle")));
    host_expect(host, "answer", "1212");
}

static void names_are_looked_up_anew_for_a_reused_module(void **state)
{
    (void)state;
    must_apply(host, "load replace=answer=two %s", patch_file("entry_plain"));
    must_apply(host, "revert all");
    must_apply(host, "load replace=second=two %s", patch_file("entry_plain"));
    host_expect(host, "answer", "1");
    host_expect(host, "second", "2");
    assert_true(status_says_reused("entry_plain"));
}

/* `self` calls what it replaces by its name, `below` what lies below it. */
static void imports_of_a_reused_module_are_its_own(void **state)
{
    char question[300];

    (void)state;
    finish();
    start("importer");
    file_write(host_path(host, "file"), "", 0, 0600);
    snprintf(question, sizeof(question), "rename %s", host_path(host, "file"));
    for (int i = 0; i < 3; i++) {
        host_expect(host, question, "0 0");
        assert_true(load_said("reused", patch_file("import_self")) == (i > 0));
        host_expect(host, question, "100 0");
        must_apply(host, "revert all");
        host_expect(host, question, "0 0");
        must_apply(host, "load %s", patch_file("import_below"));
        host_expect(host, question, "1000 0");
        assert_true(load_said("reused", patch_file("import_self")));
        host_expect(host, question, "100 0");
        must_apply(host, "revert name=below");
        host_expect(host, question, "100 0");
        must_apply(host, "revert all");
    }
}

#define CYCLE_TEST(name) cmocka_unit_test_setup_teardown(name, start_host, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CYCLE_TEST(what_is_live_is_unchanged),
        CYCLE_TEST(the_command_and_the_history_say_unchanged),
        CYCLE_TEST(an_unchanged_layer_stays_below_what_lies_on_it),
        CYCLE_TEST(a_dry_run_says_unchanged_too),
        CYCLE_TEST(a_file_that_was_only_touched_is_unchanged),
        CYCLE_TEST(an_unchanged_module_goes_on_with_the_file_that_was_named_last),
        CYCLE_TEST(what_was_applied_at_the_start_is_unchanged),
        CYCLE_TEST(with_other_replacements_it_is_not_unchanged),
        CYCLE_TEST(unchanged_and_new_modules_are_one_transaction),
        CYCLE_TEST(a_module_loaded_again_goes_on_with_its_data),
        CYCLE_TEST(files_that_alternate_are_reused_in_turn),
        CYCLE_TEST(versions_that_alternate_by_reload_are_reused_in_turn),
        CYCLE_TEST(reverted_and_loaded_in_one_transaction_it_takes_two_mappings),
        CYCLE_TEST(the_original_of_a_reused_module_is_what_lies_below_it_now),
        CYCLE_TEST(a_module_nobody_is_in_is_reused_with_another_original),
        CYCLE_TEST(a_refused_load_of_a_reverted_module_leaves_it_for_the_next),
        CYCLE_TEST(slots_that_a_reused_module_declares_are_as_in_its_file),
        CYCLE_TEST(a_module_that_replaces_its_own_slot_is_reused_at_once),
        CYCLE_TEST(a_slot_that_nobody_fills_any_more_is_empty_when_its_module_is_reused),
        CYCLE_TEST(what_a_hook_added_is_added_again),
        CYCLE_TEST(one_content_under_two_names_is_two_modules),
        CYCLE_TEST(a_child_reuses_what_its_parent_reverted),
        CYCLE_TEST(names_are_looked_up_anew_for_a_reused_module),
        CYCLE_TEST(imports_of_a_reused_module_are_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
