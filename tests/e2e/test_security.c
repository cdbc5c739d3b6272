/*
 * test_security.c - rights that the host gives up while it runs, and what others have planted in
 * its runtime directory before it starts or while it runs. See also test_e2e_security.c.
 *
 * Most need root, to give up something; without it they say so and are skipped.
 *
 * What these tests are worth (each broken on purpose, each failed): rights not compared before a
 * request: ten of the tests of rights; the status file written through links: the victim is
 * emptied; the owner and mode of objects/ not judged: "apply" where others can write.
 */
#include <dirent.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

/* A user of this test program alone, without a name: other tests may run beside it. */
static unsigned user;
static char users_directory[64]; /* by the rule of section 7; not there yet */

static int choose_user(void **state)
{
    char run[64];

    (void)state;
    user = 20000 + (unsigned)getpid() % 30000;
    do {
        user++;
        snprintf(users_directory, sizeof(users_directory), "/tmp/hotpatch-%u", user);
        snprintf(run, sizeof(run), "/run/user/%u", user);
    } while (getpwuid(user) || access(users_directory, F_OK) == 0 || access(run, F_OK) == 0);
    return 0;
}

/* VERB and the user's number. */
static const char *with_user(const char *verb)
{
    static char question[128];

    snprintf(question, sizeof(question), "%s %u", verb, user);
    return question;
}

#define NO_CAPABILITIES "0000000000000000"

static void expect_patch_runs_as_user(struct host *host)
{
    char answer[256];

    snprintf(answer, sizeof(answer),
             "Uid: %u %u %u %u CapPrm: " NO_CAPABILITIES " CapEff: " NO_CAPABILITIES
             " NoNewPrivs: 0",
             user, user, user, user);
    host_expect(host, "patch-rights", answer);
}

static int start(void **state)
{
    *state = host_start("sandbox", NULL);
    return 0;
}

static int stop(void **state)
{
    host_kill(*state);
    output_free(run_program(NULL, (const char *[]){"rm", "-rf", users_directory, NULL}));
    return 0;
}

static bool is_root(void)
{
    if (geteuid() != 0)
        print_message("skipped: needs root\n");
    return geteuid() == 0;
}

/* A value of /proc/PID/task/TID/status of one of the host's threads called hotpatch. */
static void thread_values(struct host *host, const char *field, char values[2][64])
{
    char path[300];
    struct dirent *entry;
    int found = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)host->pid);
    DIR *tasks = opendir(path);
    assert_non_null(tasks);
    while ((entry = readdir(tasks))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%d/task/%s/status", (int)host->pid, entry->d_name);
        char *text = file_text(path);
        const char *at = strstr(text, field);
        if (strncmp(text, "Name:\thotpatch\n", 15) == 0) {
            assert_true(found < 2 && at);
            at += strlen(field) + 2;
            snprintf(values[found++], 64, "%.*s", (int)strcspn(at, "\n"), at);
        }
        free(text);
    }
    closedir(tasks);
    assert_int_equal(found, 2);
}

static void assert_threads_have(struct host *host, const char *field, const char *value)
{
    char values[2][64];
    thread_values(host, field, values);
    for (int i = 0; i < 2; i++)
        if (strcmp(values[i], value) != 0)
            fail_msg("a thread of the library has %s %s, not %s", field, values[i], value);
}

static void assert_applies(struct host *host)
{
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
}

static void assert_sandboxed(struct host *host)
{
    assert_string_equal(outcome(host, "load %s", patch_file("answer2")), "HP-SANDBOX");
    assert_unchanged(host);
    struct reply *reply = request(host, "status");
    assert_true(strlen(member_text(reply->json, "status.sandbox")) > 0);
    reply_free(reply);
}

/* ---- rights ---- */

static void dropped_capabilities_are_dropped_by_the_threads_too(void **state)
{
    struct host *host = *state;
    if (!is_root())
        skip();
    host_expect(host, "drop-capabilities", "done");
    assert_applies(host);
    assert_threads_have(host, "CapPrm", NO_CAPABILITIES);
    assert_threads_have(host, "CapEff", NO_CAPABILITIES);
}

static void a_dropped_bounding_set_is_dropped_by_the_threads_too(void **state)
{
    struct host *host = *state;
    if (!is_root())
        skip();
    host_expect(host, "drop-bounding-set", "done");
    assert_applies(host);
    assert_threads_have(host, "CapBnd", NO_CAPABILITIES);
}

static void capabilities_dropped_with_a_patch_applied(void **state)
{
    struct host *host = *state;
    if (!is_root())
        skip();
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "drop-bounding-set", "done");
    host_expect(host, "drop-capabilities", "done");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    assert_threads_have(host, "CapPrm", NO_CAPABILITIES);
    assert_threads_have(host, "CapBnd", NO_CAPABILITIES);
}

static void patch_code_has_no_more_rights_than_the_host(void **state)
{
    struct host *host = *state;
    if (!is_root())
        skip();
    host_expect(host, "drop-capabilities", "done");
    host_expect(host, "no-new-privs", "done");
    must_apply(host, "load %s", patch_file("rights"));
    host_expect(host, "patch-rights",
                "Uid: 0 0 0 0 CapPrm: " NO_CAPABILITIES " CapEff: " NO_CAPABILITIES
                " NoNewPrivs: 1");
}

static void patch_code_runs_as_the_user_that_the_host_became(void **state)
{
    struct host *host = *state;
    if (!is_root())
        skip();
    assert_int_equal(chown(host->directory, user, user), 0);
    host_expect(host, with_user("setuid"), "done");
    must_apply(host, "load %s", patch_file("rights"));
    expect_patch_runs_as_user(host);
}

/* What the main thread may do then, a thread that has not kept its capabilities may not, and glibc
 * aborts a process whose threads fare differently. */
static void a_host_that_keeps_capabilities_over_setuid_lives(void **state)
{
    struct host *host = *state;
    if (!is_root() || sanitized()) /* a sanitizer's own thread does not keep them */
        skip();
    host_expect(host, with_user("setuid-keeping-capabilities"), "done");
    assert_true(host_alive(host));
    host_expect(host, "answer", "1");
    struct host outside = *host;
    snprintf(outside.directory, sizeof(outside.directory), "%s", users_directory);
    kill(host->pid, SIGRTMIN + 12);
    char fifo[128];
    snprintf(fifo, sizeof(fifo), "%s/%d.fifo", users_directory, (int)host->pid);
    ring_until_there(host->pid, users_directory);
    ring_until_there(host->pid, fifo);
    must_apply(&outside, "load %s", patch_file("rights"));
    expect_patch_runs_as_user(host);
}

/* The main thread alone changes its user, behind libc's back. The new user may not write into
 * root's directory, so that a refusal is right, too. */
static void a_user_changed_by_system_call_is_followed_or_refused(void **state)
{
    struct host *host = *state;
    if (!is_root())
        skip();
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, with_user("setuid-by-syscall"), "done");
    const char *code = outcome(host, "load %s", patch_file("rights"));
    if (strcmp(code, "apply") != 0) {
        assert_true(strcmp(code, "HP-SANDBOX") == 0 || strcmp(code, "HP-SNAPSHOT") == 0);
        host_expect(host, "patch-rights", "none");
        return;
    }
    expect_patch_runs_as_user(host);
}

static void no_new_privileges_hold_for_the_threads_too(void **state)
{
    struct host *host = *state;
    host_expect(host, "no-new-privs", "done");
    assert_applies(host);
    assert_threads_have(host, "NoNewPrivs", "1");
}

static void a_filter_on_one_thread_is_a_refusal(void **state)
{
    struct host *host = *state;
    host_listen(host); /* threads that are made later have the filter too */
    host_expect(host, "filter-this-thread", "done");
    assert_sandboxed(host);
}

static void a_filter_on_one_thread_refuses_the_revert_as_well(void **state)
{
    struct host *host = *state;
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "filter-this-thread", "done");
    assert_string_equal(outcome(host, "revert all"), "HP-SANDBOX");
    host_expect(host, "answer", "2");
}

static void a_filter_on_all_threads_is_no_obstacle(void **state)
{
    struct host *host = *state;
    host_expect(host, "filter-all-threads", "done");
    assert_applies(host);
}

static void a_second_filter_on_one_thread_is_a_refusal(void **state)
{
    struct host *host = *state;
    host_expect(host, "filter-all-threads", "done");
    assert_applies(host);
    host_expect(host, "filter-this-thread", "done");
    assert_sandboxed(host);
}

/* ---- another user's directory ---- */

/* Root's directory is nothing for the new user, which gets the one of section 7's rule. */
static void after_setuid_the_fifo_is_in_the_new_users_directory(void **state)
{
    struct host *host = *state;
    char fifo[128], pid[16];
    struct stat status;
    if (!is_root())
        skip();
    host_expect(host, with_user("setuid"), "done");
    snprintf(fifo, sizeof(fifo), "%s/%d.fifo", users_directory, (int)host->pid);
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    ring_until_there(host->pid, users_directory);
    ring_until_there(host->pid, fifo);
    assert_int_equal(lstat(fifo, &status), 0);
    assert_true(S_ISFIFO(status.st_mode) && status.st_uid == user);
    /* Root's command finds it without being told. */
    struct output *output = hotpatch(host, "load", pid, patch_file("answer2"), NULL);
    if (output->status != 0)
        fail_msg("exit %d\n%s%s", output->status, output->out, output->error);
    output_free(output);
    host_expect(host, "answer", "2");
}

/* A program of user nobody that has been given a capability. */
static void more_rights_than_the_user_has_need_roots_directory(void **state)
{
    struct host *keeper = *state;
    char script[2048], variable[300];
    const char *environment[] = {variable, "HOTPATCH_DISABLE=1", NULL}; /* for the shell alone */
    if (!is_root())
        skip();
    const char *directory = host_path(keeper, "nobodys");
    assert_int_equal(mkdir(directory, 0700), 0);
    assert_int_equal(chown(directory, user, user), 0);
    snprintf(variable, sizeof(variable), "HOTPATCH_DIR=%s", directory);
    snprintf(script, sizeof(script),
             "#!/bin/sh\nunset LD_PRELOAD\n"
             "exec setpriv --reuid=%u --regid=%u --clear-groups "
             "--inh-caps=+net_bind_service --ambient-caps=+net_bind_service "
             "env -u HOTPATCH_DISABLE LD_PRELOAD=%s %s\n",
             user, user, built("libhotpatch_preload.so"), built("hosts/sandbox"));
    const char *path = host_path(keeper, "start");
    file_write(path, script, strlen(script), 0755);
    struct host *host = host_start_unarmed(path, environment);
    host_log_await(host, "no FIFO");
    host_expect(host, "answer", "1");
    host_kill(host);
}

static struct output *command_as(struct host *host, unsigned uid, const char *words)
{
    char line[2048];
    snprintf(line, sizeof(line),
             "HOTPATCH_DIR=%s exec setpriv --reuid=%u --regid=%u --clear-groups %s %s",
             host->directory, uid, uid, built("hotpatch"), words);
    return run_program(NULL, (const char *[]){"/bin/sh", "-c", line, NULL});
}

static void a_users_command_on_roots_process_lacks_permission(void **state)
{
    struct host *host = *state;
    char words[600];
    if (!is_root())
        skip();
    snprintf(words, sizeof(words), "load %d %s", (int)host->pid, patch_file("answer2"));
    struct output *output = command_as(host, user, words);
    if (output->status == 126 || output->status == 127) {
        print_message("skipped: another user cannot execute the build directory\n");
        output_free(output);
        skip();
    }
    if (output->status != 1 || !strstr(output->error, "HP-PERMISSION"))
        fail_msg("exit %d\n%s%s", output->status, output->out, output->error);
    output_free(output);
    snprintf(words, sizeof(words), "status %d", (int)host->pid);
    output = command_as(host, user, words);
    if (output->status == 0 || !strstr(output->error, "HP-PERMISSION"))
        fail_msg("exit %d\n%s%s", output->status, output->out, output->error);
    output_free(output);
    assert_unchanged(host);
}

/* ---- planted files ---- */

/* A program whose runtime directory already holds something under its pid: a shell of that pid
 * puts it there. `plant` is a shell command, $f the FIFO's path, $d the directory, $$ the pid. */
static struct host *start_with_planted(struct host *keeper, const char *plant, bool armed)
{
    char script[2048];
    const char *environment[] = {"HOTPATCH_DISABLE=1", NULL}; /* for the shell alone */
    snprintf(script, sizeof(script),
             "#!/bin/sh\nd=$HOTPATCH_DIR f=$d/$$.fifo\n%s\nunset HOTPATCH_DISABLE\nexec %s\n",
             plant, built("hosts/sandbox"));
    const char *path = host_path(keeper, "start");
    file_write(path, script, strlen(script), 0755);
    struct host *host = host_start_unarmed(path, environment);
    if (armed) { /* the status comes after the FIFO */
        char status[300];
        snprintf(status, sizeof(status), "%s/%d.json", host->directory, (int)host->pid);
        ring_until_there(host->pid, status);
    }
    return host;
}

static void a_file_planted_under_the_fifos_name_is_replaced(void **state)
{
    struct host *host = start_with_planted(*state, "echo mine >$f", true);
    assert_applies(host);
    host_stop(host);
}

static void a_link_planted_under_the_fifos_name_is_replaced_not_followed(void **state)
{
    struct host *host = start_with_planted(*state, "mkfifo $d/victim; ln -s victim $f", true);
    char path[300], byte;
    struct stat status;
    snprintf(path, sizeof(path), "%s/%d.fifo", host->directory, (int)host->pid);
    assert_applies(host);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    snprintf(path, sizeof(path), "%s/victim", host->directory);
    int fd = open(path, O_RDWR | O_NONBLOCK);
    assert_int_equal(read(fd, &byte, 1), -1);
    close(fd);
    host_kill(host);
}

static void a_directory_planted_under_the_fifos_name_is_said(void **state)
{
    struct host *host = start_with_planted(*state, "mkdir $f", false);
    host_log_await(host, "no FIFO");
    host_expect(host, "answer", "1");
    host_kill(host);
}

static void a_foreign_fifo_under_the_name_is_said(void **state)
{
    if (!is_root())
        skip();
    struct host *host =
        start_with_planted(*state, "mkfifo $f; chown 65534 $f; chmod 666 $f", false);
    host_log_await(host, "no FIFO");
    host_expect(host, "answer", "1");
    host_kill(host);
}

static void await_link_gone(const char *path)
{
    struct stat status;

    AWAIT(lstat(path, &status) == 0 && S_ISREG(status.st_mode), "a regular file in place of %s",
          path);
}

static void links_planted_under_the_status_files_names_are_not_followed(void **state)
{
    struct host *host = *state;
    const char *victim = host_path(host, "victim");
    char path[300], temporary[310];
    file_write(victim, "mine", 4, 0600);
    snprintf(path, sizeof(path), "%s/%d.json", host->directory, (int)host->pid);
    snprintf(temporary, sizeof(temporary), "%s.tmp", path);
    ring_until_there(host->pid, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(victim, path), 0);
    assert_int_equal(symlink(victim, temporary), 0);
    must_apply(host, "load %s", patch_file("answer2"));
    await_link_gone(path);
    char *text = file_text(victim);
    assert_string_equal(text, "mine");
    free(text);
}

static void objects_elsewhere(struct host *host, const char *elsewhere)
{
    char objects[300];
    snprintf(objects, sizeof(objects), "%s/objects", host->directory);
    assert_int_equal(symlink(elsewhere, objects), 0);
    assert_string_equal(outcome(host, "load %s", patch_file("answer2")), "HP-SNAPSHOT");
    assert_unchanged(host);
    assert_int_equal(unlink(objects), 0);
}

static void a_link_in_place_of_objects_is_refused(void **state)
{
    struct host *host = *state;
    const char *elsewhere = host_path(host, "elsewhere");
    assert_int_equal(mkdir(elsewhere, 0700), 0);
    objects_elsewhere(host, elsewhere);
    assert_int_equal(rmdir(elsewhere), 0); /* nothing was put there */
    assert_applies(host);
}

static void objects_that_others_can_write_are_refused(void **state)
{
    struct host *host = *state;
    char objects[300];
    snprintf(objects, sizeof(objects), "%s/objects", host->directory);
    assert_int_equal(mkdir(objects, 0700), 0);
    assert_int_equal(chmod(objects, 0777), 0);
    assert_string_equal(outcome(host, "load %s", patch_file("answer2")), "HP-SNAPSHOT");
    assert_unchanged(host);
}

static void objects_of_another_user_are_refused(void **state)
{
    struct host *host = *state;
    char objects[300];
    if (!is_root())
        skip();
    snprintf(objects, sizeof(objects), "%s/objects", host->directory);
    assert_int_equal(mkdir(objects, 0700), 0);
    assert_int_equal(chown(objects, user, user), 0);
    assert_string_equal(outcome(host, "load %s", patch_file("answer2")), "HP-SNAPSHOT");
    assert_unchanged(host);
}

/* The copy's name is known beforehand: SHA256-N.so. What lies there is never what is loaded. */
static void a_file_planted_under_the_copys_name_is_not_loaded(void **state)
{
    struct host *host = *state;
    char objects[300], name[600];
    must_apply(host, "load %s", patch_file("answer2"));
    must_apply(host, "revert all");
    snprintf(objects, sizeof(objects), "%s/objects", host->directory);
    struct reply *reply = request(host, "load %s", patch_file("answer2"));
    assert_string_equal(reply->code, "apply");
    const char *sha =
        member_text(json_object_array_get_idx(member(reply->json, "modules"), 0), "sha256");
    snprintf(name, sizeof(name), "%s/%s-3.so", objects, sha);
    must_apply(host, "revert all");
    reply_free(reply);
    /* A foreign owner's, and a link: the two that others could have come to put there. */
    assert_int_equal(symlink(patch_file("answer3"), name), 0);
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
}

static void a_log_file_that_is_a_link_is_not_written(void **state)
{
    struct host *keeper = *state;
    char variable[300];
    const char *environment[] = {"HOTPATCH_LOG=debug", variable, NULL};
    const char *victim = host_path(keeper, "victim"), *name = host_path(keeper, "log");
    file_write(victim, "mine", 4, 0600);
    assert_int_equal(symlink(victim, name), 0);
    snprintf(variable, sizeof(variable), "HOTPATCH_LOG_FILE=%s", name);
    struct host *host = host_start("sandbox", environment);
    assert_applies(host);
    host_stop(host);
    char *text = file_text(victim);
    assert_string_equal(text, "mine");
    free(text);
}

/* ---- chroot; test_jails.c has the rest ---- */

static void make_jail(struct host *host, const char *inside)
{
    char path[600];
    snprintf(path, sizeof(path), "%s%s", host_path(host, "jail"), inside);
    output_free(run_program(NULL, (const char *[]){"mkdir", "-p", path, NULL}));
    assert_int_equal(chmod(path, 0700), 0);
}

static void enter_jail(struct host *host, const char *how)
{
    char question[300];
    snprintf(question, sizeof(question), "%s %s", how, host_path(host, "jail"));
    host_expect(host, question, "done");
}

static void assert_loaded(struct host *host)
{
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    struct output *output = hotpatch(host, "load", pid, patch_file("answer2"), NULL);
    print_message("exit %d: %s%s\n", output->status, output->out, output->error);
    assert_int_equal(output->status, 0);
    output_free(output);
    host_expect(host, "answer", "2");
}

/* In the jail there is room for a runtime directory, and nothing of the patch. */
static void into_a_jail_the_command_hands_the_patch(void **state)
{
    struct host *host = *state;
    if (!is_root())
        skip();
    make_jail(host, host->directory);
    enter_jail(host, "chroot");
    assert_loaded(host);
}

static void into_an_empty_jail_the_command_hands_the_patch(void **state)
{
    struct host *host = *state;
    if (!is_root())
        skip();
    make_jail(host, "");
    enter_jail(host, "chroot-by-syscall");
    assert_loaded(host);
}

/* A line that is written to the FIFO in the jail brings neither engine nor patch. */
static void in_a_jail_without_the_engine_a_line_is_refused_in_words(void **state)
{
    struct host *host = *state;
    char fifo[700];
    if (!is_root())
        skip();
    make_jail(host, host->directory);
    host_listen(host); /* with the rights that /proc shows */
    enter_jail(host, "chroot");
    snprintf(fifo, sizeof(fifo), "%s%s", host_path(host, "jail"), host->directory);
    memcpy(host->directory, fifo, sizeof(host->directory));
    snprintf(fifo, sizeof(fifo), "%s/%d.fifo", host->directory, (int)host->pid);
    assert_int_equal(kill(host->pid, SIGRTMIN + 12), 0);
    await_file(fifo);
    assert_string_equal(outcome(host, "load %s", patch_file("answer2")), "HP-ENGINE");
    host_expect(host, "answer", "1");
}

static void assert_replaced(struct host *host, const char *how)
{
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    struct output *output =
        hotpatch(host, "load", pid, "--replace", how, patch_file("entry_plain"), NULL);
    print_message("exit %d: %s%s\n", output->status, output->out, output->error);
    assert_int_equal(output->status, 0);
    output_free(output);
}

/* What reads instructions is loaded for the first entry, and an engine from before the jail has not got it. */
static void in_a_jail_an_engine_from_before_gets_the_decoder(void **state)
{
    struct host *host = *state;
    if (!is_root())
        skip();
    assert_loaded(host); /* the engine */
    make_jail(host, host->directory);
    enter_jail(host, "chroot-by-syscall");
    assert_replaced(host, "prctl=two");
    host_expect(host, "no-new-privs", "Success");
    assert_replaced(host, "filter=two");
    host_expect(host, "filter-this-thread", "Success");
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        WITH_HOST(dropped_capabilities_are_dropped_by_the_threads_too),
        WITH_HOST(a_dropped_bounding_set_is_dropped_by_the_threads_too),
        WITH_HOST(capabilities_dropped_with_a_patch_applied),
        WITH_HOST(patch_code_has_no_more_rights_than_the_host),
        WITH_HOST(patch_code_runs_as_the_user_that_the_host_became),
        WITH_HOST(a_host_that_keeps_capabilities_over_setuid_lives),
        WITH_HOST(a_user_changed_by_system_call_is_followed_or_refused),
        WITH_HOST(no_new_privileges_hold_for_the_threads_too),
        WITH_HOST(a_filter_on_one_thread_is_a_refusal),
        WITH_HOST(a_filter_on_one_thread_refuses_the_revert_as_well),
        WITH_HOST(a_filter_on_all_threads_is_no_obstacle),
        WITH_HOST(a_second_filter_on_one_thread_is_a_refusal),
        WITH_HOST(after_setuid_the_fifo_is_in_the_new_users_directory),
        WITH_HOST(more_rights_than_the_user_has_need_roots_directory),
        WITH_HOST(a_users_command_on_roots_process_lacks_permission),
        WITH_HOST(a_file_planted_under_the_fifos_name_is_replaced),
        WITH_HOST(a_link_planted_under_the_fifos_name_is_replaced_not_followed),
        WITH_HOST(a_directory_planted_under_the_fifos_name_is_said),
        WITH_HOST(a_foreign_fifo_under_the_name_is_said),
        WITH_HOST(links_planted_under_the_status_files_names_are_not_followed),
        WITH_HOST(a_link_in_place_of_objects_is_refused),
        WITH_HOST(objects_that_others_can_write_are_refused),
        WITH_HOST(objects_of_another_user_are_refused),
        WITH_HOST(a_file_planted_under_the_copys_name_is_not_loaded),
        WITH_HOST(a_log_file_that_is_a_link_is_not_written),
        WITH_HOST(into_a_jail_the_command_hands_the_patch),
        WITH_HOST(into_an_empty_jail_the_command_hands_the_patch),
        WITH_HOST(in_a_jail_without_the_engine_a_line_is_refused_in_words),
        WITH_HOST(in_a_jail_an_engine_from_before_gets_the_decoder),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, choose_user, NULL);
}
