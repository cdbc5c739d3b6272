/*
 * test_engine.c - transactions, layers and modules of the engine in this very process, behind a
 * shim that runs the worker's jobs at once.
 */
#include "tests/support/harness.h"
#include "tests/support/in_process.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hotpatch.h>

#include "loader/engine.h"

/* ---- what is patched ---- */

HOTPATCH_FUNCTION(int, answer, (void))
{
    return 1;
}

HOTPATCH_FUNCTION(int, second, (void))
{
    return 10;
}

HOTPATCH_REQUIRE(int, extra, (int));

/* After every test all is as it was. */
static int revert_everything(void **state)
{
    (void)state;
    in_process.worker_busy = false;
    in_process.at_safe_point_comes = false;
    if (strcmp(in_process_run("revert all"), "apply") != 0 || answer() != 1 || second() != 10)
        return -1;
    return 0;
}

/* ---- tests ---- */

static void a_replacement_is_live_and_its_revert_brings_the_old_code_back(void **state)
{
    (void)state;
    must_load("answer2");
    assert_int_equal(answer(), 2);
    assert_codes(in_process_run("revert name=answer"), "apply");
    assert_int_equal(answer(), 1);
}

static void a_module_of_a_live_name_takes_its_place_in_the_stack(void **state)
{
    (void)state;
    must_load("answer2");
    must_load("layer_a");
    assert_int_equal(answer(), 12);
    must_load("answer3");
    assert_int_equal(answer(), 13);
    assert_codes(in_process_run("revert name=layer-a"), "apply");
    assert_int_equal(answer(), 3);
}

static void layers_are_reverted_in_any_order(void **state)
{
    static const char *const orders[][3] = {
        {"layer-a", "layer-b", "layer-c"}, {"layer-a", "layer-c", "layer-b"},
        {"layer-b", "layer-a", "layer-c"}, {"layer-b", "layer-c", "layer-a"},
        {"layer-c", "layer-a", "layer-b"}, {"layer-c", "layer-b", "layer-a"}};

    (void)state;
    for (size_t i = 0; i < 6; i++) {
        bool a = true, b = true, c = true;

        must_load("layer_a");
        must_load("layer_b");
        must_load("layer_c");
        for (size_t k = 0; k <= 3; k++) {
            char line[64];

            assert_int_equal(answer(), (1 + 10 * a + 100 * b) * (c ? 2 : 1));
            if (k == 3)
                break;
            snprintf(line, sizeof(line), "revert name=%s", orders[i][k]);
            assert_codes(in_process_run(line), "apply");
            a = a && strcmp(orders[i][k], "layer-a") != 0;
            b = b && strcmp(orders[i][k], "layer-b") != 0;
            c = c && strcmp(orders[i][k], "layer-c") != 0;
        }
    }
}

static void a_transaction_is_applied_whole_or_not_at_all(void **state)
{
    char lines[4096];

    (void)state;
    snprintf(lines, sizeof(lines), "load %s\nload %s", patch_file("answer2"),
             patch_file("no_target"));
    assert_codes(in_process_run(lines), "HP-NO-TARGET");
    assert_int_equal(answer(), 1);
    snprintf(lines, sizeof(lines), "load %s\nload %s", patch_file("answer2"), patch_file("second"));
    assert_codes(in_process_run(lines), "apply");
    assert_int_equal(answer(), 2);
    assert_int_equal(second(), 20);
}

static void revert_all_and_load_are_one_step(void **state)
{
    char lines[4096];

    (void)state;
    must_load("layer_a");
    must_load("second");
    snprintf(lines, sizeof(lines), "revert all\nload %s", patch_file("answer3"));
    assert_codes(in_process_run(lines), "apply");
    assert_int_equal(answer(), 3);
    assert_int_equal(second(), 10);
}

static void a_refused_load_leaves_what_revert_all_would_have_taken(void **state)
{
    char lines[4096];

    (void)state;
    must_load("layer_a");
    snprintf(lines, sizeof(lines), "revert all\nload %s", patch_file("bad_signature"));
    assert_codes(in_process_run(lines), "HP-SIGNATURE");
    assert_int_equal(answer(), 11);
}

static void two_modules_of_one_name_in_one_transaction_clash(void **state)
{
    char lines[4096];

    (void)state;
    snprintf(lines, sizeof(lines), "load %s\nload %s", patch_file("answer2"),
             patch_file("answer3"));
    assert_codes(in_process_run(lines), "HP-NAME-CLASH");
    assert_int_equal(answer(), 1);
    assert_codes(in_process_load("", "twice"), "HP-NAME-CLASH");
    assert_int_equal(answer(), 1);
}

static void every_fault_is_listed(void **state)
{
    char lines[4096];

    (void)state;
    snprintf(lines, sizeof(lines), "load %s\nload %s\nload %s", patch_file("bad_signature"),
             patch_file("no_target"), patch_file("undefined"));
    in_process_run(lines);
    assert_non_null(strstr(in_process.reply, "HP-SIGNATURE"));
    assert_non_null(strstr(in_process.reply, "HP-NO-TARGET"));
    assert_non_null(strstr(in_process.reply, "HP-UNDEFINED"));
}

static void a_dry_run_changes_nothing_and_loads_nothing(void **state)
{
    (void)state;
    assert_codes(in_process_load("dry-run=1", "answer2"), "apply");
    assert_int_equal(answer(), 1);
    assert_codes(in_process_run("revert name=answer"), "HP-NO-LAYER");
}

static void a_hook_that_refuses_leaves_nothing_behind(void **state)
{
    (void)state;
    assert_codes(in_process_load("", "hook_refuses"), "HP-HOOK");
    assert_int_equal(answer(), 1);
    assert_codes(in_process_run("revert name=hook-refuses"), "HP-NO-LAYER");
}

static void a_hook_adds_replacements_to_its_transaction(void **state)
{
    (void)state;
    must_load("hook_adds");
    assert_int_equal(answer(), 3);
    assert_int_equal(second(), 30);
    assert_codes(in_process_run("revert last"), "apply");
    assert_int_equal(second(), 10);
}

static void a_hook_that_refuses_to_be_reverted_stays(void **state)
{
    (void)state;
    must_load("answer2");
    assert_codes(in_process_run("revert name=nobody"), "HP-NO-LAYER");
    assert_int_equal(answer(), 2);
}

static void a_provider_fills_a_required_slot_and_its_revert_empties_it(void **state)
{
    uint64_t unfilled = HOTPATCH_SLOT(extra)->unfilled;

    (void)state;
    assert_false(HOTPATCH_BOUND(extra));
    assert_int_equal(extra(3), 0);
    assert_int_equal(HOTPATCH_SLOT(extra)->unfilled, unfilled + 1);
    must_load("provider");
    assert_true(HOTPATCH_BOUND(extra));
    assert_int_equal(extra(3), 21);
    assert_codes(in_process_run("revert name=provider"), "apply");
    assert_false(HOTPATCH_BOUND(extra));
    assert_int_equal(extra(3), 0);
}

static void a_patch_that_requires_may_come_before_its_provider_or_after(void **state)
{
    (void)state;
    must_load("requirer");
    assert_int_equal(answer(), 500);
    must_load("provider");
    assert_int_equal(answer(), 507);
    assert_codes(in_process_run("revert all"), "apply");
    must_load("provider");
    must_load("requirer");
    assert_int_equal(answer(), 507);
}

static void a_patchs_own_slot_is_patched_in_turn(void **state)
{
    (void)state;
    must_load("own_slots");
    assert_int_equal(answer(), 60);
    must_load("own_slots_fix");
    assert_int_equal(answer(), 61);
    must_load("own_slots"); /* a new copy: the layer on its slot goes with it */
    assert_int_equal(answer(), 61);
    assert_codes(in_process_run("revert name=own-slots-fix"), "apply");
    assert_int_equal(answer(), 60);
}

static void reverting_the_owner_of_a_patched_slot_first_is_survived(void **state)
{
    (void)state;
    must_load("own_slots");
    must_load("own_slots_fix");
    assert_codes(in_process_run("revert name=own-slots"), "apply");
    assert_int_equal(answer(), 1);
    assert_codes(in_process_run("revert name=own-slots-fix"), "apply");
    must_load("own_slots");
    assert_int_equal(answer(), 60);
}

static void the_version_rises_only_when_the_target_changed(void **state)
{
    uint32_t before = hotpatch_version(HOTPATCH_SLOT(answer));

    (void)state;
    must_load("second");
    assert_int_equal(hotpatch_version(HOTPATCH_SLOT(answer)), before);
    must_load("answer2");
    assert_int_equal(hotpatch_version(HOTPATCH_SLOT(answer)), before + 1);
    must_load("layer_a");
    assert_codes(in_process_run("revert name=answer"), "apply"); /* below the live one */
    assert_int_equal(hotpatch_version(HOTPATCH_SLOT(answer)), before + 2);
}

static void an_expired_deadline_changes_nothing(void **state)
{
    (void)state;
    assert_codes(in_process_load("deadline=1", "answer2"), "HP-DEADLINE");
    assert_int_equal(answer(), 1);
}

static void without_a_safe_point_the_request_times_out(void **state)
{
    (void)state;
    assert_codes(in_process_load("when=safe-point", "answer2"), "HP-TIMEOUT");
    assert_int_equal(answer(), 1);
    in_process.at_safe_point_comes = true;
    assert_codes(in_process_load("when=safe-point", "answer2"), "apply");
    assert_int_equal(answer(), 2);
}

static void a_busy_worker_refuses_and_changes_nothing(void **state)
{
    (void)state;
    in_process.worker_busy = true;
    /* A patch that no test has loaded before: a reused one needs no worker. */
    assert_codes(in_process_load("", "answer4"), "HP-BUSY");
    in_process.worker_busy = false;
    assert_int_equal(answer(), 1);
    must_load("answer2");
    assert_int_equal(answer(), 2);
}

static int set_to_77(void)
{
    return 77;
}

static void what_the_program_sets_is_a_layer_like_others(void **state)
{
    struct hotpatch_slot *slot = HOTPATCH_SLOT(answer);
    int context;

    (void)state;
    must_load("answer2");
    assert_int_equal(
        hotpatch_engine_v1.set(slot, (hotpatch_function)(void (*)(void))set_to_77, &context), 0);
    assert_int_equal(answer(), 77);
    assert_ptr_equal(slot->context, &context);
    must_load("layer_a");
    assert_int_equal(answer(), 87);
    assert_int_equal(hotpatch_engine_v1.set(slot, NULL, NULL), 0);
    assert_int_equal(answer(), 12);
    assert_int_equal(hotpatch_engine_v1.set((struct hotpatch_slot *)(void *)in_process.directory,
                                            (hotpatch_function)(void (*)(void))set_to_77, NULL),
                     -ENOENT);
}

static void change_handlers_run_after_each_transaction(void **state)
{
    int before = in_process.handled;

    (void)state;
    must_load("answer2");
    assert_int_equal(in_process.handled, before + 1);
    assert_codes(in_process_load("", "bad_signature"), "HP-SIGNATURE");
    assert_int_equal(in_process.handled, before + 1);
}

static void lookups_know_namespaces(void **state)
{
    (void)state;
    assert_ptr_equal(hotpatch_engine_v1.lookup(NULL, "answer"), HOTPATCH_SLOT(answer));
    assert_ptr_equal(hotpatch_engine_v1.lookup("test_engine", "answer"), HOTPATCH_SLOT(answer));
    assert_null(hotpatch_engine_v1.lookup("other", "answer"));
    assert_null(hotpatch_engine_v1.lookup(NULL, "nobody"));
}

static void a_reload_takes_changed_files_alone(void **state)
{
    char copy[128], line[256];

    (void)state;
    snprintf(copy, sizeof(copy), "%s/reload.so", in_process.directory);
    copy_file(patch_file("answer2"), copy);
    snprintf(line, sizeof(line), "load %s", copy);
    assert_codes(in_process_run(line), "apply");
    assert_codes(in_process_run("reload"), "apply");
    assert_non_null(strstr(in_process.reply, "no patch's file has changed"));
    copy_file(patch_file("answer3"), copy);
    assert_int_equal(answer(), 2); /* written over in place: the host has its own copy */
    assert_codes(in_process_run("reload"), "apply");
    assert_int_equal(answer(), 3);
}

static void an_import_is_switched_and_given_back(void **state)
{
    (void)state;
    setenv("HOTPATCH_TEST_VALUE", "original", 1);
    assert_string_equal(getenv("HOTPATCH_TEST_VALUE"), "original");
    must_load("import_getenv");
    assert_string_equal(getenv("HOTPATCH_TEST_VALUE"), "patched");
    assert_string_equal(getenv("HOME"), secure_getenv("HOME")); /* through the original */
    assert_codes(in_process_run("revert name=environment"), "apply");
    assert_string_equal(getenv("HOTPATCH_TEST_VALUE"), "original");
}

static void a_library_that_is_unloaded_takes_its_slots_along(void **state)
{
    void *library = dlopen(built("hosts/libslots.so"), RTLD_NOW | RTLD_LOCAL);

    (void)state;
    assert_non_null(library);
    assert_codes(in_process_load("", "second"), "HP-AMBIGUOUS");
    assert_codes(in_process_load("", "library_value"), "apply");
    dlclose(library);
    must_load("second");
    assert_int_equal(second(), 20);
    assert_codes(in_process_run("revert name=second"), "apply");
}

#define TEST(function) cmocka_unit_test_teardown(function, revert_everything)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_replacement_is_live_and_its_revert_brings_the_old_code_back),
        TEST(a_module_of_a_live_name_takes_its_place_in_the_stack),
        TEST(layers_are_reverted_in_any_order),
        TEST(a_transaction_is_applied_whole_or_not_at_all),
        TEST(revert_all_and_load_are_one_step),
        TEST(a_refused_load_leaves_what_revert_all_would_have_taken),
        TEST(two_modules_of_one_name_in_one_transaction_clash),
        TEST(every_fault_is_listed),
        TEST(a_dry_run_changes_nothing_and_loads_nothing),
        TEST(a_hook_that_refuses_leaves_nothing_behind),
        TEST(a_hook_adds_replacements_to_its_transaction),
        TEST(a_hook_that_refuses_to_be_reverted_stays),
        TEST(a_provider_fills_a_required_slot_and_its_revert_empties_it),
        TEST(a_patch_that_requires_may_come_before_its_provider_or_after),
        TEST(a_patchs_own_slot_is_patched_in_turn),
        TEST(reverting_the_owner_of_a_patched_slot_first_is_survived),
        TEST(the_version_rises_only_when_the_target_changed),
        TEST(an_expired_deadline_changes_nothing),
        TEST(without_a_safe_point_the_request_times_out),
        TEST(a_busy_worker_refuses_and_changes_nothing),
        TEST(what_the_program_sets_is_a_layer_like_others),
        TEST(change_handlers_run_after_each_transaction),
        TEST(lookups_know_namespaces),
        TEST(a_reload_takes_changed_files_alone),
        TEST(an_import_is_switched_and_given_back),
        TEST(a_library_that_is_unloaded_takes_its_slots_along),
    };

    return cmocka_run_group_tests(tests, in_process_setup, in_process_teardown);
}
