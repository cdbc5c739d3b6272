/*
 * test_entries.c - entry slots of live processes: functions that nobody declared, found by name and by
 * place, replaced and brought back, what cannot be patched, and what is told of them.
 */
#include "entries.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names and places ---- */

static void an_exported_function_is_replaced_by_name(void **state)
{
    (void)state;
    start("entries");
    there_and_back("exported_answer", "exported", "1", "2");
    assert_string_equal(said_of("exported_answer", "armed"), "true");
    finish();
}

static void a_static_function_is_replaced_by_name(void **state)
{
    (void)state;
    start("entries");
    there_and_back("answer", "answer", "1", "2");
    there_and_back("exe:answer", "pointer", "1", "2");
    finish();
}

static void a_file_picks_one_of_two_statics(void **state)
{
    (void)state;
    start("entries");
    there_and_back("twin@entries.c", "twins", "10 20", "2 20");
    there_and_back("exe:twin@entries_twin.c", "twins", "10 20", "10 2");
    assert_string_equal(replace("twin@entries_third.c", "two"), "HP-NO-TARGET");
    finish();
}

static void statics_of_one_name_are_ambiguous_and_listed(void **state)
{
    (void)state;
    start("entries");
    struct reply *reply = request(host, "load replace=twin=two %s", patch_file("entry_plain"));

    assert_string_equal(reply->code, "HP-AMBIGUOUS");
    assert_non_null(strstr(reply->text, "twin@entries.c"));
    assert_non_null(strstr(reply->text, "twin@entries_twin.c"));
    reply_free(reply);
    host_expect(host, "twins", "10 20");
    finish();
}

static void a_function_is_replaced_at_its_offset(void **state)
{
    char target[100];

    (void)state;
    start("entries");
    by_offset("entries", "second", target, sizeof(target));
    there_and_back(target, "second", "10", "2");
    by_offset("exe", "second", target, sizeof(target));
    there_and_back(target, "second", "10", "2");
    finish();
}

static void an_offset_inside_a_function_is_refused(void **state)
{
    char target[100];
    struct picture before;

    (void)state;
    start("entries");
    snprintf(target, sizeof(target), "exe+0x%llx",
             strtoull(said_of("sum_to", "offset"), NULL, 10) + 3);
    before = picture_take(host->pid);
    assert_string_equal(replace(target, "two"), "HP-NO-TARGET");
    assert_string_equal(replace("exe+0xffffffff0", "two"), "HP-NO-TARGET");
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    finish();
}

static void names_of_one_function_share_a_slot(void **state)
{
    (void)state;
    start("entries");
    must_replace("exported_answer", "two");
    host_expect(host, "alias", "2");
    must_apply(host, "load replace=exported_alias=three %s", patch_file("entry_plain"));
    host_expect(host, "exported", "3");
    must_apply(host, "revert all");
    host_expect(host, "exported", "1");
    host_expect(host, "alias", "1");
    finish();
}

static void a_stripped_program_has_exported_names_and_offsets(void **state)
{
    char target[100];
    struct reply *reply;
    unsigned long address;

    (void)state;
    start("entries-stripped");
    there_and_back("exported_answer", "exported", "1", "2");
    assert_string_equal(replace("answer", "two"), "HP-NO-TARGET");
    host_expect(host, "answer", "1");
    /* Where it lies is not in the file any more, so the program itself is asked. */
    address = strtoul(host_ask(host, "address exported_answer"), NULL, 16) -
              strtoul(said_of("exported_answer", "offset"), NULL, 10);
    snprintf(target, sizeof(target), "exe+0x%lx",
             strtoul(host_ask(host, "address answer"), NULL, 16) - address);
    there_and_back(target, "answer", "1", "2");
    reply = request(host, "slots kind=entry");
    assert_true(json_object_array_length(member(reply->json, "slots")) > 20);
    reply_free(reply);
    finish();
}

static void a_librarys_function_switches_for_all_callers(void **state)
{
    (void)state;
    start("entries");
    open_library();
    there_and_back("libentries.so:in_library", "call in_library", "40", "2");
    there_and_back("libentries.so:hidden_answer", "call library_direct", "30", "2");
    assert_string_equal(replace("in_library", "two"), "HP-NOT-PATCHABLE");
    assert_string_equal(replace("entries.so:in_library", "two"), "HP-NO-TARGET");
    finish();
}

static void libcs_function_switches_at_its_entry(void **state)
{
    (void)state;
    if (sanitized())
        skip(); /* the function may be the sanitizer's own */
    start("entries");
    must_apply(host, "load fail=libc.so.6:getppid=500");
    host_expect(host, "getppid", "500");
    assert_string_equal(status_of("getppid", "kind"), "entry");
    must_apply(host, "revert all");
    assert_string_not_equal(host_ask(host, "getppid"), "500");
    finish();
}

static void of_an_indirect_function_the_implementation_switches(void **state)
{
    (void)state;
    start("entries");
    open_library();
    there_and_back("libentries.so:library_chosen", "call library_indirect", "51", "3");
    finish();
}

static void main_is_replaced_with_a_warning(void **state)
{
    (void)state;
    start("entries");
    struct reply *reply = request(host, "load %s", patch_file("entry_main"));

    assert_string_equal(reply->code, "apply");
    assert_int_equal(json_object_array_length(member(reply->json, "warnings")), 1);
    reply_free(reply);
    host_expect(host, "answer", "1");
    must_apply(host, "revert all");
    finish();
}

/* ---- what cannot be patched ---- */

static void expect_refusal(const char *target, const char *reason)
{
    struct picture before = picture_take(host->pid);
    struct reply *reply =
        request(host, "load replace=%s=two %s", target, patch_file("entry_plain"));

    assert_string_equal(reply->code, "HP-NOT-PATCHABLE");
    if (!strstr(reply->text, reason))
        fail_msg("%s: %s", target, reply->text);
    reply_free(reply);
    assert_string_equal(said_of(target, "patchable"), "false");
    assert_non_null(strstr(said_of(target, "why"), reason));
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
}

static void what_cannot_be_patched_is_refused_with_the_reason(void **state)
{
    (void)state;
    start("entries");
    expect_refusal("too_short", "shorter than a jump");
    expect_refusal("call_inside", "a call returns");
    expect_refusal("overlapped", "another function begins");
    assert_unchanged(host);
    finish();
}

static void data_does_not_replace_a_function(void **state)
{
    (void)state;
    start("entries");
    assert_string_equal(outcome(host, "load %s", patch_file("entry_data")), "HP-KIND");
    host_expect(host, "second", "10");
    finish();
}

/* ---- what is told ---- */

static void slots_lists_functions(void **state)
{
    (void)state;
    start("entries");
    assert_string_equal(said_of("answer", "patchable"), "true");
    assert_string_equal(said_of("answer", "armed"), "false");
    assert_string_equal(said_of("answer", "file"), "entries.c");
    must_apply(host, "load %s", patch_file("answer2"));
    assert_string_equal(said_of("answer", "armed"), "true");
    assert_string_not_equal(said_of("answer", "technique"), "null");
    finish();
}

static void status_tells_whether_the_new_code_was_entered(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("answer2"));
    assert_string_equal(status_of("answer", "entered"), "false");
    host_expect(host, "answer", "2");
    assert_string_equal(status_of("answer", "entered"), "true");
    must_apply(host, "load %s", patch_file("answer3"));
    assert_string_equal(status_of("answer", "entered"), "false");
    host_expect(host, "answer", "3");
    assert_string_equal(status_of("answer", "entered"), "true");
    finish();
}

static void the_command_patches_a_function(void **state)
{
    char pid[16];
    struct output *output;

    (void)state;
    start("entries");
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    output = hotpatch(host, "load", pid, patch_file("answer2"), NULL);
    assert_int_equal(output->status, 0);
    output_free(output);
    host_expect(host, "answer", "2");
    output = hotpatch(host, "slots", pid, "answer", NULL);
    assert_non_null(strstr(output->out, "entry"));
    output_free(output);
    output = hotpatch(host, "load", pid, "--fail", "exported_answer=7", NULL);
    assert_int_equal(output->status, 0);
    output_free(output);
    host_expect(host, "exported", "7");
    output = hotpatch(host, "revert", pid, "all", NULL);
    assert_int_equal(output->status, 0);
    output_free(output);
    assert_unchanged(host);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(an_exported_function_is_replaced_by_name),
        LIVE(a_static_function_is_replaced_by_name),
        LIVE(a_file_picks_one_of_two_statics),
        LIVE(statics_of_one_name_are_ambiguous_and_listed),
        LIVE(a_function_is_replaced_at_its_offset),
        LIVE(an_offset_inside_a_function_is_refused),
        LIVE(names_of_one_function_share_a_slot),
        LIVE(a_stripped_program_has_exported_names_and_offsets),
        LIVE(a_librarys_function_switches_for_all_callers),
        LIVE(libcs_function_switches_at_its_entry),
        LIVE(of_an_indirect_function_the_implementation_switches),
        LIVE(main_is_replaced_with_a_warning),
        LIVE(what_cannot_be_patched_is_refused_with_the_reason),
        LIVE(data_does_not_replace_a_function),
        LIVE(slots_lists_functions),
        LIVE(status_tells_whether_the_new_code_was_entered),
        LIVE(the_command_patches_a_function),
    };

    return cmocka_run_group_tests_name("entries", tests, NULL, NULL);
}
