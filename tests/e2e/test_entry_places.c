/*
 * test_entry_places.c - entry slots at places that somebody with debug information has looked up
 * (at=), and at OBJECT+0xOFFSET: where they lead, what is kept of them, what is refused.
 */
#include "tests/support/entries.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/file_facts.h"

/* Where a function of the host lies; its file may not name it. */
static unsigned long offset_of(const char *name)
{
    unsigned long base = strtoul(host_ask(host, "address exported_answer"), NULL, 16) -
                         strtoul(said_of("exported_answer", "offset"), NULL, 10);

    return strtoul(host_ask(host, "address %s", name), NULL, 16) - base;
}

/* at=OBJECT@BUILDID+0xOFFSET=TARGET for the function `name` of the program. */
static const char *place(const char *object, const char *name, const char *target)
{
    static char text[512];

    snprintf(text, sizeof(text), "at=%s@%s+0x%lx=%s", object,
             build_id_of(built("hosts/entries-stripped")), offset_of(name), target);
    return text;
}

static const char *library_place(const char *object, const char *target)
{
    static char text[512];
    const char *file = built("hosts/libentries.so");

    snprintf(text, sizeof(text), "at=%s@%s+0x%llx=%s", object, build_id_of(file),
             strtoull(said_of("in_library", "offset"), NULL, 10), target);
    return text;
}

static void a_function_without_a_name_is_replaced_where_it_was_looked_up(void **state)
{
    (void)state;
    start("entries-stripped");
    assert_string_equal(outcome(host, "load %s", patch_file("answer2")), "HP-NO-TARGET");
    must_apply(host, "load %s %s", place("exe", "answer", "answer"), patch_file("answer2"));
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    must_apply(host, "load %s fail=answer=7", place("entries-stripped", "answer", "answer"));
    host_expect(host, "answer", "7");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    finish();
}

static void an_edited_patch_is_reloaded_at_its_places(void **state)
{
    const char *path;

    (void)state;
    start("entries-stripped");
    path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s %s", place("exe", "answer", "answer"), path);
    copy_file(patch_file("answer3"), path);
    must_apply(host, "reload");
    host_expect(host, "answer", "3");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "reload");
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    finish();
}

static void a_reload_notes_no_calls_where_the_load_did_not(void **state)
{
    const char *path;

    (void)state;
    start("entries");
    path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load seen=0 %s", path);
    copy_file(patch_file("answer3"), path);
    must_apply(host, "reload");
    host_expect(host, "answer", "3");
    assert_string_equal(status_of("answer", "entered"), ""); /* null */
    finish();
}

static void the_doorbell_reloads_at_the_places(void **state)
{
    const char *path;

    (void)state;
    start("entries-stripped");
    path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s %s", place("exe", "answer", "answer"), path);
    copy_file(patch_file("answer3"), path);
    assert_int_equal(kill(host->pid, SIGRTMIN + 12), 0);
    /* Signal and request come in one order or the other: the ping after the bell tells when. */
    for (int i = 0; i < 100 && strcmp(host_ask(host, "answer"), "3") != 0; i++)
        must_apply(host, "ping");
    host_expect(host, "answer", "3");
    finish();
}

static void a_forked_child_reloads_at_the_places(void **state)
{
    const char *path;

    (void)state;
    start("entries-stripped");
    path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s %s", place("exe", "answer", "answer"), path);
    host_become(host, "fork");
    copy_file(patch_file("answer3"), path);
    must_apply(host, "reload");
    host_expect(host, "answer", "3");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    finish();
}

/* Two patches may spell one target and mean two functions. */
static void each_patch_has_its_own_places(void **state)
{
    char second[512];

    (void)state;
    start("entries-stripped");
    snprintf(second, sizeof(second), "%s", place("exe", "second", "exe:answer"));
    must_apply(host, "begin\nload %s replace=exe:answer=two %s\nload %s fail=exe:answer=7\ncommit",
               second, patch_file("entry_plain"), place("exe", "answer", "exe:answer"));
    host_expect(host, "second", "2");
    host_expect(host, "answer", "7");
    finish();
}

static void a_declared_slot_is_meant_before_a_place(void **state)
{
    (void)state;
    start("host");
    must_apply(host, "load at=exe@%s+0x1000=answer %s", build_id_of(built("hosts/host")),
               patch_file("answer2"));
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    assert_unchanged(host);
    finish();
}

/* ---- which object ---- */

static void an_object_of_another_name_is_known_by_its_build_id(void **state)
{
    (void)state;
    start("entries");
    open_library();
    must_apply(host, "load %s replace=other=two %s", library_place("renamed-since.so", "other"),
               patch_file("entry_plain"));
    host_expect(host, "call in_library", "2");
    must_apply(host, "revert all");
    host_expect(host, "call in_library", "40");
    finish();
}

static void of_two_objects_of_one_build_the_name_picks_one(void **state)
{
    const char *copy;

    (void)state;
    start("entries");
    open_library();
    copy = host_path(host, "copy.so");
    copy_file(built("hosts/libentries.so"), copy);
    assert_string_equal(host_ask(host, "dlopen %s", copy), "opened");
    must_apply(host, "load %s replace=other=two %s", library_place("copy.so", "other"),
               patch_file("entry_plain"));
    host_expect(host, "call in_library", "2");
    must_apply(host, "revert all");
    must_apply(host, "load %s replace=other=two %s", library_place("libentries.so", "other"),
               patch_file("entry_plain"));
    host_expect(host, "call in_library", "40");
    finish();
}

static void a_place_of_another_build_is_refused(void **state)
{
    struct picture before;

    (void)state;
    start("entries");
    must_apply(host, "ping");
    before = picture_take(host->pid);
    assert_string_equal(
        outcome(host, "load at=exe@0123456789+0x1000=answer %s", patch_file("answer2")),
        "HP-BUILD-ID");
    assert_string_equal(outcome(host, "load at=exe@-+0x1000=answer %s", patch_file("answer2")),
                        "HP-BUILD-ID");
    assert_string_equal(
        outcome(host, "load at=nowhere.so@0123456789+0x1000=answer %s", patch_file("answer2")),
        "HP-NO-TARGET");
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    assert_unchanged(host);
    finish();
}

/* ---- offsets that lead nowhere ---- */

static void refused_at(const char *object, unsigned long offset)
{
    char target[128];

    snprintf(target, sizeof(target), "%s+0x%lx", object, offset);
    if (strcmp(replace(target, "two"), "HP-NO-TARGET") != 0)
        fail_msg("%s came out as %s", target, replace(target, "two"));
    assert_string_equal(outcome(host, "load at=exe@%s+0x%lx=x replace=x=two %s",
                                build_id_of(built("hosts/entries-nopie")), offset,
                                patch_file("entry_plain")),
                        "HP-NO-TARGET");
}

/* A program that does not move: its addresses are its offsets. */
static void an_offset_that_is_no_functions_is_refused(void **state)
{
    struct picture before;

    (void)state;
    start("entries-nopie");
    must_apply(host, "ping");
    before = picture_take(host->pid);
    refused_at("exe", 0);
    refused_at("exe", 1);
    refused_at("exe", 0x400000); /* its ELF header */
    refused_at("exe", symbol_of("entries-nopie", "pointer"));
    refused_at("exe", symbol_of("entries-nopie", "_DYNAMIC"));
    refused_at("exe", symbol_of("entries-nopie", "_end") + 0x100000);
    refused_at("exe", 0x7fffffffffffffff);
    refused_at("exe", 0xffffffffffffffff);
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    assert_unchanged(host);
    finish();
}

/* The address of an imported function is that of the program's PLT to everybody. */
static void an_entry_of_the_plt_is_no_function(void **state)
{
    (void)state;
    start("entries-nopie");
    refused_at("exe", strtoul(host_ask(host, "address getppid"), NULL, 16));
    assert_string_not_equal(host_ask(host, "getppid"), "2");
    must_replace("getppid", "two");
    host_expect(host, "getppid", "2");
    assert_string_equal(status_of("getppid", "kind"), "import");
    must_apply(host, "revert all");
    assert_string_not_equal(host_ask(host, "getppid"), "2");
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_function_without_a_name_is_replaced_where_it_was_looked_up),
        LIVE(an_edited_patch_is_reloaded_at_its_places),
        LIVE(a_reload_notes_no_calls_where_the_load_did_not),
        LIVE(the_doorbell_reloads_at_the_places),
        LIVE(a_forked_child_reloads_at_the_places),
        LIVE(each_patch_has_its_own_places),
        LIVE(a_declared_slot_is_meant_before_a_place),
        LIVE(an_object_of_another_name_is_known_by_its_build_id),
        LIVE(of_two_objects_of_one_build_the_name_picks_one),
        LIVE(a_place_of_another_build_is_refused),
        LIVE(an_offset_that_is_no_functions_is_refused),
        LIVE(an_entry_of_the_plt_is_no_function),
    };

    return cmocka_run_group_tests_name("entry_places", tests, NULL, NULL);
}
