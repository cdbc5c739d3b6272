/*
 * test_e2e_security.c - runtime directories, FIFOs and replies that someone else prepared, and
 * commands across users. Most need root, to be another user too; they are skipped without.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

enum { NOBODY = 65534 };

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

static const char *fifo_path(struct host *host)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/%d.fifo", host->directory, (int)host->pid);
    return path;
}

/* A host whose HOTPATCH_DIR is `directory` says so, makes no FIFO there, and runs as without. */
static void assert_not_used(const char *directory)
{
    char variable[300];
    const char *environment[] = {variable, NULL};
    snprintf(variable, sizeof(variable), "HOTPATCH_DIR=%s", directory);
    struct host *host = host_start_unarmed("host", environment);
    host_log_await(host, "no FIFO");
    assert_int_not_equal(access(fifo_path(host), F_OK), 0);
    host_expect(host, "answer", "1");
    assert_int_equal(kill(host->pid, SIGRTMIN + 12), 0);
    host_expect(host, "pointer", "1");
    assert_int_not_equal(access(fifo_path(host), F_OK), 0);
    host_stop(host);
}

static void a_foreign_directory_is_not_used(void **state)
{
    struct host *host = *state;
    const char *directory = host_path(host, "foreign");
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(directory, 0700), 0);
    assert_int_equal(chown(directory, NOBODY, NOBODY), 0);
    assert_not_used(directory);
}

static void a_directory_others_can_write_is_not_used(void **state)
{
    struct host *host = *state;
    const char *directory = host_path(host, "open");
    assert_int_equal(mkdir(directory, 0777), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_not_used(directory);
}

/* It has no FIFO of its own yet, and root's directory, which its user may not enter, tells nothing of it. */
static void a_child_without_a_fifo_is_rung_beside_a_directory_of_roots(void **state)
{
    struct host *host = *state;
    const char *roots = host_path(host, "roots"), *users = host_path(host, "users");
    struct output *output;
    char script[2048];

    if (sanitized_for_threads())
        skip(); /* sh(1) is not built with TSan */
    if (geteuid() != 0)
        skip();
    assert_int_equal(mkdir(roots, 0700), 0);
    assert_int_equal(mkdir(users, 0700), 0);
    assert_int_equal(chown(users, NOBODY, NOBODY), 0);
    assert_int_equal(chmod(host->scratch, 0755), 0);
    snprintf(script, sizeof(script),
             "mkfifo %s/never %s/pid; hotpatch=%s\n"
             "HOTPATCH_DIR=%s $hotpatch run sh -c '(read line < %s/never) & echo $! > %s/pid;"
             " wait' & parent=$!\n"
             "read child < %s/pid; export HOTPATCH_DIR=%s\n"
             "$hotpatch doctor $child; $hotpatch status $child; status=$?\n"
             "kill $child $parent; exit $status",
             users, users, built("hotpatch"), users, users, users, users, roots);
    output = run_program(NULL, (const char *[]){"setpriv", "--reuid=65534", "--regid=65534",
                                                "--clear-groups", "sh", "-c", script, NULL});
    if (output->status == 126 || output->status == 127) {
        output_free(output);
        skip(); /* this user may not execute what was built here */
    }
    if (output->status != 0 || strstr(output->out, "no    fifo"))
        fail_msg("exit %d\n%s%s", output->status, output->out, output->error);
    output_free(output);
}

/* A program that another user starts with root's environment has asked for nothing. */
static void a_user_who_may_not_enter_the_directory_reads_nothing_of_it(void **state)
{
    struct host *host = *state;
    char preload[512], directory[512];
    struct output *output;

    if (geteuid() != 0)
        skip();
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", built("libhotpatch_preload.so"));
    snprintf(directory, sizeof(directory), "HOTPATCH_DIR=%s", host->directory);
    output = run_program(
        NULL, (const char *[]){"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env",
                               "HOTPATCH_LISTEN=first-ring", preload, directory, "true", NULL});
    assert_int_equal(output->status, 0);
    assert_null(strstr(output->error, "hotpatch["));
    output_free(output);
}

static void a_symbolic_link_is_no_directory(void **state)
{
    struct host *host = *state;
    const char *real = host_path(host, "real"), *name = host_path(host, "link");
    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink(real, name), 0);
    assert_not_used(name);
}

static void doctor_says_whose_directory_it_is(void **state)
{
    struct host *host = *state;
    if (geteuid() != 0)
        skip();
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    assert_int_equal(chown(host->directory, NOBODY, NOBODY), 0);
    struct output *output = hotpatch(host, "doctor", pid, NULL);
    assert_int_not_equal(output->status, 0);
    assert_non_null(strstr(output->out, "nobody") ? output->out : strstr(output->out, "65534"));
    output_free(output);
    assert_int_equal(chown(host->directory, 0, 0), 0);
}

static struct output *load(struct host *host)
{
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    return hotpatch(host, "load", pid, patch_file("answer2"), NULL);
}

/* The command must neither hang on a planted file nor write into it. */
static void planted(struct host *host, const char *victim, const char *content)
{
    struct output *output = load(host);
    assert_int_not_equal(output->status, 0);
    assert_non_null(strstr(output->error, "HP-"));
    output_free(output);
    if (victim) {
        char *text = file_text(victim);
        assert_string_equal(text, content);
        free(text);
    }
    host_expect(host, "answer", "1");
}

static void a_file_in_place_of_the_fifo_is_refused(void **state)
{
    struct host *host = *state;
    const char *path = fifo_path(host);
    assert_int_equal(unlink(path), 0);
    file_write(path, "mine", 4, 0600);
    planted(host, path, "mine");
}

static void a_link_in_place_of_the_fifo_is_refused(void **state)
{
    struct host *host = *state;
    const char *victim = host_path(host, "victim");
    file_write(victim, "mine", 4, 0600);
    assert_int_equal(unlink(fifo_path(host)), 0);
    assert_int_equal(symlink(victim, fifo_path(host)), 0);
    planted(host, victim, "mine");
}

static void a_fifo_that_nobody_reads_is_refused(void **state)
{
    struct host *host = *state;
    assert_int_equal(unlink(fifo_path(host)), 0);
    assert_int_equal(mkfifo(fifo_path(host), 0600), 0);
    struct output *output = load(host);
    /* The command may ring, and the host makes its own FIFO anew: both outcomes are sound. */
    if (output->status != 0) {
        assert_non_null(strstr(output->error, "HP-NOT-LISTENING"));
        host_expect(host, "answer", "1");
    } else
        host_expect(host, "answer", "2");
    output_free(output);
}

static void a_deleted_fifo_comes_back_at_the_doorbell(void **state)
{
    /* TSan defers asynchronous signals, for as long as a thread waits in ppoll. */
    if (sanitized_for_threads())
        skip();
    struct host *host = *state;
    assert_int_equal(unlink(fifo_path(host)), 0);
    assert_int_equal(kill(host->pid, SIGRTMIN + 12), 0);
    await_file(fifo_path(host));
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
}

static void reply_to(struct host *host, const char *name)
{
    char line[128];
    int size = snprintf(line, sizeof(line), "ping reply=%s\n", name);
    send_raw(host, line, (size_t)size);
    assert_string_equal(outcome(host, "ping"), "apply");
}

static void a_reply_never_goes_into_a_file(void **state)
{
    struct host *host = *state;
    char path[512];
    snprintf(path, sizeof(path), "%s/plain.reply", host->directory);
    file_write(path, "mine", 4, 0600);
    reply_to(host, "plain.reply");
    char *text = file_text(path);
    assert_string_equal(text, "mine");
    free(text);
}

static void a_reply_never_follows_a_link(void **state)
{
    struct host *host = *state;
    struct host *other = host_start("host", NULL);
    char path[512];
    snprintf(path, sizeof(path), "%s/link.reply", host->directory);
    assert_int_equal(symlink(fifo_path(other), path), 0);
    reply_to(host, "link.reply");
    /* Nothing came to the other process: its history holds no refusal. */
    struct reply *reply = request(other, "status");
    json_object *history = member(reply->json, "status.history");
    for (size_t i = 0; i < json_object_array_length(history); i++)
        assert_string_equal(member_text(json_object_array_get_idx(history, i), "result"), "done");
    reply_free(reply);
    host_kill(other);
}

static void a_foreign_reply_fifo_gets_nothing(void **state)
{
    struct host *host = *state;
    char path[512], byte;
    if (geteuid() != 0)
        skip();
    snprintf(path, sizeof(path), "%s/foreign.reply", host->directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    int fd = open(path, O_RDWR | O_NONBLOCK);
    reply_to(host, "foreign.reply");
    assert_int_equal(read(fd, &byte, 1), -1);
    close(fd);
}

static void a_reader_that_does_not_read_holds_nobody_up(void **state)
{
    struct host *host = *state;
    char path[512], line[64];
    snprintf(path, sizeof(path), "%s/slow.reply", host->directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_NONBLOCK);
    for (int i = 0; i < 200; i++) {
        int size = snprintf(line, sizeof(line), "slots reply=slow.reply\n");
        send_raw(host, line, (size_t)size);
        host_expect(host, "answer", "1");
    }
    close(fd);
    unlink(path);
    assert_string_equal(outcome(host, "ping"), "apply");
}

/* Runs `hotpatch load` as another user. */
static struct output *load_as(struct host *host, int uid)
{
    char line[2048];
    snprintf(line, sizeof(line),
             "HOTPATCH_DIR=%s exec setpriv --reuid=%d --regid=%d --clear-groups %s load %d %s",
             host->directory, uid, uid, built("hotpatch"), (int)host->pid, patch_file("answer2"));
    return run_program(NULL, (const char *[]){"/bin/sh", "-c", line, NULL});
}

static void a_user_cannot_patch_roots_process(void **state)
{
    struct host *host = *state;
    if (geteuid() != 0)
        skip();
    struct output *output = load_as(host, NOBODY);
    assert_int_not_equal(output->status, 0);
    if (output->status != 126 && output->status != 127)
        assert_non_null(strstr(output->error, "HP-"));
    output_free(output);
    assert_unchanged(host);
}

static void root_can_patch_a_users_process(void **state)
{
    struct host *host = *state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(host->directory, NOBODY, NOBODY), 0);
    host_expect(host, "setuid 65534", "uid");
    struct output *output = load(host);
    if (output->status != 0)
        fail_msg("exit %d\n%s%s", output->status, output->out, output->error);
    output_free(output);
    host_expect(host, "answer", "2");
}

/* After setuid the process loads nothing that its new user may not read. */
static void a_process_that_dropped_root_does_not_read_roots_files(void **state)
{
    struct host *host = *state;
    if (geteuid() != 0)
        skip();
    const char *path = host_path(host, "secret.so");
    copy_file(patch_file("answer2"), path);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chown(host->directory, NOBODY, NOBODY), 0);
    host_expect(host, "setuid 65534", "uid");
    assert_string_equal(outcome(host, "load %s", path), "HP-OPEN");
    assert_unchanged(host);
}

static void the_fifo_and_directory_are_the_users_alone(void **state)
{
    struct host *host = *state;
    struct stat status;
    assert_int_equal(stat(host->directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    assert_int_equal(lstat(fifo_path(host), &status), 0);
    assert_true(S_ISFIFO(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_uid, geteuid());
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH_HOST(a_foreign_directory_is_not_used),
        WITH_HOST(a_directory_others_can_write_is_not_used),
        WITH_HOST(a_child_without_a_fifo_is_rung_beside_a_directory_of_roots),
        WITH_HOST(a_child_without_a_fifo_is_rung_beside_a_directory_of_roots),
        WITH_HOST(a_user_who_may_not_enter_the_directory_reads_nothing_of_it),
        WITH_HOST(a_symbolic_link_is_no_directory),
        WITH_HOST(doctor_says_whose_directory_it_is),
        WITH_HOST(a_file_in_place_of_the_fifo_is_refused),
        WITH_HOST(a_link_in_place_of_the_fifo_is_refused),
        WITH_HOST(a_fifo_that_nobody_reads_is_refused),
        WITH_HOST(a_deleted_fifo_comes_back_at_the_doorbell),
        WITH_HOST(a_reply_never_goes_into_a_file),
        WITH_HOST(a_reply_never_follows_a_link),
        WITH_HOST(a_foreign_reply_fifo_gets_nothing),
        WITH_HOST(a_reader_that_does_not_read_holds_nobody_up),
        WITH_HOST(a_user_cannot_patch_roots_process),
        WITH_HOST(root_can_patch_a_users_process),
        WITH_HOST(a_process_that_dropped_root_does_not_read_roots_files),
        WITH_HOST(the_fifo_and_directory_are_the_users_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
