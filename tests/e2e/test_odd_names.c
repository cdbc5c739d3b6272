/*
 * test_odd_names.c - functions whose names are longer than a line or no UTF-8, and paths that lead
 * nowhere any more: right, or refused in words, and never cut.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/hosts/parts/odd_names.h"
#include "tests/support/harness.h"
#include "tests/support/utf8_strict.h"

#pragma GCC diagnostic ignored "-Woverlength-strings"

#define FIFTY "fifty" TEN TEN "\xe9"
#define MIXED_SHOWN "na\xc3\xafve_\xc2\x80\xc3\xad\xc2\xa0\xc2\x80\xc3\xbf"

static char pid[16]; /* of the host */

static int start(void **state)
{
    struct host *host = host_start("names", NULL);

    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    *state = host;
    return 0;
}

static int stop(void **state)
{
    host_kill(*state);
    return 0;
}

static void assert_output(struct output *output, int status, const char *error)
{
    if (output->status != status || (error && !strstr(output->error, error)))
        fail_msg("exit %d\n%.1000s%.6000s", output->status, output->out, output->error);
    if (!utf8_strict(output->out, strlen(output->out)) ||
        !utf8_strict(output->error, strlen(output->error)))
        fail_msg("no UTF-8: %.1000s%.6000s", output->out, output->error);
    output_free(output);
}

static void a_manifest_names_them(void **state)
{
    struct host *host = *state;

    host_expect(host, "ask", "1 2 3 4");
    assert_output(hotpatch(host, "load", pid, patch_file("odd_names"), NULL), 0, NULL);
    host_expect(host, "ask", "101 202 303 4");
    assert_output(hotpatch(host, "status", pid, "--history", NULL), 0, NULL);
    assert_output(hotpatch(host, "check", pid, patch_file("odd_names"), NULL), 0, NULL);
    assert_output(hotpatch(host, "revert", pid, LATIN_NAME "-fix", NULL), 0, NULL);
    host_expect(host, "ask", "1 2 3 4");
}

static void check_of_the_file_agrees(void **state)
{
    assert_output(hotpatch(*state, "check", built("hosts/names"), patch_file("odd_names"), NULL), 0,
                  NULL);
    assert_output(hotpatch(*state, "check", built("hosts/names"), patch_file("odd_missing"), NULL),
                  1, LONG_NAME "_missing\xc3\xa9\n");
}

static void replace_names_them(void **state)
{
    static const char *const names[] = {LONG_NAME, LATIN_NAME, MIXED_NAME, "exe:" LONG_NAME};
    static const char *const answers[] = {"50 2 3 4", "1 50 3 4", "1 2 50 4", "50 2 3 4"};
    struct host *host = *state;

    for (size_t i = 0; i < 4; i++) {
        char value[3000];

        snprintf(value, sizeof(value), "%s=%s", names[i], FIFTY);
        assert_output(
            hotpatch(host, "load", pid, "--replace", value, patch_file("odd_plain"), NULL), 0,
            NULL);
        host_expect(host, "ask", answers[i]);
        assert_output(hotpatch(host, "revert", pid, "last", NULL), 0, NULL);
    }
    host_expect(host, "ask", "1 2 3 4");
}

static void a_fault_names_them_and_ends_by_itself(void **state)
{
    struct host *host = *state;
    struct reply *reply;

    assert_output(hotpatch(host, "load", pid, "--fail", LONG_NAME "=7", NULL), 0, NULL);
    host_expect(host, "ask", "7 2 3 4");
    reply = request(host, "status");
    assert_string_equal(
        member_text(json_object_array_get_idx(member(reply->json, "status.modules"), 0), "fault"),
        LONG_NAME "=7");
    reply_free(reply);
    assert_output(hotpatch(host, "revert", pid, "fail:" LONG_NAME, NULL), 0, NULL);
    host_expect(host, "ask", "1 2 3 4");

    assert_output(hotpatch(host, "load", pid, "--fail", LONG_NAME "=7", "--for", "1", NULL), 0,
                  NULL);
    AWAIT(strcmp(host_ask(host, "ask"), "7 2 3 4") != 0, "the end of the fault");
    host_expect(host, "ask", "1 2 3 4");
}

/* The slots of the program whose names match. */
static json_object *listed(struct host *host, const char *glob, struct reply **reply)
{
    *reply = request(host, "slots kind=entry match=%s", glob);
    return member((*reply)->json, "slots");
}

static void assert_listed(struct host *host, const char *glob, const char *name)
{
    struct reply *reply;
    json_object *slots = listed(host, glob, &reply);

    assert_true(json_object_is_type(slot_named(slots, name), json_type_object));
    reply_free(reply);
}

static void slots_lists_them_whole_in_every_locale(void **state)
{
    static const char *const locales[] = {"locale C", "locale C.UTF-8"};
    struct host *host = *state;

    for (size_t i = 0; i < 2; i++) {
        host_expect(host, locales[i], "set");
        assert_listed(host, "_RNvCs1_*", LONG_NAME);
        assert_listed(host, LONG_NAME, LONG_NAME);
        assert_listed(host, "_RNvCs2_*", ENDLESS_NAME);
        assert_listed(host, LATIN_NAME, "caf\xc3\xa9");
        assert_listed(host, "caf?", "caf\xc3\xa9");
        assert_listed(host, "na*", MIXED_SHOWN);
    }
    host_expect(host, "locale C", "set");
    assert_output(hotpatch(host, "slots", built("hosts/names"), LONG_NAME, NULL), 0, NULL);
    assert_output(hotpatch(host, "slots", built("hosts/names"), LATIN_NAME, "--json", NULL), 0,
                  NULL);
}

static void what_is_longer_than_a_request_is_refused_and_goes_by_its_offset(void **state)
{
    struct host *host = *state;
    struct reply *reply;
    json_object *slot = slot_named(listed(host, "_RNvCs2_*", &reply), ENDLESS_NAME);
    char value[200];

    assert_output(hotpatch(host, "load", pid, "--fail", ENDLESS_NAME "=1", NULL), 1,
                  "HP-LINE-TOO-LONG");
    assert_output(hotpatch(host, "load", pid, "--replace", ENDLESS_NAME "=" FIFTY,
                           patch_file("odd_plain"), NULL),
                  1, "HP-LINE-TOO-LONG");
    assert_output(hotpatch(host, "slots", pid, ENDLESS_NAME, NULL), 1, "HP-LINE-TOO-LONG");
    assert_output(hotpatch(host, "revert", pid, ENDLESS_NAME, NULL), 1, "HP-LINE-TOO-LONG");
    assert_output(hotpatch(host, "explain", ENDLESS_NAME, NULL), 2, ENDLESS_NAME);
    assert_output(hotpatch(host, "load", pid, patch_file("odd_endless"), NULL), 1, "HP-MANIFEST");

    snprintf(value, sizeof(value), "names+0x%llx=%s",
             (unsigned long long)json_object_get_int64(member(slot, "offset")), FIFTY);
    reply_free(reply);
    assert_output(hotpatch(host, "load", pid, "--replace", value, patch_file("odd_plain"), NULL), 0,
                  NULL);
    host_expect(host, "ask", "1 2 3 50");
    assert_output(hotpatch(host, "revert", pid, "all", NULL), 0, NULL);
    host_expect(host, "ask", "1 2 3 4");
}

static void a_refusal_holds_the_whole_name(void **state)
{
    struct host *host = *state;
    struct reply *reply;
    json_object *history, *record;

    assert_output(hotpatch(host, "load", pid, patch_file("odd_missing"), NULL), 1,
                  LONG_NAME "_missing\xc3\xa9\n");
    reply = request(host, "status");
    history = member(reply->json, "status.history");
    record = json_object_array_get_idx(history, json_object_array_length(history) - 1);
    assert_non_null(strstr(member_text(record, "text"), LONG_NAME "_missing\xc3\xa9"));
    reply_free(reply);
}

/* Which a list of 300 bytes has no room for. */
static void a_name_that_a_list_has_no_room_for_ends_in_dots(void **state)
{
    struct host *host = *state;
    struct reply *reply;
    const char *same =
        member_text(slot_named(listed(host, "long_alias", &reply), "long_alias"), "same_code");
    size_t length = strlen(same);

    assert_in_range(length, 200, 300);
    assert_memory_equal(same, LONG_NAME, length - 3);
    assert_string_equal(same + length - 3, "...");
    reply_free(reply);
}

static void a_line_of_the_log_that_is_cut_ends_in_dots(void **state)
{
    static const char *const environment[] = {"HOTPATCH_PATCH=/" LONG_NAME, NULL};
    struct host *host = host_start("names", environment);
    const char *log = host_log(host), *end = strchr(log, '\n');

    (void)state;
    assert_non_null(end);
    assert_in_range(end - log, 1000, 1023);
    assert_memory_equal(end - 3, "...", 3);
    assert_null(strchr(end + 1, '\n'));
    host_kill(host);
}

/* ---- a working directory that was removed ---- */

#define REMOVED "d=$(mktemp -d) && cd \"$d\" && rmdir \"$d\" || exit 99; "

static struct output *removed(struct host *host, const char *words)
{
    char script[512];

    snprintf(script, sizeof(script), REMOVED "exec \"$0\" %s", words);
    return run_program(host, (const char *[]){"sh", "-c", script, built("hotpatch"), pid,
                                              built("hosts/names"), patch_file("odd_names"), NULL});
}

static void a_relative_path_in_a_removed_directory_is_refused(void **state)
{
    static const char *const lines[] = {
        "load $1 fix.so",  "load $1 ../fix.so --json",  "load --follow $1 ./fix.so",
        "check $1 fix.so", "run --patch fix.so \"$2\"",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct output *output = removed(*state, lines[i]);

        if (output->status != 1 ||
            (!strstr(output->error, "HP-PATH") && !strstr(output->out, "HP-PATH")))
            fail_msg("%s: exit %d\n%s%s", lines[i], output->status, output->out, output->error);
        output_free(output);
    }
    assert_output(removed(*state, "check ./program \"$3\""), 1, "HP-OPEN");
    assert_output(removed(*state, "check \"$2\" ./fix.so"), 1, "HP-OPEN");
    assert_output(removed(*state, "slots ./program"), 1, "HP-OPEN");
    assert_output(removed(*state, "doctor ./program"), 1, NULL);
}

static void an_absolute_one_there_is_taken(void **state)
{
    struct host *host = *state;

    assert_output(removed(host, "load $1 \"$3\""), 0, NULL);
    host_expect(host, "ask", "101 202 303 4");
    assert_output(removed(host, "revert $1 all"), 0, NULL);
    assert_output(removed(host, "check \"$2\" \"$3\""), 0, NULL);
    host_expect(host, "ask", "1 2 3 4");
}

/* The program's own working directory may have been removed as well, at its start or later. */
static void a_relative_startup_patch_in_a_removed_directory_is_refused(void **state)
{
    struct output *output = run_program(
        *state,
        (const char *[]){"sh", "-c",
                         REMOVED "HOTPATCH_PATCH=fix.so LD_PRELOAD=\"$0\" exec \"$1\" </dev/null",
                         built("libhotpatch_preload.so"), built("hosts/names"), NULL});

    assert_non_null(strstr(output->error, "fix.so is refused: HP-PATH"));
    assert_string_equal(output->out, "ready\n");
    assert_int_equal(output->status, 0);
    output_free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_a_list_has_no_room_for_ends_in_dots), /* before it is armed */
        cmocka_unit_test(a_manifest_names_them),
        cmocka_unit_test(check_of_the_file_agrees),
        cmocka_unit_test(replace_names_them),
        cmocka_unit_test(a_fault_names_them_and_ends_by_itself),
        cmocka_unit_test(slots_lists_them_whole_in_every_locale),
        cmocka_unit_test(what_is_longer_than_a_request_is_refused_and_goes_by_its_offset),
        cmocka_unit_test(a_refusal_holds_the_whole_name),
        cmocka_unit_test(a_line_of_the_log_that_is_cut_ends_in_dots),
        cmocka_unit_test(a_relative_path_in_a_removed_directory_is_refused),
        cmocka_unit_test(an_absolute_one_there_is_taken),
        cmocka_unit_test(a_relative_startup_patch_in_a_removed_directory_is_refused),
    };

    if (sanitized_for_threads()) /* which makes every function begin with a call */
        return 0;
    return cmocka_run_group_tests(tests, start, stop);
}
