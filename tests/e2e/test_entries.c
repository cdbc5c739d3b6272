/*
 * test_entries.c - entry slots of live processes: functions that nobody declared, found by name and by
 * place, replaced and brought back, what cannot be patched, and what is told of them.
 */
#include "tests/support/entries.h"

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

static void of_an_indirect_function_that_nobody_imports_ld_so_knows(void **state)
{
    (void)state;
    start("entries");
    open_library();
    there_and_back("libentries.so:library_unused", "call library_unused", "50", "2");
    must_apply(host, "load dry-run=1 replace=libentries.so:library_unused=two %s",
               patch_file("entry_plain"));
    host_expect(host, "call library_unused", "50");
    if (!sanitized()) {
        host_expect(host, "libc wcsnlen", "0");
        must_apply(host, "load fail=libc.so.6:wcsnlen=77");
        host_expect(host, "libc wcsnlen", "77");
        must_apply(host, "revert all");
        host_expect(host, "libc wcsnlen", "0");
    }
    finish();
}

/* Everybody calls it all the time: the program, ld.so's users, the engine. */
static void memcpy_is_replaced_for_everybody(void **state)
{
    (void)state;
    if (sanitized())
        skip(); /* the function is the sanitizer's own */
    start("entries");
    host_expect(host, "threads 2", "started");
    for (int i = 0; i < 5; i++) {
        host_expect(host, "copy probe", "probe");
        must_apply(host, "load replace=libc.so.6:memcpy=shouting_copy %s",
                   patch_file("entry_copy"));
        host_expect(host, "copy probe", "Probe");
        assert_string_equal(status_of("memcpy", "kind"), "entry");
        must_apply(host, "revert all");
    }
    host_expect(host, "copy probe", "probe");
    host_expect(host, "stop-threads", "wrong 0");
    finish();
}

static void a_version_picks_one_of_two(void **state)
{
    (void)state;
    if (sanitized())
        skip();
    start("entries");
    must_apply(host, "load fail=libc.so.6:sched_getaffinity@GLIBC_2.3.3=77");
    host_expect(host, "libc sched_getaffinity GLIBC_2.3.3", "77");
    host_expect(host, "libc sched_getaffinity", "-1");
    must_apply(host, "load fail=libc.so.6:sched_getaffinity=78");
    host_expect(host, "libc sched_getaffinity", "78");
    host_expect(host, "libc sched_getaffinity GLIBC_2.3.3", "77");
    must_apply(host, "revert all");
    host_expect(host, "libc sched_getaffinity", "-1");
    finish();
}

static void refused_with(const char *target, const char *code, const char *text)
{
    struct reply *reply =
        request(host, "load replace=%s=two %s", target, patch_file("entry_plain"));

    assert_string_equal(reply->code, code);
    if (!strstr(reply->text, text))
        fail_msg("%s: %s", target, reply->text);
    reply_free(reply);
}

static void of_an_unknown_version_those_that_are_are_listed(void **state)
{
    (void)state;
    start("entries");
    refused_with("libc.so.6:sched_getaffinity@GLIBC_9.9", "HP-NO-TARGET",
                 "GLIBC_2.3.3, GLIBC_2.3.4");
    refused_with("getppid@GLIBC_9.9", "HP-NO-TARGET", "GLIBC_2.2.5");
    refused_with("exported_answer@NOTHING_1", "HP-NO-TARGET", "has no versions");
    host_expect(host, "exported", "1");
    finish();
}

static void a_weak_function_is_replaced_by_name(void **state)
{
    (void)state;
    start("entries");
    open_library();
    there_and_back("weak_answer", "weak", "1", "2");
    there_and_back("libentries.so:library_weak", "call library_weak", "60", "2");
    finish();
}

/* The one that can be patched is not more likely to be meant. */
static void of_two_statics_one_that_cannot_be_patched_counts(void **state)
{
    (void)state;
    start("entries");
    refused_with("uneven_twin", "HP-AMBIGUOUS", "uneven_twin@entries.c");
    refused_with("uneven_twin", "HP-AMBIGUOUS", "uneven_twin@entries_twin.c");
    must_replace("uneven_twin@entries_twin.c", "two");
    host_expect(host, "twins", "10 22");
    finish();
}

static void a_function_without_room_is_replaced_where_it_is_imported(void **state)
{
    struct reply *reply;

    (void)state;
    start("entries");
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libuses1.so")), "opened");
    host_expect(host, "call uses_short", "4");
    reply = request(host, "load replace=libdefines1.so:defined_short=two %s",
                    patch_file("entry_plain"));
    assert_string_equal(reply->code, "apply");
    assert_non_null(strstr(
        json_object_get_string(json_object_array_get_idx(member(reply->json, "warnings"), 0)),
        "only calls through imports switch: the function is shorter than a jump"));
    reply_free(reply);
    host_expect(host, "call uses_short", "2");
    assert_string_equal(status_of("defined_short", "kind"), "import");
    assert_string_equal(said_of("defined_short", "patchable"), "true");
    assert_string_equal(said_of("defined_short", "why"),
                        "only calls through imports switch: the function is shorter than a jump");
    must_apply(host, "revert all");
    host_expect(host, "call uses_short", "4");
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

static bool has_decoder(void)
{
    char command[64];

    snprintf(command, sizeof(command), "grep -q /libZydis /proc/%d/maps", (int)host->pid);
    return system(command) == 0;
}

static void a_host_that_declares_its_slots_is_spared_the_decoder(void **state)
{
    (void)state;
    start("host");
    must_apply(host, "load %s", patch_file("answer2"));
    assert_false(has_decoder());
    must_apply(host, "slots kind=declared");
    assert_false(has_decoder());
    must_apply(host, "slots");
    assert_true(has_decoder());
    must_apply(host, "revert all");
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
        LIVE(of_an_indirect_function_that_nobody_imports_ld_so_knows),
        LIVE(memcpy_is_replaced_for_everybody),
        LIVE(a_version_picks_one_of_two),
        LIVE(of_an_unknown_version_those_that_are_are_listed),
        LIVE(a_weak_function_is_replaced_by_name),
        LIVE(of_two_statics_one_that_cannot_be_patched_counts),
        LIVE(a_function_without_room_is_replaced_where_it_is_imported),
        LIVE(main_is_replaced_with_a_warning),
        LIVE(what_cannot_be_patched_is_refused_with_the_reason),
        LIVE(data_does_not_replace_a_function),
        LIVE(slots_lists_functions),
        LIVE(status_tells_whether_the_new_code_was_entered),
        LIVE(the_command_patches_a_function),
        LIVE(a_host_that_declares_its_slots_is_spared_the_decoder),
    };

    return cmocka_run_group_tests_name("entries", tests, NULL, NULL);
}
