/*
 * must_applied.c - what must work: every kind of slot, of patch and of request; see must.h.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/must/must.h"

/* Loads, looks at the new answer, reverts, looks at the old one. */
static const char *there_and_back(struct host *host, const char *name, const char *module,
                                  const char *question, const char *before, const char *after)
{
    const char *code = load_and_ask(host, name, question, before, after);
    if (strcmp(code, "apply") != 0)
        return code;
    must_apply(host, "revert name=%s", module);
    host_expect(host, question, before);
    return code;
}

static const char *declared_function(struct host *host)
{
    return there_and_back(host, "answer2", "answer", "answer", "1", "2");
}

static const char *function_pointer_kept_by_host(struct host *host)
{
    return there_and_back(host, "answer2", "answer", "pointer", "1", "2");
}

static const char *data_slot(struct host *host)
{
    return there_and_back(host, "greeting", "greeting", "greeting", "hello", "hallo");
}

static const char *variadic_function(struct host *host)
{
    return there_and_back(host, "calls", "calls", "sum", "10", "1010");
}

static const char *struct_by_value(struct host *host)
{
    return there_and_back(host, "calls", "calls", "box", "2 3 box", "10 2 Box");
}

static const char *floating_point(struct host *host)
{
    return there_and_back(host, "calls", "calls", "mean", "3", "6");
}

static const char *twenty_arguments(struct host *host)
{
    return there_and_back(host, "calls", "calls", "many", "110", "-110");
}

static const char *untyped_slot(struct host *host)
{
    return there_and_back(host, "untyped", "untyped", "untyped 5", "0 105", "7 500");
}

#define MADE "untyped-made made.untyped"

static void register_untyped(struct host *host)
{
    host_expect(host, "register-untyped made.untyped", "0");
}

static const char *untyped_slot_made_at_run_time(struct host *host)
{
    register_untyped(host);
    return there_and_back(host, "untyped_made", "untyped-made", MADE, "0 105", "7 500");
}

static const char *untyped_slots_by_typed(struct host *host)
{
    register_untyped(host);
    host_expect(host, "untyped 5", "0 105");
    const char *code = load_and_ask(host, "untyped_by_typed", MADE, "0 105", "30 105");
    host_expect(host, "untyped 5", "20 105");
    must_apply(host, "revert all");
    host_expect(host, "untyped 5", "0 105");
    host_expect(host, MADE, "0 105");
    return code;
}

static const char *untyped_without_manifest(struct host *host)
{
    register_untyped(host);
    host_expect(host, MADE, "0 105");
    const char *code = outcome(host, "load replace=runtime:made.untyped=untyped_plain %s",
                               patch_file("untyped_plain"));
    host_expect(host, MADE, "9 95");
    must_apply(host, "revert all");
    host_expect(host, MADE, "0 105");
    return code;
}

static const char *untyped_slot_of_a_hook(struct host *host)
{
    register_untyped(host);
    return there_and_back(host, "untyped_hook", "untyped-hook", MADE, "0 105", "4 20");
}

static const char *untyped_slot_of_a_patch(struct host *host)
{
    return load_and_ask(host, "untyped_declares", "untyped-made patch.untyped", "-2147483648 0",
                        "2 105");
}

static const char *untyped_signature_spelled_otherwise(struct host *host)
{
    host_expect(host, "register-respelled made.untyped", "0");
    return there_and_back(host, "untyped_made", "untyped-made", "respelled made.untyped", "0 105",
                          "7 500");
}

static const char *state_is_kept(struct host *host)
{
    host_expect(host, "add 2", "2");
    must_apply(host, "load %s", patch_file("counter10"));
    host_expect(host, "add 2", "22");
    must_apply(host, "revert name=counter-fix");
    host_expect(host, "add 1", "23");
    return "apply";
}

static const char *signature_spelled_otherwise(struct host *host)
{
    return there_and_back(host, "same_signature", "same-signature", "add 0", "0", "0");
}

static const char *target_in_exe(struct host *host)
{
    return there_and_back(host, "by_exe", "by-exe", "answer", "1", "2");
}

static const char *required_after_provider(struct host *host)
{
    must_apply(host, "load %s", patch_file("provider"));
    must_apply(host, "load %s", patch_file("requirer"));
    host_expect(host, "extra", "1 21");
    host_expect(host, "answer", "507");
    return "apply";
}

static const char *required_before_provider(struct host *host)
{
    host_expect(host, "extra", "0 0");
    must_apply(host, "load %s", patch_file("requirer"));
    host_expect(host, "answer", "500");
    must_apply(host, "load %s", patch_file("provider"));
    host_expect(host, "answer", "507");
    host_expect(host, "extra", "1 21");
    return "apply";
}

static const char *slot_of_a_patch(struct host *host)
{
    must_apply(host, "load %s", patch_file("own_slots"));
    host_expect(host, "answer", "60");
    must_apply(host, "load %s", patch_file("own_slots_fix"));
    host_expect(host, "answer", "61");
    must_apply(host, "revert name=own-slots-fix");
    host_expect(host, "answer", "60");
    return "apply";
}

static const char *library_opened_later(struct host *host)
{
    assert_string_equal(host_ask(host, "open %s", built("hosts/libslots.so")), "opened");
    host_expect(host, "call library_answer", "40");
    must_apply(host, "load %s", patch_file("library_value"));
    host_expect(host, "call library_answer", "42");
    must_apply(host, "revert last");
    host_expect(host, "call library_answer", "40");
    return "apply";
}

static const char *one_name_in_two_objects(struct host *host)
{
    assert_string_equal(host_ask(host, "open %s", built("hosts/libslots.so")), "opened");
    must_apply(host, "load %s", patch_file("library_second"));
    host_expect(host, "second", "10");
    host_expect(host, "call library_answer_twice", "92");
    must_apply(host, "revert all");
    must_apply(host, "load %s", patch_file("exe_second"));
    host_expect(host, "second", "12");
    host_expect(host, "call library_answer_twice", "91");
    return "apply";
}

static const char *without_manifest(struct host *host)
{
    host_expect(host, "answer", "1");
    const char *code = outcome(host, "load replace=answer=plain_answer %s", patch_file("plain"));
    host_expect(host, "answer", "8");
    must_apply(host, "revert last");
    host_expect(host, "answer", "1");
    return code;
}

/* ---- layers ---- */

static const char *three_layers_reverted_out_of_order(struct host *host)
{
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
    return "apply";
}

static const char *same_name_replaces_in_place(struct host *host)
{
    must_apply(host, "load %s", patch_file("answer2"));
    must_apply(host, "load %s", patch_file("layer_a"));
    host_expect(host, "answer", "12");
    must_apply(host, "load %s", patch_file("answer3"));
    host_expect(host, "answer", "13");
    must_apply(host, "revert name=layer-a");
    host_expect(host, "answer", "3");
    must_apply(host, "revert name=answer");
    host_expect(host, "answer", "1");
    return "apply";
}

static const char *revert_last_takes_the_newest(struct host *host)
{
    must_apply(host, "load %s", patch_file("layer_a"));
    must_apply(host, "load %s", patch_file("layer_b"));
    must_apply(host, "revert last");
    host_expect(host, "answer", "11");
    must_apply(host, "revert last");
    host_expect(host, "answer", "1");
    return "apply";
}

static const char *revert_all_at_once(struct host *host)
{
    must_apply(host, "load %s", patch_file("layer_a"));
    must_apply(host, "load %s", patch_file("greeting"));
    must_apply(host, "load %s", patch_file("second"));
    must_apply(host, "revert all");
    host_expect(host, "second", "10");
    assert_unchanged(host);
    return "apply";
}

static const char *load_again_after_revert(struct host *host)
{
    for (int i = 0; i < 20; i++) {
        must_apply(host, "load %s", patch_file(i % 2 ? "answer3" : "answer2"));
        host_expect(host, "answer", i % 2 ? "3" : "2");
        must_apply(host, "revert name=answer");
        host_expect(host, "answer", "1");
    }
    return "apply";
}

static const char *load_after_refusal(struct host *host)
{
    assert_string_equal(load(host, "bad_signature"), "HP-SIGNATURE");
    assert_string_equal(load(host, "bad_signature"), "HP-SIGNATURE");
    return load_and_ask(host, "answer2", "answer", "1", "2");
}

/* ---- transactions ---- */

static const char *two_patches_in_one_step(struct host *host)
{
    const char *code = outcome(host, "begin\nload %s\nload %s\ncommit", patch_file("answer2"),
                               patch_file("second"));
    host_expect(host, "answer", "2");
    host_expect(host, "second", "20");
    return code;
}

static const char *revert_all_and_load_in_one_step(struct host *host)
{
    must_apply(host, "load %s", patch_file("layer_a"));
    must_apply(host, "load %s", patch_file("second"));
    const char *code = outcome(host, "begin\nrevert all\nload %s\ncommit", patch_file("answer2"));
    host_expect(host, "answer", "2");
    host_expect(host, "second", "10");
    return code;
}

/* A transaction that cannot be done leaves what was applied before it as it was. */
static const char *failed_transaction_keeps_layers(struct host *host)
{
    must_apply(host, "load %s", patch_file("answer3"));
    const char *code = outcome(host, "begin\nrevert all\nload %s\ncommit", patch_file("no_target"));
    assert_string_equal(code, "HP-NO-TARGET");
    host_expect(host, "answer", "3");
    must_apply(host, "revert all");
    return "apply";
}

static const char *dry_run_changes_nothing(struct host *host)
{
    const char *code = outcome(host, "load dry-run=1 %s", patch_file("answer2"));
    assert_unchanged(host);
    return code;
}

/* ---- files after loading ---- */

static const char *rebuilt_file_reloads(struct host *host)
{
    const char *path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s", path);
    host_expect(host, "answer", "2");
    copy_file(patch_file("answer3"), path);
    must_apply(host, "reload");
    host_expect(host, "answer", "3");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "reload");
    host_expect(host, "answer", "2");
    return "apply";
}

static const char *same_path_loaded_again(struct host *host)
{
    const char *path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s", path);
    copy_file(patch_file("answer4"), path);
    must_apply(host, "load %s", path);
    host_expect(host, "answer", "4");
    return "apply";
}

static const char *reload_of_bad_file_keeps_old(struct host *host)
{
    const char *path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s", path);
    copy_file(patch_file("bad_signature"), path);
    assert_string_equal(outcome(host, "reload"), "HP-SIGNATURE");
    host_expect(host, "answer", "2");
    return "apply";
}

static const char *file_overwritten_in_place(struct host *host)
{
    static char rubbish[65536];
    const char *path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s", path);
    memset(rubbish, 0xcc, sizeof(rubbish));
    FILE *stream = fopen(path, "r+e");
    assert_non_null(stream);
    assert_int_equal(fwrite(rubbish, sizeof(rubbish), 1, stream), 1);
    fclose(stream);
    assert_int_equal(truncate(path, 0), 0);
    host_expect(host, "answer", "2");
    must_apply(host, "revert last");
    host_expect(host, "answer", "1");
    return "apply";
}

static const char *doorbell_reloads(struct host *host)
{
    const char *path = host_path(host, "fix.so");
    copy_file(patch_file("answer2"), path);
    must_apply(host, "load %s", path);
    copy_file(patch_file("answer3"), path);
    assert_int_equal(kill(host->pid, SIGRTMIN + 12), 0);
    /* Signal and request come in one order or the other: the ping after the bell tells when. */
    for (int i = 0; i < 100 && strcmp(host_ask(host, "answer"), "3") != 0; i++)
        assert_string_equal(outcome(host, "ping"), "apply");
    host_expect(host, "answer", "3");
    return "apply";
}

/* ---- the run-time API ---- */

static const char *set_and_restore(struct host *host)
{
    host_expect(host, "set answer", "0");
    host_expect(host, "answer", "77");
    host_expect(host, "restore answer", "0");
    host_expect(host, "answer", "1");
    return "apply";
}

static const char *slot_made_at_run_time(struct host *host)
{
    host_expect(host, "registered", "5");
    host_expect(host, "lookup made", "made");
    const char *code =
        outcome(host, "load replace=runtime:made=plain_answer %s", patch_file("plain"));
    host_expect(host, "registered", "8");
    must_apply(host, "revert all");
    host_expect(host, "registered", "5");
    return code;
}

static const char *host_hears_of_changes(struct host *host)
{
    host_expect(host, "watch-changes", "0");
    must_apply(host, "load %s", patch_file("answer2"));
    must_apply(host, "revert all");
    /* Handlers run on the worker after the reply; a third transaction waits for the second's. */
    must_apply(host, "load %s", patch_file("answer2"));
    return atoi(host_ask(host, "changes")) >= 2 ? "apply" : "not heard";
}

static const char *version_rises_with_changes_only(struct host *host)
{
    int before = atoi(host_ask(host, "version second"));
    must_apply(host, "load %s", patch_file("answer2"));
    assert_int_equal(atoi(host_ask(host, "version second")), before);
    must_apply(host, "load %s", patch_file("second"));
    assert_int_equal(atoi(host_ask(host, "version second")), before + 1);
    must_apply(host, "revert name=second");
    assert_int_equal(atoi(host_ask(host, "version second")), before + 2);
    return "apply";
}

/* ---- imports ---- */

static const char *import_fails(struct host *host)
{
    const char *path = host_path(host, "file");
    char question[256];
    file_write(path, "", 0, 0644);
    snprintf(question, sizeof(question), "rename %s", path);
    return there_and_back(host, "import_rename", "enospc", question, "renamed",
                          "No space left on device");
}

static const char *import_calls_original(struct host *host)
{
    must_apply(host, "load %s", patch_file("import_getenv"));
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "patched");
    host_expect(host, "getenv HOTPATCH_NO_SUCH_VALUE", "none");
    assert_string_equal(host_ask(host, "getenv HOTPATCH_DIR"), host->directory);
    must_apply(host, "revert all");
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "none");
    return "apply";
}

static const char *import_called_before(struct host *host)
{
    host_expect(host, "getenv HOTPATCH_TEST_VALUE", "none");
    return import_calls_original(host);
}

static const char *import_in_stripped(struct host *host)
{
    return import_fails(host);
}

static const char *import_in_full_relro(struct host *host)
{
    return import_fails(host);
}

static const char *import_in_non_pie(struct host *host)
{
    return import_fails(host);
}

const struct must_case must_applied[] = {
    CASE(declared_function),
    CASE(function_pointer_kept_by_host),
    CASE(data_slot),
    CASE(variadic_function),
    CASE(struct_by_value),
    CASE(floating_point),
    CASE(twenty_arguments),
    CASE(untyped_slot),
    CASE(untyped_slot_made_at_run_time),
    CASE(untyped_slots_by_typed),
    CASE(untyped_without_manifest),
    CASE(untyped_slot_of_a_hook),
    CASE(untyped_slot_of_a_patch),
    CASE(untyped_signature_spelled_otherwise),
    CASE(state_is_kept),
    CASE(signature_spelled_otherwise),
    CASE(target_in_exe),
    CASE(required_after_provider),
    CASE(required_before_provider),
    CASE(slot_of_a_patch),
    CASE(library_opened_later),
    CASE(one_name_in_two_objects),
    CASE(without_manifest),
    CASE(three_layers_reverted_out_of_order),
    CASE(same_name_replaces_in_place),
    CASE(revert_last_takes_the_newest),
    CASE(revert_all_at_once),
    CASE(load_again_after_revert),
    CASE(load_after_refusal),
    CASE(two_patches_in_one_step),
    CASE(revert_all_and_load_in_one_step),
    CASE(failed_transaction_keeps_layers),
    CASE(dry_run_changes_nothing),
    CASE(rebuilt_file_reloads),
    CASE(same_path_loaded_again),
    CASE(reload_of_bad_file_keeps_old),
    CASE(file_overwritten_in_place),
    CASE(doorbell_reloads),
    CASE(set_and_restore),
    CASE(slot_made_at_run_time),
    CASE(host_hears_of_changes),
    CASE(version_rises_with_changes_only),
    CASE_IN(import_fails, "imports"),
    CASE_IN(import_calls_original, "imports"),
    CASE_IN(import_called_before, "imports"),
    CASE_IN(import_in_stripped, "imports-stripped"),
    CASE_IN(import_in_full_relro, "imports-now"),
    CASE_IN(import_in_non_pie, "imports-nopie"),
    CASES_END,
};
