/*
 * test_entries.c - entry slots in live processes: functions that nobody declared, replaced at their
 * first bytes by name and by place, under threads, sandboxes and debuggers, and brought back.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void open_library(void)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libentries.so")), "opened");
}

static const char *replace(const char *target, const char *symbol)
{
    return outcome(host, "load replace=%s=%s %s", target, symbol, patch_file("entry_plain"));
}

static void must_replace(const char *target, const char *symbol)
{
    must_apply(host, "load replace=%s=%s %s", target, symbol, patch_file("entry_plain"));
}

/* The target's question gives `before`, `two` as its replacement and `before` again. */
static void there_and_back(const char *target, const char *question, const char *before,
                           const char *after)
{
    host_expect(host, question, before);
    must_replace(target, "two");
    host_expect(host, question, after);
    must_apply(host, "revert last");
    host_expect(host, question, before);
}

/* ---- what lies in memory ---- */

/* What /proc/PID/maps shows of the tests' objects, and their code. */
struct picture {
    char maps[8192];
    unsigned char *code;
    size_t size;
};

/* Mappings that follow each other with the same protection are one, however the kernel keeps them. */
static void note_mapping(struct picture *picture, const char *line)
{
    unsigned long begin, end, last_end = 0;
    char protection[8], last[8] = "";
    size_t length = strlen(picture->maps);
    const char *path = strchr(line, '/');
    int at = 0;

    assert_int_equal(sscanf(line, "%lx-%lx %7s", &begin, &end, protection), 3);
    while (length > 0 && picture->maps[length - 1] != '\n')
        length--;
    if (sscanf(picture->maps + length, "-%lx %7s%n", &last_end, last, &at) == 2 &&
        last_end == begin && strcmp(last, protection) == 0)
        picture->maps[length] = '\0';
    else
        sprintf(picture->maps + strlen(picture->maps), "%.*s%lx\n", (int)strcspn(path, "\n"), path,
                begin);
    sprintf(picture->maps + strlen(picture->maps), "-%lx %s", end, protection);
}

static void read_code(struct picture *picture, int memory, unsigned long begin, unsigned long end)
{
    size_t size = end - begin;

    picture->code = realloc(picture->code, picture->size + size);
    assert_non_null(picture->code);
    assert_int_equal(pread(memory, picture->code + picture->size, size, (off_t)begin), size);
    picture->size += size;
}

static struct picture take_picture(pid_t pid)
{
    struct picture picture = {0};
    char path[64], line[1024], protection[8];
    unsigned long begin, end;
    FILE *maps;
    int memory;

    snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
    memory = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    maps = fopen(path, "re");
    assert_true(memory >= 0 && maps);
    while (fgets(line, sizeof(line), maps)) {
        if (!strstr(line, "/hosts/"))
            continue;
        assert_true(strlen(picture.maps) + strlen(line) + 64 < sizeof(picture.maps));
        note_mapping(&picture, line);
        assert_int_equal(sscanf(line, "%lx-%lx %7s", &begin, &end, protection), 3);
        if (protection[2] == 'x')
            read_code(&picture, memory, begin, end);
    }
    fclose(maps);
    close(memory);
    assert_true(picture.size > 0);
    return picture;
}

static void free_picture(struct picture *picture)
{
    free(picture->code);
}

/* How many bytes of code differ; mappings and protections must not. */
static size_t bytes_changed(const struct picture *before, const struct picture *after)
{
    size_t changed = 0;

    assert_string_equal(before->maps, after->maps);
    assert_int_equal(before->size, after->size);
    for (size_t i = 0; i < before->size; i++)
        changed += before->code[i] != after->code[i];
    return changed;
}

static size_t changed_since(const struct picture *before, pid_t pid)
{
    struct picture after = take_picture(pid);
    size_t changed = bytes_changed(before, &after);

    free_picture(&after);
    return changed;
}

/* ---- what the engine says ---- */

/* What `slots` says of an entry: the text of one of its members. */
static const char *said_of(const char *name, const char *key)
{
    static char text[300];
    struct reply *reply = request(host, "slots kind=entry match=%s", name);
    const char *value = member_text(slot_named(member(reply->json, "slots"), name), key);

    snprintf(text, sizeof(text), "%s", value ? value : "null");
    reply_free(reply);
    return text;
}

static const char *status_of(const char *name, const char *key)
{
    static char text[300];
    struct reply *reply = request(host, "status");
    const char *value = member_text(slot_named(member(reply->json, "status.slots"), name), key);

    snprintf(text, sizeof(text), "%s", value ? value : "null");
    reply_free(reply);
    return text;
}

static void by_offset(const char *object, const char *name, char *target, size_t size)
{
    snprintf(target, size, "%s+0x%llx", object, strtoull(said_of(name, "offset"), NULL, 10));
}

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
    before = take_picture(host->pid);
    assert_string_equal(replace(target, "two"), "HP-NO-TARGET");
    assert_string_equal(replace("exe+0xffffffff0", "two"), "HP-NO-TARGET");
    assert_int_equal(changed_since(&before, host->pid), 0);
    free_picture(&before);
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
    struct picture before = take_picture(host->pid);
    struct reply *reply =
        request(host, "load replace=%s=two %s", target, patch_file("entry_plain"));

    assert_string_equal(reply->code, "HP-NOT-PATCHABLE");
    if (!strstr(reply->text, reason))
        fail_msg("%s: %s", target, reply->text);
    reply_free(reply);
    assert_string_equal(said_of(target, "patchable"), "false");
    assert_non_null(strstr(said_of(target, "why"), reason));
    assert_int_equal(changed_since(&before, host->pid), 0);
    free_picture(&before);
}

static void what_cannot_be_patched_is_refused_with_the_reason(void **state)
{
    (void)state;
    start("entries");
    expect_refusal("too_short", "shorter than a jump");
    expect_refusal("call_inside", "a call returns");
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
                                         "branches"};
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

static void a_loop_among_the_first_bytes_goes_on(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("entry_jumps_back"));
    host_expect(host, "shape jumps_back", "5");
    must_apply(host, "revert all");
    host_expect(host, "shape jumps_back", "1");
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

/* ---- transactions ---- */

static void a_version_takes_the_place_of_another(void **state)
{
    struct picture armed;

    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
    armed = take_picture(host->pid);
    must_apply(host, "load %s", patch_file("answer3"));
    host_expect(host, "answer", "3");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    assert_int_equal(changed_since(&armed, host->pid), 0); /* text is written once */
    free_picture(&armed);
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
    before = take_picture(host->pid);
    assert_string_equal(outcome(host, "begin\nload %s\nload %s\nload %s\nload %s\ncommit",
                                patch_file("library_value"), patch_file("import_getenv"),
                                patch_file("answer2"), patch_file("no_target")),
                        "HP-NO-TARGET");
    assert_string_equal(outcome(host, "begin\nload %s\nload %s\ncommit", patch_file("calls"),
                                patch_file("hook_refuses")),
                        "HP-HOOK");
    assert_int_equal(changed_since(&before, host->pid), 0);
    free_picture(&before);
    host_expect(host, "call library_answer", "40");
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "none");
    host_expect(host, "sum", "10");
    assert_unchanged(host);
    finish();
}

static void a_dry_run_leaves_every_byte(void **state)
{
    struct picture before;

    (void)state;
    start("entries");
    before = take_picture(host->pid);
    must_apply(host, "load dry-run=1 %s", patch_file("answer2"));
    host_expect(host, "answer", "1");
    assert_string_equal(said_of("answer", "armed"), "false");
    assert_int_equal(changed_since(&before, host->pid), 0);
    free_picture(&before);
    finish();
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

/* ---- libraries that come and go ---- */

static void a_patched_library_stays_loaded(void **state)
{
    (void)state;
    start("entries");
    open_library();
    must_replace("libentries.so:in_library", "two");
    host_expect(host, "dlclose", "closed");
    open_library();
    host_expect(host, "call in_library", "2");
    must_apply(host, "revert all");
    host_expect(host, "call in_library", "40");
    finish();
}

static void an_unpatched_library_can_leave(void **state)
{
    (void)state;
    start("entries");
    for (int i = 0; i < 5; i++) {
        open_library();
        host_expect(host, "call in_library", "40");
        must_apply(host, "load dry-run=1 replace=libentries.so:in_library=two %s",
                   patch_file("entry_plain"));
        host_expect(host, "dlclose", "closed");
        struct picture left = take_picture(host->pid);

        assert_null(strstr(left.maps, "libentries.so"));
        free_picture(&left);
        assert_string_equal(replace("libentries.so:in_library", "two"), "HP-NO-TARGET");
    }
    finish();
}

/* ---- children ---- */

static void a_child_inherits_layers_and_is_patched_apart(void **state)
{
    struct picture parent;
    pid_t child, parent_pid;

    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("answer2"));
    parent_pid = host->pid;
    host_become(host, "fork");
    parent = take_picture(parent_pid);
    assert_int_equal(changed_since(&parent, host->pid), 0);
    host_expect(host, "answer", "2");
    must_apply(host, "load replace=second=two %s", patch_file("entry_plain"));
    host_expect(host, "second", "2");
    must_apply(host, "revert name=answer");
    host_expect(host, "answer", "1");
    assert_int_equal(changed_since(&parent, parent_pid), 0);
    assert_int_not_equal(changed_since(&parent, host->pid), 0);
    child = host->pid;
    host->pid = parent_pid; /* whose requests its own threads still take */
    assert_string_equal(status_of("answer", "live_module"), "answer");
    host->pid = child;
    free_picture(&parent);
    finish();
}

static void a_daemon_inherits_layers(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load %s", patch_file("answer2"));
    host_become(host, "daemonize");
    host_expect(host, "answer", "2");
    must_apply(host, "load replace=second=two %s", patch_file("entry_plain"));
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    host_expect(host, "second", "10");
    finish();
}

/* ---- threads and signals ---- */

/* Functions that all threads go through are armed, switched and brought back. */
static void switch_under_threads(const char *threads)
{
    assert_string_equal(host_ask(host, "%s", threads), "started");
    for (int i = 0; i < 10; i++) {
        must_apply(host, "load %s", patch_file("answer2"));
        host_expect(host, "answer", "2");
        must_apply(host, "load %s", patch_file("entry_shapes"));
        host_expect(host, "shape straddles_page", "5");
        must_apply(host, "load replace=exported_answer=nine %s", patch_file("entry_plain"));
        host_expect(host, "exported", "9");
        must_apply(host, "load %s", patch_file("answer3"));
        host_expect(host, "answer", "3");
        must_apply(host, "revert all");
        assert_unchanged(host);
    }
    host_expect(host, "stop-threads", "wrong 0");
}

static void threads_go_through_switches(void **state)
{
    (void)state;
    start("entries");
    switch_under_threads("threads 4");
    finish();
}

static void threads_go_through_switches_at_4_mb(void **state)
{
    (void)state;
    start("entries-nopie");
    switch_under_threads("threads 4");
    finish();
}

static void threads_go_through_switches_behind_endbr64(void **state)
{
    (void)state;
    start("entries-cet");
    switch_under_threads("threads 4");
    finish();
}

/* One instruction, several in one word, and a first one that is longer than a byte. */
static void switch_under_mute_threads(const char *threads)
{
    host_expect(host, threads, "started");
    for (int i = 0; i < 10; i++) {
        must_apply(host, "load %s", patch_file("answer2"));
        host_expect(host, "answer", "2");
        must_apply(host, "load replace=padded=three replace=branches=nine %s",
                   patch_file("entry_plain"));
        host_expect(host, "shape padded", "3");
        host_expect(host, "shape branches", "9");
        must_apply(host, "revert all");
        assert_unchanged(host);
    }
    host_expect(host, "stop-threads", "wrong 0");
}

static void threads_that_block_sigtrap_live_on(void **state)
{
    (void)state;
    start("entries");
    switch_under_mute_threads("threads-without-sigtrap 2");
    finish();
}

static void threads_that_block_every_signal_live_on(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "sleepers-without-signals 1", "started");
    switch_under_mute_threads("threads-without-signals 2");
    finish();
}

/* It never sleeps, so nobody can tell that it is not among the bytes that would change. */
static void a_thread_that_blocks_every_signal_and_never_sleeps_is_named(void **state)
{
    struct picture before;
    struct reply *reply;

    (void)state;
    start("entries");
    host_expect(host, "spinners-without-signals 1", "started");
    before = take_picture(host->pid);
    reply =
        request(host, "load timeout=200 replace=straddles_page=two %s", patch_file("entry_plain"));
    assert_string_equal(reply->code, "HP-SIGTRAP-BLOCKED");
    assert_int_equal(reply->exit_code, 4);
    assert_non_null(strstr(reply->text, "(entries)"));
    reply_free(reply);
    assert_int_equal(changed_since(&before, host->pid), 0);
    free_picture(&before);
    host_expect(host, "stop-threads", "wrong 0");
    there_and_back("straddles_page", "shape straddles_page", "1", "2");
    finish();
}

static void the_programs_own_handler_gets_its_traps(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "take-sigtrap", "taken");
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "trap", "1");
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    switch_under_threads("threads 4");
    host_expect(host, "trap", "2");
    finish();
}

static void a_handler_that_comes_later_gets_its_traps(void **state)
{
    (void)state;
    start("entries");
    must_apply(host, "load replace=second=two %s", patch_file("entry_plain"));
    host_expect(host, "take-sigtrap", "taken");
    must_apply(host, "revert all");
    switch_under_threads("threads 4");
    host_expect(host, "trap", "1");
    finish();
}

/* ---- sandboxes ---- */

static void patch_in_a_sandbox(const char *question, const char *answer)
{
    start("entries");
    open_library();
    const char *got = host_ask(host, "%s", question);

    if (strcmp(got, answer) != 0) {
        print_message("%s: %s\n", question, got); /* a kernel that does not have it */
        finish();
        skip();
    }
    switch_under_threads("threads 2");
    there_and_back("libentries.so:in_library", "call in_library", "40", "2");
    finish();
}

static void a_program_under_mdwe_is_patched(void **state)
{
    (void)state;
    patch_in_a_sandbox("mdwe", "set");
}

/* Neither ld.so nor pthread_create(3) can do without mprotect: a fault needs no file. */
static void a_program_without_mprotect_is_patched(void **state)
{
    (void)state;
    start("entries");
    host_expect(host, "threads 2", "started");
    must_apply(host, "load dry-run=1 fail=answer=7"); /* the engine itself is a file */
    host_expect(host, "forbid-mprotect", "forbidden");
    for (int i = 0; i < 10; i++) {
        must_apply(host, "begin\nload fail=answer=7\nload fail=straddles_page=6\ncommit");
        host_expect(host, "answer", "7");
        host_expect(host, "shape straddles_page", "6");
        must_apply(host, "revert all");
        host_expect(host, "answer", "1");
        host_expect(host, "shape straddles_page", "1");
    }
    host_expect(host, "stop-threads", "wrong 0");
    finish();
}

static void a_program_that_may_not_make_code_is_patched(void **state)
{
    (void)state;
    patch_in_a_sandbox("forbid-exec", "forbidden");
}

/* ---- debuggers ---- */

static bool have(const char *program)
{
    struct output *output =
        run_program(NULL, (const char *[]){"sh", "-c", "command -v \"$0\"", program, NULL});
    bool found = output->status == 0;

    output_free(output);
    return found;
}

static pid_t attach_gdb(const char *mark)
{
    char pid[16], touch[300];
    pid_t gdb;

    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    snprintf(touch, sizeof(touch), "shell touch %s", mark);
    gdb = fork();
    if (gdb == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execlp("gdb", "gdb", "-nx", "-batch", "-p", pid, "-ex", touch, "-ex", "continue", "-ex",
               "detach", (char *)NULL);
        _exit(127);
    }
    assert_true(gdb > 0);
    await_file(mark);
    return gdb;
}

static void a_program_under_gdb_is_patched(void **state)
{
    pid_t gdb;

    (void)state;
    if (sanitized() || !have("gdb"))
        skip();
    start("entries");
    gdb = attach_gdb(host_path(host, "attached"));
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    assert_unchanged(host);
    kill(gdb, SIGINT);
    assert_int_equal(waitpid(gdb, NULL, 0), gdb);
    host_expect(host, "answer", "1");
    finish();
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, NULL, stop)

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
        LIVE(layers_come_off_in_any_order),
        LIVE(a_replacement_reaches_the_original_by_its_name),
        LIVE(moved_prologues_of_every_shape_work),
        LIVE(moved_prologues_work_in_a_program_at_4_mb),
        LIVE(moved_prologues_work_behind_endbr64),
        LIVE(a_loop_among_the_first_bytes_goes_on),
        LIVE(every_way_to_pass_arguments_works),
        LIVE(every_call_of_a_recursion_is_replaced),
        LIVE(longjmp_leaves_through_a_replacement),
        LIVE(a_version_takes_the_place_of_another),
        LIVE(slots_of_all_kinds_switch_in_one_transaction),
        LIVE(one_wrong_replacement_leaves_every_byte),
        LIVE(a_dry_run_leaves_every_byte),
        LIVE(a_patch_of_the_environment_is_there_before_main),
        LIVE(slots_lists_functions),
        LIVE(status_tells_whether_the_new_code_was_entered),
        LIVE(the_command_patches_a_function),
        LIVE(a_fault_strikes_at_every_nth_call_of_a_function),
        LIVE(a_fault_strikes_one_caller_of_a_function),
        LIVE(a_patched_library_stays_loaded),
        LIVE(an_unpatched_library_can_leave),
        LIVE(a_child_inherits_layers_and_is_patched_apart),
        LIVE(a_daemon_inherits_layers),
        LIVE(threads_go_through_switches),
        LIVE(threads_go_through_switches_at_4_mb),
        LIVE(threads_go_through_switches_behind_endbr64),
        LIVE(threads_that_block_sigtrap_live_on),
        LIVE(threads_that_block_every_signal_live_on),
        LIVE(a_thread_that_blocks_every_signal_and_never_sleeps_is_named),
        LIVE(the_programs_own_handler_gets_its_traps),
        LIVE(a_handler_that_comes_later_gets_its_traps),
        LIVE(a_program_under_mdwe_is_patched),
        LIVE(a_program_without_mprotect_is_patched),
        LIVE(a_program_that_may_not_make_code_is_patched),
        LIVE(a_program_under_gdb_is_patched),
    };

    return cmocka_run_group_tests_name("entries", tests, NULL, NULL);
}
