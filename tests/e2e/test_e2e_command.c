/*
 * test_e2e_command.c - the command hotpatch against live hosts: exit codes, output, several
 * targets, and what cannot be patched said in words.
 */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/harness.h"

static char *pid_of(struct host *host)
{
    static char texts[8][16];
    static unsigned next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof(texts[0]), "%d", (int)host->pid);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%s", part, text);
}

/* Ends the test unless the command exited with `status`. */
static void assert_exit(struct output *output, int status)
{
    if (output->status != status)
        fail_msg("exit %d, expected %d\n%s%s", output->status, status, output->out, output->error);
}

static int start(void **state)
{
    *state = host_start("host", NULL);
    return 0;
}

static int stop(void **state)
{
    host_kill(*state);
    return 0;
}

static void load_returns_after_the_switch(void **state)
{
    struct host *host = *state;
    struct output *output = hotpatch(host, "load", pid_of(host), patch_file("answer2"), NULL);
    assert_exit(output, 0);
    output_free(output);
    host_expect(host, "answer", "2");
}

static void load_takes_relative_paths(void **state)
{
    struct host *host = *state;
    copy_file(patch_file("answer2"), host_path(host, "fix.so"));
    char directory[4096];
    assert_non_null(getcwd(directory, sizeof(directory)));
    assert_int_equal(chdir(host->scratch), 0);
    struct output *output = hotpatch(host, "load", pid_of(host), "./fix.so", NULL);
    assert_int_equal(chdir(directory), 0);
    assert_exit(output, 0);
    output_free(output);
    host_expect(host, "answer", "2");
}

static void several_patches_are_one_transaction(void **state)
{
    struct host *host = *state;
    struct output *output =
        hotpatch(host, "load", pid_of(host), patch_file("answer2"), patch_file("no_target"), NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-NO-TARGET");
    output_free(output);
    assert_unchanged(host);
    output =
        hotpatch(host, "load", pid_of(host), patch_file("answer2"), patch_file("second"), NULL);
    assert_exit(output, 0);
    output_free(output);
    host_expect(host, "answer", "2");
    host_expect(host, "second", "20");
}

static void a_refusal_prints_code_sentence_and_remedy(void **state)
{
    struct host *host = *state;
    struct output *output = hotpatch(host, "load", pid_of(host), patch_file("bad_signature"), NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-SIGNATURE");
    assert_has(output->error, "long");
    assert_string_equal(output->out, "");
    output_free(output);
    assert_unchanged(host);
}

static void replace_needs_no_manifest(void **state)
{
    struct host *host = *state;
    struct output *output = hotpatch(host, "load", pid_of(host), "--replace", "answer=plain_answer",
                                     patch_file("plain"), NULL);
    assert_exit(output, 0);
    output_free(output);
    host_expect(host, "answer", "8");
}

static void dry_run_changes_nothing(void **state)
{
    struct host *host = *state;
    struct output *output =
        hotpatch(host, "load", "--dry-run", pid_of(host), patch_file("answer2"), NULL);
    assert_exit(output, 0);
    output_free(output);
    assert_unchanged(host);
}

static void revert_by_name_last_and_all(void **state)
{
    static const char *const which[] = {"answer", "last", "all"};
    struct host *host = *state;
    for (size_t i = 0; i < 3; i++) {
        must_apply(host, "load %s", patch_file("answer2"));
        struct output *output = hotpatch(host, "revert", pid_of(host), which[i], NULL);
        assert_exit(output, 0);
        output_free(output);
        host_expect(host, "answer", "1");
    }
    struct output *output = hotpatch(host, "revert", pid_of(host), "answer", NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-NO-LAYER");
    output_free(output);
}

static void reload_takes_the_rebuilt_file(void **state)
{
    struct host *host = *state;
    const char *path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s", path);
    copy_file(patch_file("answer3"), path);
    struct output *output = hotpatch(host, "reload", pid_of(host), NULL);
    assert_exit(output, 0);
    output_free(output);
    host_expect(host, "answer", "3");
}

static json_object *json_of(struct output *output)
{
    json_object *json = json_tokener_parse(output->out);
    if (!json)
        fail_msg("not JSON:\n%s%s", output->out, output->error);
    return json;
}

static void status_tells_each_layer(void **state)
{
    struct host *host = *state;
    must_apply(host, "load %s", patch_file("layer_a"));
    must_apply(host, "load %s", patch_file("layer_b"));
    struct output *output = hotpatch(host, "status", pid_of(host), NULL);
    assert_exit(output, 0);
    assert_has(output->out, "answer");
    assert_has(output->out, "layer-a");
    assert_has(output->out, "layer-b");
    output_free(output);
    struct reply *reply = request(host, "status");
    json_object *slot = slot_named(member(reply->json, "status.slots"), "answer");
    json_object *layers = member(slot, "layers");
    assert_int_equal(json_object_array_length(layers), 2);
    json_object *top = json_object_array_get_idx(layers, 1);
    assert_string_equal(member_text(top, "module"), "layer-b");
    assert_true(json_object_get_boolean(member(top, "live")));
    assert_int_equal(strlen(member_text(top, "sha256")), 64);
    assert_true(strlen(member_text(top, "build_id")) >= 16);
    assert_string_equal(member_text(top, "path"), patch_file("layer_b"));
    assert_string_not_equal(member_text(top, "old"), member_text(top, "new"));
    reply_free(reply);
}

static void status_as_json_is_one_document(void **state)
{
    struct host *host = *state;
    must_apply(host, "load %s", patch_file("answer2"));
    struct output *output = hotpatch(host, "status", "--json", pid_of(host), NULL);
    assert_exit(output, 0);
    json_object *json = json_of(output);
    assert_int_equal(json_object_get_int(member(json, "hotpatch")), 1);
    json_object_put(json);
    output_free(output);
}

static void history_keeps_what_was_refused(void **state)
{
    struct host *host = *state;
    must_apply(host, "load %s", patch_file("answer2"));
    assert_string_equal(outcome(host, "load %s", patch_file("bad_signature")), "HP-SIGNATURE");
    must_apply(host, "revert all");
    struct output *output = hotpatch(host, "status", "--history", pid_of(host), NULL);
    assert_exit(output, 0);
    assert_has(output->out, "HP-SIGNATURE");
    assert_has(output->out, "answer");
    output_free(output);
}

static void slots_lists_what_load_takes(void **state)
{
    struct host *host = *state;
    struct output *output = hotpatch(host, "slots", pid_of(host), NULL);
    assert_exit(output, 0);
    assert_has(output->out, "counter_add");
    assert_has(output->out, "greeting");
    output_free(output);
    output = hotpatch(host, "slots", pid_of(host), "count*", NULL);
    assert_exit(output, 0);
    assert_has(output->out, "counter_add");
    assert_has_not(output->out, "greeting");
    output_free(output);
}

static void slots_of_a_file(void **state)
{
    (void)state;
    struct output *output = hotpatch(NULL, "slots", built("hosts/host-stripped"), NULL);
    assert_exit(output, 0);
    assert_has(output->out, "counter_add");
    output_free(output);
}

static void check_tells_before_any_process_runs(void **state)
{
    (void)state;
    struct output *output =
        hotpatch(NULL, "check", built("hosts/host"), patch_file("answer2"), NULL);
    assert_exit(output, 0);
    output_free(output);
    output = hotpatch(NULL, "check", built("hosts/host"), patch_file("bad_signature"), NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-SIGNATURE");
    output_free(output);
}

static void ps_lists_the_process(void **state)
{
    struct host *host = *state;
    struct output *output = hotpatch(host, "ps", NULL);
    assert_exit(output, 0);
    assert_has(output->out, pid_of(host));
    assert_has(output->out, "host");
    output_free(output);
}

static void ps_clears_away_what_a_killed_process_left(void **state)
{
    struct host *host = *state;
    struct host *other = host_start("host", NULL);
    char left[512], mine[512];
    snprintf(left, sizeof(left), "%s/%d.fifo", other->directory, (int)other->pid);
    snprintf(mine, sizeof(mine), "%s/%d.fifo", host->directory, (int)host->pid);
    assert_int_equal(kill(other->pid, SIGKILL), 0);
    host_wait(other);
    assert_int_equal(access(left, F_OK), 0);
    struct output *output = hotpatch(other, "ps", NULL);
    assert_exit(output, 0);
    output_free(output);
    output = hotpatch(host, "ps", NULL);
    output_free(output);
    assert_int_not_equal(access(left, F_OK), 0);
    assert_int_equal(access(mine, F_OK), 0);
    host_kill(other);
}

static void doctor_finds_nothing_wrong(void **state)
{
    struct host *host = *state;
    struct output *output = hotpatch(host, "doctor", pid_of(host), NULL);
    assert_exit(output, 0);
    output_free(output);
}

static void explain_knows_every_code_in_must_tsv(void **state)
{
    (void)state;
    char *text = file_text(source_file("tests/must.tsv"));
    char *save, *last = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *code = strrchr(line, '\t') + 1, *space = strchr(code, ' ');
        if (space) /* one of two codes */
            *space = '\0';
        if (strncmp(code, "HP-", 3) != 0 || (last && strcmp(code, last) == 0))
            continue;
        last = code;
        struct output *output = hotpatch(NULL, "explain", code, NULL);
        assert_exit(output, 0);
        assert_has(output->out, code);
        output_free(output);
    }
    free(text);
    struct output *output = hotpatch(NULL, "explain", "HP-NO-SUCH-CODE", NULL);
    assert_int_not_equal(output->status, 0);
    output_free(output);
}

/* Two processes of one program, in one runtime directory. */
static void a_program_name_reaches_every_process(void **state)
{
    struct host *host = *state;
    char shared[300];
    const char *environment[] = {shared, NULL}, *name = host_path(host, "twin");
    snprintf(shared, sizeof(shared), "HOTPATCH_DIR=%s", host->directory);
    copy_file(built("hosts/host"), name);
    struct host *one = host_start(name, environment), *two = host_start(name, environment);
    struct output *output = hotpatch(host, "load", "@twin", patch_file("answer2"), NULL);
    assert_exit(output, 0);
    output_free(output);
    host_expect(one, "answer", "2");
    host_expect(two, "answer", "2");
    host_expect(host, "answer", "1");
    /* One of the two cannot: the summary says so, and the other is done. */
    must_apply(one, "revert all");
    output = hotpatch(host, "revert", "@twin", "answer", NULL);
    assert_exit(output, 5);
    assert_has(output->error, pid_of(one));
    output_free(output);
    host_expect(two, "answer", "1");
    output = hotpatch(host, "load", "@no-such-program", patch_file("answer2"), NULL);
    assert_exit(output, 3);
    output_free(output);
    host_kill(one);
    host_kill(two);
}

static void a_wrong_use_exits_2(void **state)
{
    (void)state;
    static const char *const uses[][4] = {
        {"fly", NULL}, {"load", NULL}, {"load", "--colour", "1", NULL}, {"revert", "1", NULL}};
    for (size_t i = 0; i < 4; i++) {
        struct output *output =
            hotpatch(NULL, uses[i][0], uses[i][1], uses[i][1] ? uses[i][2] : NULL, NULL);
        assert_exit(output, 2);
        output_free(output);
    }
}

static void no_such_process_exits_3(void **state)
{
    struct host *host = *state;
    struct output *output = hotpatch(host, "load", "999999999", patch_file("answer2"), NULL);
    assert_exit(output, 3);
    assert_has(output->error, "HP-NO-PROCESS");
    output_free(output);
}

static void a_process_without_shim_exits_3_and_lives(void **state)
{
    (void)state;
    struct host *bare = host_start_bare("host");
    struct output *output = hotpatch(bare, "load", pid_of(bare), patch_file("answer2"), NULL);
    assert_exit(output, 3);
    assert_has(output->error, "HP-NO-SHIM");
    output_free(output);
    host_expect(bare, "answer", "1");
    host_stop(bare);
}

static void run_injects_the_shim(void **state)
{
    struct host *host = *state;
    if (sanitized())
        skip(); /* Debian's sh is not */
    const char *argv[] = {built("hotpatch"),
                          "run",
                          "--",
                          "/bin/sh",
                          "-c",
                          "grep -c libhotpatch_preload.so /proc/self/maps",
                          NULL};
    struct output *output = run_program(host, argv);
    assert_exit(output, 0);
    assert_true(atoi(output->out) > 0);
    output_free(output);
}

static void run_appends_to_an_existing_preload(void **state)
{
    struct host *host = *state;
    if (sanitized())
        skip();
    setenv("LD_PRELOAD", built("hosts/libslots.so"), 1);
    const char *argv[] = {built("hotpatch"),  "run", "--", "/bin/sh", "-c",
                          "echo $LD_PRELOAD", NULL};
    struct output *output = run_program(host, argv);
    unsetenv("LD_PRELOAD");
    assert_exit(output, 0);
    assert_has(output->out, "libslots.so");
    assert_has(output->out, "libhotpatch_preload.so");
    output_free(output);
}

/* The dynamic linker of a 32-bit program says of a 64-bit library that it cannot be preloaded. */
static void a_32_bit_child_says_nothing_and_its_64_bit_child_has_the_shim(void **state)
{
    struct host *host = *state;
    /* execve(argv[1], argv + 1, environ) */
    static const char source[] =
        ".globl _start\n_start: movl (%esp),%edx\n leal 8(%esp),%ecx\n movl (%ecx),%ebx\n"
        " leal 8(%esp,%edx,4),%edx\n movl $11,%eax\n int $0x80\n"
        " movl $1,%eax\n movl $9,%ebx\n int $0x80\n";
    char line[4096];
    if (sanitized())
        skip();
    if (access("/lib/ld-linux.so.2", X_OK) != 0) {
        print_message("there is no dynamic linker for 32-bit programs\n");
        skip();
    }
    file_write(host_path(host, "small.s"), source, sizeof(source) - 1, 0644);
    snprintf(line, sizeof(line),
             "cd %s && as --32 -o small.o small.s && ld -m elf_i386 -pie -dynamic-linker "
             "/lib/ld-linux.so.2 -o small small.o && exec %s run sh -c './small /bin/grep -c "
             "libhotpatch_preload.so /proc/self/maps; true'",
             host->scratch, built("hotpatch"));
    struct output *output = run_program(host, (const char *[]){"/bin/sh", "-c", line, NULL});
    assert_exit(output, 0);
    assert_string_equal(output->error, "");
    assert_true(atoi(output->out) > 0);
    output_free(output);
}

static void run_with_patch_starts_patched(void **state)
{
    struct host *host = *state;
    char line[2048];
    snprintf(line, sizeof(line), "echo answer | %s run --patch %s -- %s", built("hotpatch"),
             patch_file("answer2"), built("hosts/host"));
    struct output *output = run_program(host, (const char *[]){"/bin/sh", "-c", line, NULL});
    assert_exit(output, 0);
    assert_string_equal(output->out, "ready\n2\n");
    output_free(output);
}

static void run_with_a_bad_patch_never_starts(void **state)
{
    struct host *host = *state;
    struct output *output = hotpatch(host, "run", "--patch", patch_file("bad_signature"), "--",
                                     built("hosts/host"), NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-SIGNATURE");
    assert_has_not(output->out, "ready");
    output_free(output);
}

static void run_refuses_a_static_program_in_words(void **state)
{
    struct host *host = *state;
    struct output *output = hotpatch(host, "run", built("hosts/host-static"), NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-STATIC");
    output_free(output);
}

static void run_refuses_a_setuid_program_in_words(void **state)
{
    struct host *host = *state;
    const char *path = host_path(host, "setuid");
    if (geteuid() != 0)
        skip();
    copy_file(built("hosts/host"), path);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(chmod(path, 04755), 0);
    struct output *output = hotpatch(host, "run", path, NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-SETUID");
    output_free(output);
}

static void run_refuses_a_32_bit_program_in_words(void **state)
{
    struct host *host = *state;
    const char *path = host_path(host, "small");
    struct file file = file_read(built("hosts/host"));
    file.bytes[4] = 1; /* EI_CLASS: ELFCLASS32 */
    file_write(path, file.bytes, file.size, 0755);
    file_free(&file);
    struct output *output = hotpatch(host, "run", path, NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-32BIT");
    output_free(output);
}

static void run_refuses_a_musl_program_in_words(void **state)
{
    struct host *host = *state;
    const char *path = host_path(host, "musl"), *source = host_path(host, "musl.c");
    if (access("/usr/bin/musl-gcc", X_OK) != 0)
        skip();
    file_write(source, "int main(void) { return 0; }\n", 29, 0644);
    struct output *output =
        run_program(NULL, (const char *[]){"musl-gcc", "-o", path, source, NULL});
    assert_exit(output, 0);
    output_free(output);
    output = hotpatch(host, "run", path, NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-MUSL");
    output_free(output);
}

static void run_says_which_interpreter_a_script_has(void **state)
{
    struct host *host = *state;
    const char *path = host_path(host, "script");
    char text[512];
    int size = snprintf(text, sizeof(text), "#!%s\n", built("hosts/host-static"));
    file_write(path, text, (size_t)size, 0755);
    struct output *output = hotpatch(host, "run", path, NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-S");
    assert_has(output->error, "host-static");
    output_free(output);
}

/* The options are known, and refused as what is to come. */
static void help_and_manual_offer_only_what_is_there(void **state)
{
    struct host *host = *state;
    static const char *const files[] = {"man/hotpatch.1", "man/libhotpatch_preload.7",
                                        "man/hotpatch.h.3", "cli/hotpatch.bash"};
    static const char *const verbs[] = {"load", "revert"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        char *text = file_text(source_file(files[i]));
        assert_has_not(text, "quiet");
        assert_has_not(text, "unload");
        free(text);
    }
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        struct output *output = hotpatch(host, verbs[i], "--help", NULL);
        assert_exit(output, 0);
        assert_has_not(output->out, "quiet");
        assert_has_not(output->out, "unload");
        output_free(output);
    }
    struct output *output =
        hotpatch(host, "load", pid_of(host), "--when=quiet", patch_file("answer2"), NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-LATER");
    output_free(output);
    must_apply(host, "load %s", patch_file("answer2"));
    output = hotpatch(host, "revert", pid_of(host), "--unload", "answer", NULL);
    assert_exit(output, 1);
    assert_has(output->error, "HP-LATER");
    output_free(output);
    host_expect(host, "answer", "2");
}

/* As a user types it: the process has not come to its exec, or its library is not there yet. */
static void a_process_just_started_is_waited_for(void **state)
{
    /* A shell without TSan cannot be given a shim with it, nor can the command that runs first. */
    if (sanitized_for_threads())
        skip();
    struct host *host = *state;
    char line[4096];
    for (int i = 0; i < 10; i++) {
        if (i % 2)
            snprintf(
                line, sizeof(line),
                "LD_PRELOAD=%s %s </dev/zero >/dev/null & %s load $! %s; s=$?; kill $!; exit $s",
                built("libhotpatch_preload.so"), built("hosts/host"), built("hotpatch"),
                patch_file("answer2"));
        else
            snprintf(line, sizeof(line),
                     "%s run %s </dev/zero >/dev/null & %s load $! %s; s=$?; kill $!; exit $s",
                     built("hotpatch"), built("hosts/host"), built("hotpatch"),
                     patch_file("answer2"));
        struct output *output = run_program(host, (const char *[]){"/bin/sh", "-c", line, NULL});
        assert_exit(output, 0);
        output_free(output);
    }
}

static void output_in_a_pipe_has_no_colour(void **state)
{
    struct host *host = *state;
    must_apply(host, "load %s", patch_file("answer2"));
    struct output *output = hotpatch(host, "status", pid_of(host), NULL);
    assert_has_not(output->out, "\033");
    output_free(output);
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH_HOST(load_returns_after_the_switch),
        WITH_HOST(load_takes_relative_paths),
        WITH_HOST(several_patches_are_one_transaction),
        WITH_HOST(a_refusal_prints_code_sentence_and_remedy),
        WITH_HOST(replace_needs_no_manifest),
        WITH_HOST(dry_run_changes_nothing),
        WITH_HOST(revert_by_name_last_and_all),
        WITH_HOST(reload_takes_the_rebuilt_file),
        WITH_HOST(status_tells_each_layer),
        WITH_HOST(status_as_json_is_one_document),
        WITH_HOST(history_keeps_what_was_refused),
        WITH_HOST(slots_lists_what_load_takes),
        cmocka_unit_test(slots_of_a_file),
        cmocka_unit_test(check_tells_before_any_process_runs),
        WITH_HOST(ps_lists_the_process),
        WITH_HOST(ps_clears_away_what_a_killed_process_left),
        WITH_HOST(doctor_finds_nothing_wrong),
        cmocka_unit_test(explain_knows_every_code_in_must_tsv),
        WITH_HOST(a_program_name_reaches_every_process),
        cmocka_unit_test(a_wrong_use_exits_2),
        WITH_HOST(no_such_process_exits_3),
        cmocka_unit_test(a_process_without_shim_exits_3_and_lives),
        WITH_HOST(run_injects_the_shim),
        WITH_HOST(run_appends_to_an_existing_preload),
        WITH_HOST(a_32_bit_child_says_nothing_and_its_64_bit_child_has_the_shim),
        WITH_HOST(run_with_patch_starts_patched),
        WITH_HOST(run_with_a_bad_patch_never_starts),
        WITH_HOST(run_refuses_a_static_program_in_words),
        WITH_HOST(run_refuses_a_setuid_program_in_words),
        WITH_HOST(run_refuses_a_32_bit_program_in_words),
        WITH_HOST(run_refuses_a_musl_program_in_words),
        WITH_HOST(run_says_which_interpreter_a_script_has),
        WITH_HOST(help_and_manual_offer_only_what_is_there),
        WITH_HOST(a_process_just_started_is_waited_for),
        WITH_HOST(output_in_a_pipe_has_no_colour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
