/*
 * test_imports.c - import slots and faults in live processes: each rule of what an import slot is,
 * one after the other.
 */
#include "tests/support/harness.h"

#include <errno.h>
#include <json-c/json.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define VALUE "HOTPATCH_TEST_VALUE" /* what patches/import_getenv.c answers for */

static struct host *host;

static int stop(void **state)
{
    (void)state;
    if (host)
        host_kill(host); /* a failed test's */
    host = NULL;
    return 0;
}

static void start(const char *program)
{
    host = host_start(program, NULL);
}

static void finish(void)
{
    struct host *good = host;

    host = NULL;
    host_stop(good);
}

static void open_library(const char *name)
{
    const char *answer = host_ask(host, "dlopen %s", built("hosts/%s.so", name));

    assert_string_equal(answer, "opened");
}

static void close_library(const char *name)
{
    assert_string_equal(host_ask(host, "dlclose %s", built("hosts/%s.so", name)), "closed");
}

static const char *const library_ways[] = {"library_call", "library_got", "library_constant",
                                           "library_data"};

/* Through each kind of relocation of libimporter.so. */
static void expect_of_library(const char *answer)
{
    for (size_t i = 0; i < sizeof(library_ways) / sizeof(library_ways[0]); i++)
        if (strcmp(host_ask(host, "call %s " VALUE, library_ways[i]), answer) != 0)
            fail_msg("%s gives %s, must be %s", library_ways[i], host->line, answer);
}

static void load_getenv(void)
{
    must_apply(host, "load %s", patch_file("import_getenv"));
}

static json_object *named(json_object *array, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        json_object *item = json_object_array_get_idx(array, i);

        if (strcmp(member_text(item, "name"), name) == 0)
            return item;
    }
    return NULL;
}

/* A number of the slot or module of that name in the status. */
static int64_t number_in(struct host *asked, const char *list, const char *name, const char *key)
{
    struct reply *reply = request(asked, "status");
    json_object *item = named(member(member(reply->json, "status"), list), name);
    int64_t value = item ? json_object_get_int64(member(item, key)) : -1;

    reply_free(reply);
    return value;
}

static int64_t number(const char *list, const char *name, const char *key)
{
    return number_in(host, list, name, key);
}

static size_t layers_of(const char *name)
{
    struct reply *reply = request(host, "status");
    json_object *slot = slot_named(member(reply->json, "status.slots"), name);
    size_t count = json_object_array_length(member(slot, "layers"));

    reply_free(reply);
    return count;
}

/* ---- all importers of one definition ---- */

static void all_importers_of_a_definition_switch_together(void **state)
{
    (void)state;
    start("importer");
    open_library("libimporter");
    open_library("libimporter2");
    expect_of_library("none");
    load_getenv();
    expect_of_library("patched");
    host_expect(host, "getenv " VALUE, "patched");
    host_expect(host, "pointer " VALUE, "patched");
    host_expect(host, "call lazy_call " VALUE, "patched");
    must_apply(host, "revert all");
    expect_of_library("none");
    host_expect(host, "getenv " VALUE, "none");
    host_expect(host, "pointer " VALUE, "none");
    host_expect(host, "call lazy_call " VALUE, "none");
    finish();
}

static void an_object_narrows_nothing_where_the_definition_is_one(void **state)
{
    (void)state;
    start("importer");
    open_library("libimporter");
    must_apply(host, "load replace=libimporter.so:getenv=fixed_getenv %s",
               patch_file("import_plain"));
    host_expect(host, "getenv " VALUE, "patched");
    finish();
}

static void slots_tells_definition_and_importers(void **state)
{
    (void)state;
    start("importer");
    open_library("libimporter");
    struct reply *reply = request(host, "slots match=getenv");
    json_object *slot = slot_named(member(reply->json, "slots"), "getenv");
    json_object *importers = member(slot, "importers");

    assert_string_equal(member_text(slot, "definition"), "libc.so.6");
    const char *names = json_object_to_json_string(importers); /* a sanitizer's too */

    assert_non_null(strstr(names, "\"importer\""));
    assert_non_null(strstr(names, "\"libimporter.so\""));
    reply_free(reply);
    finish();
}

static void slots_tells_what_cannot_be_patched(void **state)
{
    (void)state;
    start("importer");
    struct reply *reply = request(host, "slots kind=import");
    json_object *slots = member(reply->json, "slots");

    assert_string_equal(member_text(slot_named(slots, "stdout"), "why"), "data");
    assert_false(json_object_get_boolean(member(slot_named(slots, "stdout"), "patchable")));
    assert_non_null(strstr(member_text(slot_named(slots, "__gmon_start__"), "why"), "weak"));
    reply_free(reply);
    finish();
}

static void slots_of_a_stripped_file_lists_imports(void **state)
{
    (void)state;
    struct output *output = hotpatch(NULL, "slots", built("hosts/importer"), NULL);

    assert_int_equal(output->status, 0);
    assert_non_null(strstr(output->out, "getenv"));
    assert_non_null(strstr(output->out, "no: data"));
    output_free(output);
}

/* ---- what a replacement can call ---- */

static void a_replacement_calls_what_it_replaces(void **state)
{
    (void)state;
    start("importer");
    const char *file = host_path(host, "file");
    char question[300];

    file_write(file, "", 0, 0600);
    snprintf(question, sizeof(question), "rename %s", file);
    host_expect(host, question, "0 0");
    must_apply(host, "load %s", patch_file("import_self"));
    host_expect(host, question, "100 0");
    must_apply(host, "load %s", patch_file("import_below"));
    host_expect(host, question, "1100 0");
    must_apply(host, "revert name=self");
    host_expect(host, question, "1000 0");
    must_apply(host, "revert all");
    host_expect(host, question, "0 0");
    finish();
}

/* ---- the engine's own work ---- */

static char *status_file(void)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/%d.json", host->directory, (int)host->pid);
    return file_text(path);
}

static void status_file_has(const char *text, bool there)
{
    char *json = status_file();

    if (!strstr(json, text) == there)
        fail_msg("%s is %sin the status file: %s", text, there ? "not " : "", json);
    free(json);
}

static void engine_works_while_it_fails(const char *name, const char *value, const char *question,
                                        const char *before, const char *after)
{
    char fault[64], layer[64];
    struct reply *reply;

    start("importer");
    file_write(host_path(host, "file"), "", 0, 0600);
    snprintf(fault, sizeof(fault), "%s=%s", name, value);
    snprintf(layer, sizeof(layer), "\"module\":\"fail:%s\"", name);
    assert_string_equal(host_ask(host, "%s", question), before);
    must_apply(host, "load fail=%s", fault);
    assert_string_equal(host_ask(host, "%s", question), after);
    status_file_has(layer, true);
    load_getenv();
    host_expect(host, "getenv " VALUE, "patched");
    status_file_has("\"module\":\"environment\"", true);
    reply = request(host, "slots");
    assert_string_equal(reply->code, "apply");
    reply_free(reply);
    must_apply(host, "revert name=environment");
    status_file_has("\"module\":\"environment\"", false);
    host_expect(host, "getenv " VALUE, "none");
    must_apply(host, "revert all");
    status_file_has(layer, false);
    assert_string_equal(host_ask(host, "%s", question), before);
    finish();
}

static void the_engine_works_while_rename_fails(void **state)
{
    (void)state;
    engine_works_while_it_fails("rename", "-1:EIO", "rename /", "-1 16", "-1 5");
}

static void the_engine_works_while_open_fails(void **state)
{
    (void)state;
    if (sanitized())
        skip(); /* the function is the sanitizer's own */
    engine_works_while_it_fails("open", "-1:EACCES", "open /", "0 0", "-1 13");
}

static void the_engine_works_while_write_fails(void **state)
{
    (void)state;
    if (sanitized())
        skip(); /* the function is the sanitizer's own */
    engine_works_while_it_fails("write", "-1:ENOSPC", "write", "0 0", "-1 28");
}

static void the_engine_works_while_malloc_fails(void **state)
{
    (void)state;
    if (sanitized())
        skip(); /* the function is the sanitizer's own */
    engine_works_while_it_fails("malloc", "0:ENOMEM", "malloc", "0 0", "-1 12");
}

/* ---- where words are and what they hold ---- */

static void every_kind_of_word_switches_in(const char *program)
{
    start(program);
    open_library("libimporter");
    open_library("libimporter2");
    load_getenv();
    expect_of_library("patched");
    host_expect(host, "call lazy_call " VALUE, "patched");
    host_expect(host, "getenv " VALUE, "patched");
    must_apply(host, "revert all");
    expect_of_library("none");
    host_expect(host, "getenv " VALUE, "none");
    finish();
}

/* The library's words hold the program's PLT entry, which jumps through the program's word: taken
 * for the original, the two would call each other for ever. */
static void a_library_of_a_non_pie_program_does_not_loop(void **state)
{
    (void)state;
    every_kind_of_word_switches_in("importer-nopie");
}

static void read_only_words_switch(void **state)
{
    (void)state;
    every_kind_of_word_switches_in("importer-now");
}

static void a_library_opened_later_gets_the_layer(void **state)
{
    (void)state;
    start("importer");
    load_getenv();
    assert_int_equal(number("slots", "getenv", "words"), number("slots", "getenv", "words_live"));
    open_library("libimporter");
    must_apply(host, "load fail=rename=-1");
    expect_of_library("patched");
    assert_int_equal(number("slots", "getenv", "words"), number("slots", "getenv", "words_live"));
    close_library("libimporter");
    must_apply(host, "revert all");
    host_expect(host, "getenv " VALUE, "none");
    finish();
}

/* status alone is such a request. */
static void status_lays_the_layer_over_a_new_library(void **state)
{
    (void)state;
    start("importer");
    load_getenv();
    int64_t before = number("slots", "getenv", "words");

    open_library("libimporter");
    assert_int_equal(number("slots", "getenv", "words"), before + 3);
    assert_int_equal(number("slots", "getenv", "words_live"), before + 3);
    expect_of_library("patched");
    finish();
}

static void a_library_in_a_name_space_of_its_own_is_left_alone(void **state)
{
    char question[600];

    (void)state;
    if (sanitized())
        skip(); /* the function is the sanitizer's own, and is not there twice */
    start("importer");
    load_getenv();
    snprintf(question, sizeof(question), "dlmopen %s", built("hosts/libimporter2.so"));
    host_expect(host, question, "opened");
    must_apply(host, "load fail=rename=-1");
    host_expect(host, "getenv " VALUE, "patched");
    host_expect(host, "call lazy_call " VALUE, "none");
    close_library("libimporter2");
    must_apply(host, "revert all");
    host_expect(host, "getenv " VALUE, "none");
    finish();
}

enum { SWITCHES = 1000, ROUNDS = 1000 };

static void a_library_opened_anew_where_it_lay_gets_the_layer(void **state)
{
    (void)state;
    start("importer");
    open_library("libimporter");
    open_library("libimporter2");
    load_getenv();
    for (int i = 0; i < 20; i++) {
        close_library("libimporter");
        close_library("libimporter2");
        open_library("libimporter");
        open_library("libimporter2");
        assert_int_equal(number("slots", "getenv", "words"),
                         number("slots", "getenv", "words_live"));
        expect_of_library("patched");
        host_expect(host, "call lazy_call " VALUE, "patched");
    }
    finish();
}

static void a_library_comes_and_goes_during_switches(void **state)
{
    char question[600];

    (void)state;
    start("importer");
    snprintf(question, sizeof(question), "churn %s %d", built("hosts/libimporter2.so"), ROUNDS);
    host_say(host, question);
    for (int i = 0; i < SWITCHES / 2; i++) {
        load_getenv();
        must_apply(host, "revert all");
    }
    assert_string_equal(host_hear(host), "churned");
    host_expect(host, "getenv " VALUE, "none");
    open_library("libimporter2");
    load_getenv();
    host_expect(host, "call lazy_call " VALUE, "patched");
    finish();
}

/* Bounded: the listener looks again for a second and a half at words that were not bound. */
static void await_all_live(void)
{
    for (int i = 0; i < 1000; i++) {
        if (number("slots", "getenv", "words_live") == number("slots", "getenv", "words"))
            return;
        poll(NULL, 0, 10);
    }
    fail_msg("%lld of %lld words are live", (long long)number("slots", "getenv", "words_live"),
             (long long)number("slots", "getenv", "words"));
}

static void the_resolver_does_not_win_over_a_switch(void **state)
{
    char question[600];

    (void)state;
    start("importer");
    snprintf(question, sizeof(question), "race %s %d", built("hosts/libimporter2.so"), 300);
    host_say(host, question);
    for (int i = 0; i < 300; i++) {
        load_getenv();
        if (i < 299)
            must_apply(host, "revert all");
    }
    assert_string_equal(host_hear(host), "raced");
    await_all_live();
    host_expect(host, "call lazy_call " VALUE, "patched");
    host_expect(host, "getenv " VALUE, "patched");
    must_apply(host, "revert all");
    host_expect(host, "call lazy_call " VALUE, "none");
    finish();
}

/* Asked of the program alone: a request would lay the layer over the word as well. */
static void a_resolver_that_comes_out_late_does_not_win(void **state)
{
    (void)state;
    if (sanitized())
        skip(); /* the function is the sanitizer's own, which binds at once */
    start("importer");
    host_expect(host, "begin-late-resolver", "begun");
    load_getenv();
    host_expect(host, "end-late-resolver", "ended");
    for (int i = 0; i < 1000 && strcmp(host_ask(host, "getenv " VALUE), "patched") != 0; i++)
        poll(NULL, 0, 10);
    host_expect(host, "getenv " VALUE, "patched");
    finish();
}

static void an_address_inside_a_function_is_left_alone(void **state)
{
    (void)state;
    start("importer");
    open_library("libimporter");
    host_expect(host, "call library_inside x", "same");
    load_getenv();
    expect_of_library("patched");
    host_expect(host, "call library_inside x", "same");
    must_apply(host, "revert all");
    host_expect(host, "call library_inside x", "same");
    finish();
}

/* ---- the program's own doing ---- */

static void a_pointer_that_the_program_changed_is_its_own(void **state)
{
    (void)state;
    start("importer");
    host_expect(host, "own-pointer", "done");
    struct reply *reply = request(host, "load %s", patch_file("import_getenv"));

    assert_string_equal(reply->code, "apply");
    assert_int_equal(json_object_array_length(member(reply->json, "warnings")), 1);
    reply_free(reply);
    host_expect(host, "pointer " VALUE, "own");
    host_expect(host, "getenv " VALUE, "patched");
    must_apply(host, "revert all");
    host_expect(host, "pointer " VALUE, "own");
    finish();
}

static void a_pointer_changed_under_a_layer_is_its_own(void **state)
{
    (void)state;
    start("importer");
    load_getenv();
    host_expect(host, "pointer " VALUE, "patched");
    host_expect(host, "own-pointer", "done");
    must_apply(host, "revert all");
    host_expect(host, "pointer " VALUE, "own");
    host_expect(host, "getenv " VALUE, "none");
    finish();
}

static void a_got_word_that_the_program_changed_is_refused(void **state)
{
    (void)state;
    start("importer");
    host_expect(host, "own-got getenv", "done");
    assert_string_equal(outcome(host, "load %s", patch_file("import_getenv")), "HP-HOST-OWNED");
    host_expect(host, "getenv " VALUE, "own");
    host_expect(host, "pointer " VALUE, "none");
    finish();
}

/* ---- one transaction of all kinds ---- */

static void all_kinds_of_patches_switch_in_one_transaction(void **state)
{
    (void)state;
    start("torture");
    host_expect(host, "parent", "own");
    assert_string_equal(outcome(host,
                                "begin\nload %s\nload replace=getppid=number_nine %s\n"
                                "load fail=strlen=0 caller=libnothing.so\ncommit",
                                patch_file("answer2"), patch_file("import_plain")),
                        "HP-NO-TARGET");
    host_expect(host, "answer", "1");
    host_expect(host, "parent", "own");
    must_apply(host,
               "begin\nload %s\nload replace=getppid=number_nine %s\nload fail=mkfifo=0\ncommit",
               patch_file("answer2"), patch_file("import_plain"));
    host_expect(host, "answer", "2");
    host_expect(host, "parent", "patched");
    assert_int_equal(number("slots", "mkfifo", "version"), 1);
    must_apply(host, "begin\nrevert all\nload %s\ncommit", patch_file("torture_v1"));
    host_expect(host, "answer", "2");
    host_expect(host, "label", "v1");
    assert_int_equal(layers_of("getppid"), 1);
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    host_expect(host, "parent", "own");
    finish();
}

/* ---- which definition ---- */

static void two_definitions_are_ambiguous(void **state)
{
    (void)state;
    start("importer");
    open_library("libuses1");
    open_library("libuses2");
    host_expect(host, "call uses1 x", "1");
    host_expect(host, "call uses2 x", "2");
    struct reply *reply =
        request(host, "load replace=defined_twice=number_nine %s", patch_file("import_plain"));

    assert_string_equal(reply->code, "HP-AMBIGUOUS");
    assert_non_null(strstr(reply->text, "libdefines1.so:defined_twice"));
    assert_non_null(strstr(reply->text, "libdefines2.so:defined_twice"));
    reply_free(reply);
    must_apply(host, "load replace=libdefines2.so:defined_twice=number_nine %s",
               patch_file("import_plain"));
    host_expect(host, "call uses1 x", "1");
    host_expect(host, "call uses2 x", "9");
    must_apply(host, "revert all");
    must_apply(host, "load replace=libuses1.so:defined_twice=number_nine %s",
               patch_file("import_plain"));
    host_expect(host, "call uses1 x", "9");
    host_expect(host, "call uses2 x", "2");
    finish();
}

static void a_version_names_one_of_two_definitions(void **state)
{
    (void)state;
    if (sanitized())
        skip(); /* the function is the sanitizer's own */
    start("importer");
    open_library("libimporter2");
    host_expect(host, "call second_copy text", "text");
    host_expect(host, "call default_copy text", "text");
    must_apply(host, "load replace=memcpy@GLIBC_2.2.5=no_copy %s", patch_file("import_plain"));
    host_expect(host, "call second_copy text", "failed");
    host_expect(host, "call default_copy text", "text");
    must_apply(host, "revert all");
    host_expect(host, "call second_copy text", "text");
    assert_string_equal(
        outcome(host, "load replace=memcpy@GLIBC_9=no_copy %s", patch_file("import_plain")),
        "HP-NO-TARGET");
    finish();
}

static void an_indirect_function_is_replaced_and_restored(void **state)
{
    (void)state;
    if (sanitized())
        skip(); /* the function is the sanitizer's own */
    start("importer");
    open_library("libimporter");
    must_apply(host, "load fail=strlen=42 caller=libimporter.so");
    host_expect(host, "call library_length four", "42");
    host_expect(host, "getenv " VALUE, "none");
    must_apply(host, "revert all");
    host_expect(host, "call library_length four", "4");
    finish();
}

/* ---- faults ---- */

static char rename_it[300];

static void start_with_file(void)
{
    start("importer");
    file_write(host_path(host, "file"), "", 0, 0600);
    snprintf(rename_it, sizeof(rename_it), "rename %s", host_path(host, "file"));
}

static void a_fault_strikes_at_every_nth_call(void **state)
{
    (void)state;
    start_with_file();
    must_apply(host, "load fail=rename=-1:ENOSPC nth=3");
    for (int i = 1; i <= 7; i++)
        host_expect(host, rename_it, i % 3 == 0 ? "-1 28" : "0 0");
    assert_int_equal(number("modules", "fail:rename", "strikes"), 2);
    assert_int_equal(number("modules", "fail:rename", "calls"), 7);
    finish();
}

static void a_fault_strikes_so_many_times(void **state)
{
    (void)state;
    start_with_file();
    must_apply(host, "load fail=rename=-1:28 times=2");
    host_expect(host, rename_it, "-1 28");
    host_expect(host, rename_it, "-1 28");
    host_expect(host, rename_it, "0 0");
    assert_int_equal(number("modules", "fail:rename", "strikes"), 2);
    finish();
}

/* 200 calls: that they all fall on one side has a probability of 2^-199. */
static void a_fault_strikes_by_chance(void **state)
{
    int struck = 0;

    (void)state;
    start_with_file();
    must_apply(host, "load fail=rename=-1 probability=0.5");
    for (int i = 0; i < 200; i++)
        struck += strcmp(host_ask(host, "%s", rename_it), "0 0") != 0;
    assert_in_range(struck, 1, 199);
    assert_int_equal(number("modules", "fail:rename", "strikes"), struck);
    must_apply(host, "load fail=rename=-1 probability=1");
    for (int i = 0; i < 20; i++)
        host_expect(host, rename_it, "-1 0");
    finish();
}

static void a_fault_strikes_one_caller_alone(void **state)
{
    char call[400];

    (void)state;
    start_with_file();
    open_library("libimporter");
    snprintf(call, sizeof(call), "call library_%s", rename_it);
    must_apply(host, "load fail=rename=-7:EIO caller=libimporter.so");
    host_expect(host, rename_it, "0 0");
    host_expect(host, call, "-7 5");
    must_apply(host, "load fail=rename=-8 caller=exe");
    host_expect(host, rename_it, "-8 0");
    host_expect(host, call, "0 0");
    finish();
}

/* Until the status file, replaced at every request, no longer has `text`. */
static void await_not_in_status_file(const char *text)
{
    int watch = inotify_init1(IN_CLOEXEC);

    assert_true(inotify_add_watch(watch, host->directory, IN_MOVED_TO | IN_CREATE) >= 0);
    for (;;) {
        struct pollfd wait = {.fd = watch, .events = POLLIN};
        char *json = status_file(), events[4096];
        bool gone = !strstr(json, text);

        free(json);
        if (gone)
            break;
        if (poll(&wait, 1, HARNESS_TIMEOUT_MS) != 1)
            fail_msg("%s stays in the status file", text);
        assert_true(read(watch, events, sizeof(events)) > 0);
    }
    close(watch);
}

static void a_fault_ends_by_itself(void **state)
{
    (void)state;
    start_with_file();
    must_apply(host, "load fail=rename=-1:ENOSPC for=1");
    host_expect(host, rename_it, "-1 28");
    await_not_in_status_file("\"module\":\"fail:rename\"");
    host_expect(host, rename_it, "0 0");
    finish();
}

/* It begins with its parent's counts, as with all its memory. */
static void a_forked_child_counts_for_itself(void **state)
{
    struct host parent;

    (void)state;
    start("host");
    must_apply(host, "load fail=answer=7 times=3");
    host_expect(host, "answer", "7");
    parent = *host;
    host_become(host, "fork");
    assert_int_equal(number("modules", "fail:answer", "strikes"), 1);
    host_expect(host, "answer", "7");
    host_expect(host, "answer", "7");
    host_expect(host, "answer", "1");
    assert_int_equal(number("modules", "fail:answer", "strikes"), 3);
    assert_int_equal(number("modules", "fail:answer", "calls"), 4);
    assert_int_equal(number_in(&parent, "modules", "fail:answer", "strikes"), 1);
    finish();
}

static void the_command_loads_and_shows_faults(void **state)
{
    char pid[16];
    struct output *output;

    (void)state;
    start_with_file();
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    output = hotpatch(host, "load", pid, patch_file("import_getenv"), "--fail", "rename=-1:ENOSPC",
                      "--fail", "dlerror=0", "--times", "1", NULL);
    assert_int_equal(output->status, 0);
    assert_non_null(strstr(output->out, "applied fail:rename: 1 slot in PID"));
    assert_non_null(strstr(output->out, "applied fail:dlerror: 1 slot in PID"));
    assert_non_null(strstr(output->out, "applied environment"));
    output_free(output);
    host_expect(host, rename_it, "-1 28");
    host_expect(host, rename_it, "0 0");
    output = hotpatch(host, "status", pid, NULL);
    assert_non_null(strstr(output->out, "fail:rename struck 1 of 2 calls"));
    output_free(output);
    output = hotpatch(host, "slots", pid, "rename", NULL);
    assert_non_null(strstr(output->out, "IMPORTERS"));
    assert_non_null(strstr(output->out, "libc.so.6"));
    output_free(output);
    output = hotpatch(host, "revert", pid, "fail:rename", NULL);
    assert_int_equal(output->status, 0);
    output_free(output);
    output = hotpatch(host, "load", pid, "--fail", "rename", NULL);
    assert_int_equal(output->status, 2);
    output_free(output);
    output = hotpatch(host, "load", pid, "--nth", "3", patch_file("import_getenv"), NULL);
    assert_int_equal(output->status, 2);
    output_free(output);
    finish();
}

#define LIVE(test) cmocka_unit_test_teardown(test, stop)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        LIVE(all_importers_of_a_definition_switch_together),
        LIVE(an_object_narrows_nothing_where_the_definition_is_one),
        LIVE(slots_tells_definition_and_importers),
        LIVE(slots_tells_what_cannot_be_patched),
        cmocka_unit_test(slots_of_a_stripped_file_lists_imports),
        LIVE(a_replacement_calls_what_it_replaces),
        LIVE(the_engine_works_while_rename_fails),
        LIVE(the_engine_works_while_open_fails),
        LIVE(the_engine_works_while_write_fails),
        LIVE(the_engine_works_while_malloc_fails),
        LIVE(a_library_of_a_non_pie_program_does_not_loop),
        LIVE(read_only_words_switch),
        LIVE(a_library_opened_later_gets_the_layer),
        LIVE(status_lays_the_layer_over_a_new_library),
        LIVE(a_library_opened_anew_where_it_lay_gets_the_layer),
        LIVE(a_library_in_a_name_space_of_its_own_is_left_alone),
        LIVE(a_library_comes_and_goes_during_switches),
        LIVE(the_resolver_does_not_win_over_a_switch),
        LIVE(a_resolver_that_comes_out_late_does_not_win),
        LIVE(an_address_inside_a_function_is_left_alone),
        LIVE(a_pointer_that_the_program_changed_is_its_own),
        LIVE(a_pointer_changed_under_a_layer_is_its_own),
        LIVE(a_got_word_that_the_program_changed_is_refused),
        LIVE(all_kinds_of_patches_switch_in_one_transaction),
        LIVE(two_definitions_are_ambiguous),
        LIVE(a_version_names_one_of_two_definitions),
        LIVE(an_indirect_function_is_replaced_and_restored),
        LIVE(a_fault_strikes_at_every_nth_call),
        LIVE(a_fault_strikes_so_many_times),
        LIVE(a_fault_strikes_by_chance),
        LIVE(a_fault_strikes_one_caller_alone),
        LIVE(a_fault_ends_by_itself),
        LIVE(a_forked_child_counts_for_itself),
        LIVE(the_command_loads_and_shows_faults),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("imports", tests, NULL, NULL);
}
