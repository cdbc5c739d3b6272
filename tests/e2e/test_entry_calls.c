/*
 * test_entry_calls.c - what runs through an entry slot: moved prologues of every shape, arguments,
 * recursion, ways out of a function that do not return.
 */
#include "tests/support/entries.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

/* ---- what a replacement can call ---- */

static void layers_come_off_in_any_order(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("layer_a"));
    must_apply(host, "load %s", patch_file("layer_b"));
    must_apply(host, "load %s", patch_file("layer_c"));
    host_expect(host, "answer", "222");
    must_apply(host, "revert name=layer-b");
    host_expect(host, "answer", "22");
    must_apply(host, "revert name=layer-a");
    host_expect(host, "answer", "2");
    must_apply(host, "revert name=layer-c");
    host_expect(host, "answer", "1");
    finish();
}

static void a_replacement_reaches_the_original_by_its_name(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("entry_self"));
    host_expect(host, "exported", "103");
    must_apply(host, "revert all");
    host_expect(host, "exported", "1");
    finish();
}

static void moved_prologues_of_every_shape_work_in(const char *program)
{
    static const char *const shapes[] = {"straddles_word", "straddles_line", "straddles_page",
                                         "reads_near",     "padded",         "calls_first",
                                         "branches",       "short_four"};
    char question[64];

    start(program);
    for (int round = 0; round < 3; round++) {
        must_apply(host, "load %s", patch_file("entry_shapes"));
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
            snprintf(question, sizeof(question), "shape %s", shapes[i]);
            host_expect(host, question, "5");
        }
        must_apply(host, "revert all");
        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
            snprintf(question, sizeof(question), "shape %s", shapes[i]);
            host_expect(host, question, "1");
        }
    }
    finish();
}

static void moved_prologues_of_every_shape_work(void **state)
{
    (void)state;
    moved_prologues_of_every_shape_work_in("entries");
}

static void moved_prologues_work_in_a_program_at_4_mb(void **state)
{
    (void)state;
    moved_prologues_of_every_shape_work_in("entries-nopie");
}

static void moved_prologues_work_behind_endbr64(void **state)
{
    (void)state;
    moved_prologues_of_every_shape_work_in("entries-cet");
}

/* 4 threads go through one of them meanwhile. */
static void of_a_function_shorter_than_a_jump_the_padding_is_displaced(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "threads 4", "started");
    for (int i = 0; i < 5; i++) {
        there_and_back("short_four", "shape short_four", "1", "2");
        must_replace("short_one", "three");
        host_expect(host, "shape short_one", "3");
        must_apply(host, "revert all");
    }
    host_expect(host, "stop-threads", "wrong 0");
    finish();
}

/* Behind the first instruction a short jump leaves it as it was; nowhere does a trap stay. */
static void a_loop_among_the_first_bytes_goes_on_or_the_function_is_refused(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("entry_jumps_back"));
    assert_string_equal(status_of("jumps_back", "technique"), "short");
    host_expect(host, "shape jumps_back", "5");
    must_apply(host, "revert all");
    host_expect(host, "shape jumps_back", "1");
    assert_string_equal(replace("jumps_back_early", "two"), "HP-NOT-PATCHABLE");
    host_expect(host, "shape jumps_back_early", "1");
    finish();
}

static void every_way_to_pass_arguments_works(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("calls"));
    host_expect(host, "sum", "1010");
    host_expect(host, "box", "10 2 Box");
    host_expect(host, "mean", "6");
    host_expect(host, "many", "-110");
    must_apply(host, "revert all");
    host_expect(host, "sum", "10");
    host_expect(host, "box", "2 3 box");
    host_expect(host, "mean", "3");
    host_expect(host, "many", "110");
    finish();
}

static void every_call_of_a_recursion_is_replaced(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "sum-to 4", "10");
    must_apply(host, "load %s", patch_file("entry_recursion"));
    host_expect(host, "sum-to 4", "5010");
    must_apply(host, "revert all");
    host_expect(host, "sum-to 4", "10");
    finish();
}

static void longjmp_leaves_through_a_replacement(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "escape 7", "7");
    must_apply(host, "load %s", patch_file("entry_leave"));
    host_expect(host, "escape 7", "107");
    host_expect(host, "escape 0", "200");
    must_apply(host, "revert all");
    host_expect(host, "escape 7", "7");
    host_expect(host, "escape 0", "0");
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(layers_come_off_in_any_order),
        LIVE(a_replacement_reaches_the_original_by_its_name),
        LIVE(moved_prologues_of_every_shape_work),
        LIVE(moved_prologues_work_in_a_program_at_4_mb),
        LIVE(moved_prologues_work_behind_endbr64),
        LIVE(of_a_function_shorter_than_a_jump_the_padding_is_displaced),
        LIVE(a_loop_among_the_first_bytes_goes_on_or_the_function_is_refused),
        LIVE(every_way_to_pass_arguments_works),
        LIVE(every_call_of_a_recursion_is_replaced),
        LIVE(longjmp_leaves_through_a_replacement),
    };

    return cmocka_run_group_tests_name("entry_calls", tests, NULL, NULL);
}
