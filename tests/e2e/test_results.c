/*
 * test_results.c - what the command prints with --json, whatever bytes names have and however it
 * ends; and what it does where its stdout takes nothing.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/directory.h"
#include "tests/support/harness.h"
#include "tests/support/utf8_strict.h"

/* Each kind of byte that a file name can have: Latin-1, control characters, a surrogate, an overlong
 * form, beyond Unicode, a sequence that is cut off. */
#define BYTES "caf\xe9 \x01\x1b[1m\x7f\x9b\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80\xe2\x82"
/* What JSON shows of it. */
#define BYTES_SHOWN                                                                               \
    "caf\xc3\xa9 \x01\x1b[1m\x7f\xc2\x9b\xc3\xad\xc2\xa0\xc2\x80\xc3\x80\xc2\xaf\xc3\xb4\xc2\x90" \
    "\xc2\x80\xc2\x80\xc3\xa2\xc2\x82"

struct bed {
    struct host *host;
    char pid[16];
    char program[128], patch[128], name[64];
};

static int start(void **state)
{
    static struct bed bed;

    if (directory_make(state) != 0 || chmod(directory, 0755) != 0)
        return -1;
    snprintf(bed.name, sizeof(bed.name), "%s-%d", BYTES, (int)getpid()); /* no other test's */
    snprintf(bed.program, sizeof(bed.program), "%s/%s", directory, bed.name);
    snprintf(bed.patch, sizeof(bed.patch), "%s/%s.so", directory, BYTES);
    copy_file(built("hosts/host"), bed.program);
    copy_file(patch_file("answer2"), bed.patch);
    bed.host = host_start(bed.program, NULL);
    snprintf(bed.pid, sizeof(bed.pid), "%d", (int)bed.host->pid);
    *state = &bed;
    return 0;
}

static int stop(void **state)
{
    struct bed *bed = *state;

    host_kill(bed->host);
    return directory_remove(state);
}

/* ---- JSON ---- */

/* One document of a stream; NULL: it is no strict JSON in UTF-8. */
static json_object *strict(const char *text, size_t size)
{
    struct json_tokener *tokener = json_tokener_new();
    json_object *document = NULL;

    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    if (utf8_strict(text, size))
        document = json_tokener_parse_ex(tokener, text, (int)size);
    if (json_tokener_get_error(tokener) != json_tokener_success ||
        json_tokener_get_parse_end(tokener) != size) {
        json_object_put(document);
        document = NULL;
    }
    json_tokener_free(tokener);
    return document;
}

/* The object in that line, whose "exit" is `status`. */
static json_object *assert_has_exit(const char *line, const char *end, int status)
{
    json_object *document = strict(line, (size_t)(end - line)), *exit_code = NULL;

    if (!document || !json_object_is_type(document, json_type_object))
        fail_msg("no JSON: %s", line);
    if (!json_object_object_get_ex(document, "exit", &exit_code) ||
        !json_object_is_type(exit_code, json_type_int))
        fail_msg("without exit: %s", line);
    if (json_object_get_int(exit_code) != status)
        fail_msg("exit is not %d: %s", status, line);
    return document;
}

/* The one line that there is, whose "exit" is the command's. */
static json_object *assert_document(const struct output *output)
{
    const char *end = strchr(output->out, '\n');

    if (!end || end[1])
        fail_msg("not one line: %s%s", output->out, output->error);
    return assert_has_exit(output->out, end, output->status);
}

/* `hotpatch WORDS...`, as one string that sh(1) splits; $PID, $PATCH, $PROGRAM and $GOOD are set. */
static struct output *shell(struct bed *bed, const char *script)
{
    setenv("HOTPATCH", built("hotpatch"), 1);
    setenv("PID", bed->pid, 1);
    setenv("PATCH", bed->patch, 1);
    setenv("PROGRAM", bed->program, 1);
    setenv("GOOD", patch_file("second"), 1);
    setenv("BAD", patch_file("no_target"), 1);
    setenv("NAME", bed->name, 1);
    return run_program(bed->host, (const char *[]){"sh", "-c", script, NULL});
}

static void assert_json(struct bed *bed, const char *words, int status)
{
    char script[512];
    struct output *output;

    snprintf(script, sizeof(script), "exec \"$HOTPATCH\" %s", words);
    output = shell(bed, script);
    if (output->status != status)
        fail_msg("%s: exit %d, expected %d\n%s%s", words, output->status, status, output->out,
                 output->error);
    json_object_put(assert_document(output));
    output_free(output);
}

static void every_verb_prints_json_that_has_exit(void **state)
{
    static const struct {
        const char *words;
        int status;
    } lines[] = {
        {"--version --json", 0},
        {"--help --json", 0},
        {"help --json", 0},
        {"load --help --json", 0},
        {"explain --json", 0},
        {"explain --json HP-BUSY", 0},
        {"ps --json", 0},
        {"slots --json $PID", 0},
        {"slots --json $PID 'a*'", 0},
        {"slots --json \"@$NAME\"", 0},
        {"slots --json \"$PROGRAM\"", 0},
        {"slots --json \"$PROGRAM\" 'other.so:*'", 0},
        {"slots --json /etc/passwd", 1},
        {"slots --json /nowhere", 1},
        {"load --json --dry-run $PID \"$PATCH\"", 0},
        {"load --json $PID \"$PATCH\"", 0},
        {"load --json $PID \"$BAD\"", 1},
        {"load --json $PID /nowhere.so", 1},
        {"load --json $PID \"/$NAME\"", 1},
        {"load --json $PID \"$PATCH\" \"$GOOD\"", 0},
        {"load --json \"@$NAME\" \"$GOOD\"", 0},
        {"load --json 999999999 \"$GOOD\"", 3},
        {"load --json $$ \"$GOOD\"", 3},
        {"load --json $PID --fail \"$NAME=1\"", 2},
        {"load --json $PID --fail getenv=1:ENOTHING", 1},
        {"load --json $PID --replace \"$(printf 'a\\351')=b\" \"$GOOD\"", 1},
        {"status --json $PID", 0},
        {"status --json --history \"@$NAME\"", 0},
        {"status --json @nothing-of-that-name", 3},
        {"reload --json $PID", 0},
        {"check --json $PID \"$GOOD\"", 0},
        {"check --json $PID \"$BAD\"", 1},
        {"check --json \"$PROGRAM\" \"$PATCH\"", 0},
        {"check --json \"$PROGRAM\" \"$BAD\"", 1},
        {"check --json \"$PATCH\" \"$PROGRAM\"", 1},
        {"doctor --json $PID", 0},
        {"doctor --json \"@$NAME\"", 0},
        {"doctor --json \"$PROGRAM\"", 0},
        {"doctor --json \"$PROGRAM-\"", 1},
        {"revert --json $PID \"$(printf 'a\\351')\"", 1},
        {"revert --json $PID last", 0},
        {"revert --json \"@$NAME\" all", 0},
        {"run --json \"$PROGRAM-\"", 1},
        {"build --json", 2},
        {"watch --json", 2},
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_json(*state, lines[i].words, lines[i].status);
}

static void a_usage_error_is_json_wherever_json_stands(void **state)
{
    static const char *const lines[] = {
        "--json",
        "--json status $PID",
        "--json nothing",
        "nothing --json",
        "\"$NAME\" --json",
        "--nothing --json",
        "load --json",
        "load --json $PID",
        "load $PID --json",
        "load --nothing --json $PID",
        "load --json --nothing $PID",
        "load $PID \"$GOOD\" --nothing --json",
        "load $PID \"$GOOD\" --json -x",
        "load $PID \"$GOOD\" -x --json",
        "load $PID \"$GOOD\" --json --timeout",
        "load $PID \"$GOOD\" --timeout --json",
        "load $PID \"$GOOD\" --timeout=never --json",
        "load $PID \"$GOOD\" --when=\"$NAME\" --json",
        "load $PID \"$GOOD\" --dry-run=1 --json",
        "load $PID \"$GOOD\" --dry-run --follow --json",
        "load \"$NAME\" \"$GOOD\" --json",
        "revert $PID --json",
        "revert --json $PID \"$NAME\"",
        "revert --json $PID a b",
        "reload --json",
        "slots --json",
        "slots --json $PID \"$NAME\"",
        "slots --json $PID --kind=\"$NAME\"",
        "slots $PID --js --kind=x",
        "status --json",
        "status --json $PID $PID",
        "ps --json $PID",
        "check --json $PID",
        "check --debug --json",
        "doctor --json",
        "explain --json \"$NAME\"",
        "explain a b --json",
        "run --json",
        "run --json --patch",
        "run --nothing --json",
        "run --json --patch a:b x",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        assert_json(*state, lines[i], 2);
}

static void words_of_the_program_are_not_the_commands(void **state)
{
    struct output *output = shell(*state, "\"$HOTPATCH\" run /nowhere --json");

    assert_int_equal(output->status, 1);
    assert_string_equal(output->out, "");
    output_free(output);
}

/* ---- names of any bytes ---- */

static void assert_shown(const char *text, const char *where)
{
    if (!strstr(text, BYTES_SHOWN))
        fail_msg("%s has: %s", where, text);
}

static void a_patch_and_a_program_of_any_bytes_are_shown_in_full(void **state)
{
    struct bed *bed = *state;
    struct output *output = shell(bed, "exec \"$HOTPATCH\" load --json $PID \"$PATCH\"");
    json_object *document = assert_document(output), *status;

    assert_int_equal(output->status, 0);
    host_expect(bed->host, "answer", "2");
    json_object_put(document);
    output_free(output);

    output = shell(bed, "exec \"$HOTPATCH\" status --json $PID");
    document = assert_document(output);
    status = member(document, "status");
    assert_shown(member_text(status, "program"), "program");
    assert_shown(member_text(json_object_array_get_idx(member(status, "modules"), 0), "path"),
                 "path");
    json_object_put(document);
    output_free(output);

    output = shell(bed, "exec \"$HOTPATCH\" revert --json $PID all");
    assert_int_equal(output->status, 0);
    host_expect(bed->host, "answer", "1");
    output_free(output);
}

static void the_status_file_is_utf8_too(void **state)
{
    struct bed *bed = *state;
    char path[300];
    struct file file;
    json_object *document;

    reply_free(request(bed->host, "load %s", bed->patch));
    snprintf(path, sizeof(path), "%s/%s.json", bed->host->directory, bed->pid);
    file = file_read(path);
    assert_int_equal(file.bytes[file.size - 1], '\n');
    document = strict((const char *)file.bytes, file.size - 1);
    assert_non_null(document);
    assert_shown(member_text(document, "program"), "the status file");
    json_object_put(document);
    file_free(&file);
    must_apply(bed->host, "revert all");
}

static void the_log_has_no_such_byte(void **state)
{
    static const char *const environment[] = {"HOTPATCH_LOG=info", NULL};
    struct bed *bed = *state;
    struct host *host = host_start(bed->program, environment);
    const char *log;

    must_apply(host, "load %s", bed->patch);
    host_log_await(host, "load: exit");
    log = host_log(host);
    assert_true(utf8_strict(log, strlen(log)));
    for (const char *p = log; *p; p++)
        assert_true((unsigned char)*p >= 0x20 || *p == '\n');
    if (!strstr(log, "caf\\xe9 \\x01\\x1b[1m\\x7f\\x9b\\xed\\xa0\\x80\\xc0\\xaf"))
        fail_msg("%s", log);
    host_kill(host);
}

/* ---- where stdout takes nothing ---- */

static const char *const printing[] = {
    "--help",
    "--version",
    "--version --json",
    "slots --help",
    "explain",
    "explain HP-BUSY --json",
    "ps",
    "ps --json",
    "slots $PID",
    "slots --json $PID",
    "slots \"$PROGRAM\"",
    "slots --json \"$PROGRAM\"",
    "status $PID",
    "status --json --history $PID",
    "check $PID \"$GOOD\"",
    "check --json $PID \"$GOOD\"",
    "check \"$PROGRAM\" \"$GOOD\"",
    "doctor $PID",
    "doctor --json \"$PROGRAM\"",
    "load --dry-run $PID \"$GOOD\"",
    "reload $PID",
    "status 999999999 --json",
    "nothing --json",
};

/* `shape` is a printf format for a script around the command's words. Of those for which no verb is begun
 * a few do. */
static void assert_lost(void **state, const char *shape, size_t step)
{
    for (size_t i = 0; i < sizeof(printing) / sizeof(printing[0]); i += step) {
        char words[256], script[512];
        struct output *output;

        snprintf(words, sizeof(words), "\"$HOTPATCH\" %s", printing[i]);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(script, sizeof(script), shape, words);
#pragma GCC diagnostic pop
        output = shell(*state, script);
        if (output->status == 0 || output->status > 6 || !strstr(output->error, "HP-OUTPUT"))
            fail_msg("%s: exit %d\n%s%s", script, output->status, output->out, output->error);
        output_free(output);
    }
}

static void a_full_disk_is_no_success(void **state)
{
    assert_lost(state, "%s >/dev/full", 1);
}

static void a_closed_stdout_is_no_success(void **state)
{
    assert_lost(state, "%s >&-", 4);
}

static void a_stdout_that_is_open_for_reading_is_no_success(void **state)
{
    assert_lost(state, "%s 1</dev/null", 4);
}

/* The pipe's reader has ended before the command begins: it waits for the end of a file of that name. */
#define NO_READER                                                                               \
    "f=$(mktemp -u) && mkfifo \"$f\" && exec 3<>\"$f\" 4>\"$f\" 3>&- && rm \"$f\" || exit 99; " \
    "exec >&4 4>&-; "

static void a_reader_that_has_ended_is_no_success(void **state)
{
    assert_lost(state, NO_READER "%s", 4);
}

static void a_reader_that_has_ended_is_none_where_sigpipe_is_ignored_either(void **state)
{
    assert_lost(state, NO_READER "trap '' PIPE; %s", 4);
}

static void all_of_a_long_list_or_a_refusal(void **state)
{
    /* The reader takes one byte and ends: either everything was in the pipe by then, or the command says so. */
    struct output *output = shell(
        *state, "{ \"$HOTPATCH\" slots --kind=import $PID; echo \"exit $?\" >&2; } | head -c 1");
    bool whole = strstr(output->error, "exit 0\n"), refused = strstr(output->error, "exit 1\n");

    assert_int_equal(strlen(output->out), 1);
    if (whole == refused || refused != !!strstr(output->error, "HP-OUTPUT"))
        fail_msg("%s", output->error);
    output_free(output);
    /* Nine lists through one pipe are as long as nine lists. */
    output = shell(*state,
                   "n=$(\"$HOTPATCH\" explain | wc -l); "
                   "a=$({ for i in 1 2 3 4 5 6 7 8 9; do \"$HOTPATCH\" explain; done; } | wc -l); "
                   "[ $n -gt 20 ] && [ $a -eq $((9 * n)) ] || echo \"$n lines, $a in nine\" >&2");
    assert_string_equal(output->error, "");
    output_free(output);
}

static void a_load_that_cannot_be_told_of_says_that_it_was_done(void **state)
{
    struct bed *bed = *state;
    struct output *output = shell(bed, "\"$HOTPATCH\" load $PID \"$GOOD\" >/dev/full");

    assert_int_equal(output->status, 6);
    assert_non_null(strstr(output->error, "HP-OUTPUT"));
    assert_non_null(strstr(output->error, "had been carried out"));
    host_expect(bed->host, "second", "20");
    output_free(output);

    output = shell(bed, "\"$HOTPATCH\" revert --json $PID all >/dev/full");
    assert_int_equal(output->status, 6);
    host_expect(bed->host, "second", "10");
    output_free(output);

    output = shell(bed, "\"$HOTPATCH\" load $PID \"$BAD\" --json >/dev/full");
    assert_int_equal(output->status, 1);
    assert_null(strstr(output->error, "had been carried out"));
    output_free(output);
}

static void nothing_is_loaded_where_stdout_is_known_to_take_nothing(void **state)
{
    static const char *const scripts[] = {"\"$HOTPATCH\" load $PID \"$GOOD\" >&-",
                                          NO_READER "\"$HOTPATCH\" load --json $PID \"$GOOD\""};
    struct bed *bed = *state;

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct output *output = shell(bed, scripts[i]);

        assert_int_equal(output->status, 1);
        assert_non_null(strstr(output->error, "nothing was done"));
        host_expect(bed->host, "second", "10");
        output_free(output);
    }
}

static void follow_ends_where_nothing_can_be_told(void **state)
{
    struct bed *bed = *state;
    struct output *output =
        shell(bed, "\"$HOTPATCH\" load --follow --json $PID \"$GOOD\" >/dev/full");

    assert_int_equal(output->status, 6);
    output_free(output);
    must_apply(bed->host, "revert all");
}

/* One object for the load, one for the reload of another file in its place, and one for a file that is refused. */
static void each_object_of_a_stream_has_exit(void **state)
{
    static const char script[] =
        "f=${PATCH%/*}/followed.so; cp \"$GOOD\" \"$f\"; : >\"$f.out\"; "
        "await() { until [ \"$(wc -l <\"$f.out\")\" -ge $1 ]; do sleep 0.01; done; }; "
        "\"$HOTPATCH\" load --follow --json $PID \"$f\" >\"$f.out\" & follower=$!; await 1; "
        "cp \"$OTHER\" \"$f.new\" && mv \"$f.new\" \"$f\"; await 2; "
        "cp \"$BAD\" \"$f.new\" && mv \"$f.new\" \"$f\"; await 3; "
        "kill $follower; wait $follower; echo \"exit $?\" >&2; cat \"$f.out\"; rm -f \"$f\" "
        "\"$f.out\"";
    struct bed *bed = *state;
    struct output *output;
    const char *line, *end;
    int count = 0;

    setenv("OTHER", patch_file("answer2"), 1);
    output = shell(bed, script);
    for (line = output->out; (end = strchr(line, '\n')); line = end + 1, count++)
        json_object_put(assert_has_exit(line, end, count < 2 ? 0 : 1));
    assert_int_equal(count, 3);
    assert_non_null(strstr(output->error, "exit 0"));
    output_free(output);
    must_apply(bed->host, "revert all");
}

/* No reload comes in which it would notice. */
static void follow_ends_with_its_reader(void **state)
{
    struct bed *bed = *state;
    struct output *output = shell(
        bed,
        "{ \"$HOTPATCH\" load --follow --json $PID \"$GOOD\"; echo \"exit $?\" >&2; } | head -n 1");

    assert_non_null(strstr(output->error, "HP-OUTPUT"));
    assert_non_null(strstr(output->error, "exit 6"));
    output_free(output);
    must_apply(bed->host, "revert all");
}

static void a_closed_descriptor_is_not_taken_for_a_file(void **state)
{
    struct bed *bed = *state;
    struct output *output = shell(bed, "\"$HOTPATCH\" load --json $PID \"$GOOD\" <&- 2>&-");

    json_object_put(assert_document(output));
    assert_int_equal(output->status, 0);
    output_free(output);
    must_apply(bed->host, "revert all");
}

/* Of the signals that it ignores the first 16 are compared: libc takes its own two back where there are threads. */
static void the_program_of_run_gets_its_stdout_as_it_was(void **state)
{
    static const char script[] =
        "a=$(sed -n '/^SigIgn/s/.*\\(....\\)$/\\1/p' /proc/self/status); "
        "b=$(\"$HOTPATCH\" run sed -n '/^SigIgn/s/.*\\(....\\)$/\\1/p' /proc/self/status); "
        "[ ${#a} = 4 ] && [ \"$a\" = \"$b\" ] || echo \"$a, $b\" >&2; "
        "\"$HOTPATCH\" run readlink /proc/self/fd/1 >&-";
    struct output *output;

    if (sanitized())
        skip();
    output = shell(*state, script);
    assert_string_equal(output->out, "");
    assert_string_equal(output->error, "");
    assert_int_equal(output->status, 1); /* readlink's: there is none */
    output_free(output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_prints_json_that_has_exit),
        cmocka_unit_test(a_usage_error_is_json_wherever_json_stands),
        cmocka_unit_test(words_of_the_program_are_not_the_commands),
        cmocka_unit_test(a_patch_and_a_program_of_any_bytes_are_shown_in_full),
        cmocka_unit_test(the_status_file_is_utf8_too),
        cmocka_unit_test(the_log_has_no_such_byte),
        cmocka_unit_test(a_full_disk_is_no_success),
        cmocka_unit_test(a_closed_stdout_is_no_success),
        cmocka_unit_test(a_stdout_that_is_open_for_reading_is_no_success),
        cmocka_unit_test(a_reader_that_has_ended_is_no_success),
        cmocka_unit_test(a_reader_that_has_ended_is_none_where_sigpipe_is_ignored_either),
        cmocka_unit_test(all_of_a_long_list_or_a_refusal),
        cmocka_unit_test(a_load_that_cannot_be_told_of_says_that_it_was_done),
        cmocka_unit_test(nothing_is_loaded_where_stdout_is_known_to_take_nothing),
        cmocka_unit_test(follow_ends_where_nothing_can_be_told),
        cmocka_unit_test(each_object_of_a_stream_has_exit),
        cmocka_unit_test(follow_ends_with_its_reader),
        cmocka_unit_test(a_closed_descriptor_is_not_taken_for_a_file),
        cmocka_unit_test(the_program_of_run_gets_its_stdout_as_it_was),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
