/*
 * test_jails.c - processes that have gone into an empty root directory (chroot(2)) before anybody asked
 * for anything: root patches them there, and nothing of that stays in the directory.
 *
 * Needs root. The programs are single-threaded and unrung when they go; what mounts is done in a mount
 * namespace of this program's own.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/harness.h"
#include "tests/support/thin_made.h"

static const char *const later[] = {"HOTPATCH_LISTEN=first-ring", NULL};
static const char *const at_start[] = {"HOTPATCH_LISTEN=start", NULL};
static bool mounts; /* this program may mount */

static void become_worker(struct host *host)
{
    int pid = 0;

    assert_int_equal(sscanf(host_ask(host, "fork"), "pid %d", &pid), 1);
    host->pid = pid;
}

static const char *make_jail(struct host *host, mode_t mode)
{
    const char *jail = host_path(host, "jail");

    assert_int_equal(mkdir(jail, 0700), 0);
    assert_int_equal(chmod(jail, mode), 0);
    return jail;
}

static void enter(struct host *host)
{
    char question[300];

    snprintf(question, sizeof(question), "chroot %s", host_path(host, "jail"));
    host_expect(host, question, "done");
}

/* A worker of a daemon, as root, in an empty root directory of that mode. */
static struct host *start_in_root(mode_t mode)
{
    struct host *host;

    if (geteuid() != 0)
        skip();
    host = host_start("jailed", later);
    become_worker(host);
    make_jail(host, mode);
    enter(host);
    return host;
}

/* The same as nobody. */
static struct host *start_jailed(mode_t mode)
{
    struct host *host = start_in_root(mode);

    host_expect(host, "nobody", "done");
    return host;
}

static void must_load(struct host *host, int status, const char *text)
{
    output_must(hotpatch(host, "load", pid_text(host->pid), patch_file("jail_answer"), NULL),
                status, text, NULL);
}

static void assert_nothing_stayed(struct host *host)
{
    assert_int_equal(directory_entries("%s", host_path(host, "jail")), 0);
    assert_string_equal(host_log(host), "");
}

static void await_empty(const char *path)
{
    AWAIT(directory_entries("%s", path) == 0, "nothing in %s", path);
}

/* ---- what must work ---- */

static void work_on(struct host *host)
{
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0, NULL, NULL);
    must_load(host, 0, NULL);
    host_expect(host, "answer", "2");
    output_must(hotpatch(host, "revert", pid_text(host->pid), "all", NULL), 0, NULL, NULL);
    host_expect(host, "answer", "1");
    output_must(hotpatch(host, "load", pid_text(host->pid), "--fail", "answer=7", NULL), 0, NULL,
                NULL);
    host_expect(host, "answer", "7");
    output_must(hotpatch(host, "revert", pid_text(host->pid), "all", NULL), 0, NULL, NULL);
    output_must(hotpatch(host, "slots", pid_text(host->pid), NULL), 0, NULL, NULL);
    host_expect(host, "answer", "1");
    assert_nothing_stayed(host);
}

static void a_worker_in_an_empty_root_directory_is_patched(void **state)
{
    struct host *host = start_jailed(0755);

    (void)state;
    work_on(host);
    host_kill(host);
}

/* No name leads to a file there, not even for the process itself. */
/* The process asks for it by its path, in JSON. */
static void a_patch_whose_path_is_no_utf8_is_brought(void **state)
{
    struct host *host = start_jailed(0755);
    const char *patch = host_path(host, "caf\xe9 \xed\xa0\x80.so");

    (void)state;
    copy_file(patch_file("jail_answer"), patch);
    output_must(hotpatch(host, "load", pid_text(host->pid), patch, NULL), 0, NULL, NULL);
    host_expect(host, "answer", "2");
    assert_nothing_stayed(host);
    host_kill(host);
}

static void a_root_directory_that_the_worker_may_not_search_is_no_obstacle(void **state)
{
    struct host *host = start_jailed(0700);

    (void)state;
    work_on(host);
    must_load(host, 0, NULL); /* of the same file again */
    host_expect(host, "answer", "2");
    assert_nothing_stayed(host);
    host_kill(host);
}

static void kept_capabilities_are_no_obstacle(void **state)
{
    struct host *host = start_in_root(0755);

    (void)state;
    host_expect(host, "nobody-with-capabilities", "done");
    work_on(host);
    host_kill(host);
}

/* The threads were made with the rights of root; they follow, by what the command tells of the host. */
static void rights_that_are_dropped_after_the_first_ring_are_followed(void **state)
{
    struct host *host = start_in_root(0755);
    struct output *output;

    (void)state;
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0, NULL, NULL);
    host_expect(host, "drop-capabilities", "done");
    must_load(host, 0, NULL);
    host_expect(host, "answer", "2");
    output = hotpatch(host, "doctor", pid_text(host->pid), NULL);
    if (!strstr(output->out, "have no more rights than the program"))
        fail_msg("%s", output->out);
    output_free(output);
    host_kill(host);
}

static void a_listener_from_before_the_jail_is_reached_in_it(void **state)
{
    struct host *host;

    (void)state;
    if (geteuid() != 0)
        skip();
    host = host_start("jailed", at_start);
    make_jail(host, 0755);
    enter(host);
    host_expect(host, "nobody", "done");
    work_on(host);
    host_kill(host);
}

static void two_commands_wait_for_one_another(void **state)
{
    struct host *host = start_jailed(0755);
    struct output *output;
    char script[600];

    (void)state;
    snprintf(script, sizeof(script),
             "for i in 1 2 3 4 5 6; do %s status %s & p=\"$p $!\"; done; for i in $p; do wait $i "
             "|| exit; "
             "done",
             built("hotpatch"), pid_text(host->pid));
    output = run_program(host, (const char *[]){"sh", "-c", script, NULL});
    output_must(output, 0, NULL, NULL);
    host_kill(host);
}

static void ps_and_doctor_tell_of_a_jail(void **state)
{
    struct host *host = start_jailed(0755);
    struct output *output;
    char row[64];

    (void)state;
    must_load(host, 0, NULL);
    output = hotpatch(host, "doctor", pid_text(host->pid), NULL);
    if (output->status != 0 || !strstr(output->out, "has pipes for requests and replies"))
        fail_msg("exit %d: %s%s", output->status, output->out, output->error);
    output_free(output);
    output = hotpatch(host, "ps", "--json", NULL);
    snprintf(row, sizeof(row), "\"pid\":%s,", pid_text(host->pid));
    assert_non_null(strstr(output->out, row));
    assert_non_null(
        strstr(strstr(output->out, row), "\"listening\":true,\"engine\":true,\"layers\":1,"));
    output_free(output);
    assert_nothing_stayed(host);
    host_kill(host);
}

/* The engine edits the copy of a C++ patch: the one in the jail is made of the edited bytes. */
static void a_patch_with_unique_symbols_is_loaded(void **state)
{
    static const mode_t modes[] = {0755, 0700};

    (void)state;
    for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
        struct host *host = start_jailed(modes[i]);
        const char *patch = host_path(host, "unique.so");
        char command[1024];

        snprintf(command, sizeof(command), "g++ -O1 -fPIC -shared -I'%s' -o '%s' '%s'",
                 source_file("include"), patch, source_file("tests/patches/jail_unique.cc"));
        output_must(run_program(NULL, (const char *[]){"sh", "-c", command, NULL}), 0, NULL, NULL);
        output_must(hotpatch(host, "load", pid_text(host->pid), patch, NULL), 0, NULL, NULL);
        host_expect(host, "answer", "5");
        assert_nothing_stayed(host);
        host_kill(host);
    }
}

/* It is linked for the process: the copy in the jail is made of the linked bytes. */
static void a_thin_object_is_loaded(void **state)
{
    static const char *const functions[] = {"answer", NULL};
    struct host *host = start_jailed(0755);
    char command[1024], patch[300], object[300];

    (void)state;
    snprintf(patch, sizeof(patch), "%s", host_path(host, "answer.hpo"));
    snprintf(object, sizeof(object), "%s", host_path(host, "answer.o"));
    snprintf(
        command, sizeof(command),
        "echo 'int answer(int x) { return x * 9; }' | gcc -O2 -g -ffunction-sections -xc -c -o "
        "'%s' -",
        object);
    output_must(run_program(NULL, (const char *[]){"sh", "-c", command, NULL}), 0, NULL, NULL);
    thin_make(patch, "answer", built("hosts/jailed"), object, functions);
    output_must(hotpatch(host, "load", pid_text(host->pid), patch, NULL), 0, NULL, NULL);
    host_expect(host, "answer", "9");
    output_must(hotpatch(host, "revert", pid_text(host->pid), "all", NULL), 0, NULL, NULL);
    host_expect(host, "answer", "1");
    assert_nothing_stayed(host);
    host_kill(host);
}

/* ---- what must be refused, in words ---- */

static void mount_jail(struct host *host, unsigned long flags)
{
    const char *jail = make_jail(host, 0755);

    if (mount(jail, jail, NULL, MS_BIND, NULL) != 0 ||
        mount(NULL, jail, NULL, MS_BIND | MS_REMOUNT | flags, NULL) != 0)
        fail_msg("mount %s: %s", jail, strerror(errno));
}

static void refused_on(unsigned long flags)
{
    struct host *host;

    if (geteuid() != 0 || !mounts)
        skip();
    host = host_start("jailed", later);
    become_worker(host);
    mount_jail(host, flags);
    enter(host);
    host_expect(host, "nobody", "done");
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0, NULL, NULL);
    must_load(host, 1, "HP-CHROOT");
    output_must(hotpatch(host, "load", pid_text(host->pid), "--fail", "answer=7", NULL), 1,
                "HP-CHROOT", NULL);
    host_expect(host, "answer", "1");
    assert_nothing_stayed(host);
    umount2(host_path(host, "jail"), MNT_DETACH);
    host_kill(host);
}

static void a_read_only_root_directory_is_HP_CHROOT(void **state)
{
    (void)state;
    refused_on(MS_RDONLY);
}

static void a_root_directory_without_execution_is_HP_CHROOT(void **state)
{
    (void)state;
    refused_on(MS_NOEXEC);
}

static void others_that_can_write_to_the_root_directory_are_HP_CHROOT(void **state)
{
    struct host *host = start_jailed(0777);

    (void)state;
    must_load(host, 1, "HP-CHROOT");
    host_expect(host, "answer", "1");
    assert_nothing_stayed(host);
    host_kill(host);
}

static void without_a_descriptor_the_load_is_HP_LIMIT(void **state)
{
    struct host *host = start_jailed(0755);

    (void)state;
    host_expect(host, "limit-descriptors 0", "done");
    must_load(host, 1, "HP-LIMIT");
    host_expect(host, "answer", "1");
    assert_nothing_stayed(host);
    host_kill(host);
}

/* The same user does not help: a process that was root hides what it has from that user. */
static void another_user_than_root_is_refused(void **state)
{
    struct host *host = start_jailed(0755);
    char script[900];

    (void)state;
    assert_int_equal(chmod(host_path(host, "stderr"), 0644), 0);
    snprintf(script, sizeof(script),
             "cp %s %s/hotpatch; chmod 755 %s/hotpatch; setpriv --reuid 65534 --regid 65534 "
             "--clear-groups env -u HOTPATCH_DIR %s/hotpatch status %s",
             built("hotpatch"), host->scratch, host->scratch, host->scratch, pid_text(host->pid));
    output_must(run_program(host, (const char *[]){"sh", "-c", script, NULL}), 1, "HP-PERMISSION",
                NULL);
    host_kill(host);
}

/* ---- what ends in the middle ---- */

static void a_worker_that_ends_during_the_load_leaves_nothing(void **state)
{
    struct host *host = start_jailed(0755);

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), patch_file("jail_dies"), NULL), 6,
                "HP-HOST-DIED", NULL);
    assert_int_equal(directory_entries("%s", host_path(host, "jail")), 0);
    host_kill(host);
}

static pid_t start_load(struct host *host, const char *patch)
{
    pid_t command;

    fflush(NULL);
    command = fork();
    if (command == 0) {
        setenv("HOTPATCH_DIR", host->directory, 1);
        execl(built("hotpatch"), "hotpatch", "load", pid_text(host->pid), patch_file(patch),
              (char *)NULL);
        _exit(127);
    }
    assert_true(command > 0);
    return command;
}

static void a_command_that_is_killed_during_the_load_leaves_nothing(void **state)
{
    struct host *host = start_jailed(0755);
    const char *jail = host_path(host, "jail");
    pid_t command = start_load(host, "constructor_hang");
    int status;

    (void)state;
    AWAIT(directory_entries("%s", jail) == 1, "one file in %s", jail);
    assert_int_equal(kill(command, SIGKILL), 0);
    assert_int_equal(waitpid(command, &status, 0), command);
    await_empty(jail);
    assert_string_equal(host_ask(host, "answer"), "1");
    host_kill(host);
}

static void what_a_killed_keeper_left_is_removed_by_the_next_load(void **state)
{
    struct host *host = start_jailed(0755);
    char left[300], file[320];

    (void)state;
    snprintf(left, sizeof(left), "%s/.hotpatch-c1-2-3", host_path(host, "jail"));
    snprintf(file, sizeof(file), "%s/libz.so.1", left);
    assert_int_equal(mkdir(left, 0755), 0);
    file_write(file, "x", 1, 0444);
    must_load(host, 0, NULL);
    assert_nothing_stayed(host);
    host_kill(host);
}

/* Sees the mounts that the tests make, and nobody else does. */
static int leave_mounts(void **state)
{
    (void)state;
    mounts = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
             mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return 0;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_in_an_empty_root_directory_is_patched),
        cmocka_unit_test(a_patch_whose_path_is_no_utf8_is_brought),
        cmocka_unit_test(a_root_directory_that_the_worker_may_not_search_is_no_obstacle),
        cmocka_unit_test(kept_capabilities_are_no_obstacle),
        cmocka_unit_test(rights_that_are_dropped_after_the_first_ring_are_followed),
        cmocka_unit_test(a_listener_from_before_the_jail_is_reached_in_it),
        cmocka_unit_test(two_commands_wait_for_one_another),
        cmocka_unit_test(ps_and_doctor_tell_of_a_jail),
        cmocka_unit_test(a_patch_with_unique_symbols_is_loaded),
        cmocka_unit_test(a_thin_object_is_loaded),
        cmocka_unit_test(a_read_only_root_directory_is_HP_CHROOT),
        cmocka_unit_test(a_root_directory_without_execution_is_HP_CHROOT),
        cmocka_unit_test(others_that_can_write_to_the_root_directory_are_HP_CHROOT),
        cmocka_unit_test(without_a_descriptor_the_load_is_HP_LIMIT),
        cmocka_unit_test(another_user_than_root_is_refused),
        cmocka_unit_test(a_worker_that_ends_during_the_load_leaves_nothing),
        cmocka_unit_test(a_command_that_is_killed_during_the_load_leaves_nothing),
        cmocka_unit_test(what_a_killed_keeper_left_is_removed_by_the_next_load),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, leave_mounts, NULL);
}
