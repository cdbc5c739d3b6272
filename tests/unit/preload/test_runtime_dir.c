/* test_runtime_dir.c - which runtime directory is taken, what is refused, and the files in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "preload/runtime_dir.h"
#include "preload/self.h"
#include "preload/sweep.h"

static char scratch[64];
static char why[RUNTIME_WHY_SIZE];
static char path_buffer[PATH_MAX];
static struct runtime_user self;
static struct runtime_dir dir;

static const char *in_scratch(const char *name)
{
    static char path[4][PATH_MAX];
    static unsigned turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], PATH_MAX, "%s/%s", scratch, name);
    return path[turn];
}

static int set_up(void **state)
{
    (void)state;
    strcpy(scratch, "/tmp/hotpatch-dir-XXXXXX");
    self = (struct runtime_user){.uid = geteuid()};
    dir.fd = -1;
    why[0] = '\0';
    return mkdtemp(scratch) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    runtime_dir_close(&dir);
    snprintf(command, sizeof(command), "rm -rf %s", scratch);
    return system(command);
}

static const char *chosen(uid_t uid, const char *configured, const char *xdg)
{
    struct runtime_user user = {.uid = uid};

    runtime_dir_choose(path_buffer, &user, configured, xdg);
    return path_buffer;
}

static int open_dir(const char *name)
{
    return runtime_dir_open(&dir, in_scratch(name), &self, why);
}

static void make_file(const char *name)
{
    int fd = open(in_scratch(name), O_CREAT | O_WRONLY, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static mode_t type_of(const char *name)
{
    struct stat st;

    assert_int_equal(lstat(in_scratch(name), &st), 0);
    return st.st_mode & S_IFMT;
}

/* Owned by somebody else; skips the test where that cannot be made. */
static void give_away(const char *name)
{
    if (lchown(in_scratch(name), 12345, 12345) != 0)
        skip();
}

/* ---- which one ---- */

static void the_configured_directory_goes_before_all_others(void **state)
{
    (void)state;
    assert_string_equal(chosen(0, "/x/y", scratch), "/x/y");
    assert_string_equal(chosen(54321, "/x/y", scratch), "/x/y");
}

static void a_trailing_slash_does_not_hide_a_link(void **state)
{
    (void)state;
    assert_string_equal(chosen(0, "/x/y///", ""), "/x/y");
    assert_string_equal(chosen(0, "/", ""), "/");
}

static void root_has_run_hotpatch(void **state)
{
    (void)state;
    assert_string_equal(chosen(0, "", scratch), "/run/hotpatch");
}

static void xdg_runtime_dir_counts_if_it_is_the_users(void **state)
{
    char expected[128];

    (void)state;
    if (geteuid() == 0)
        give_away("");
    snprintf(expected, sizeof(expected), "%s/hotpatch", scratch);
    assert_string_equal(chosen(geteuid() == 0 ? 12345 : geteuid(), "", scratch), expected);
    assert_string_equal(chosen(54321, "", scratch), "/tmp/hotpatch-54321");
    assert_string_equal(chosen(54321, "", "/nowhere"), "/tmp/hotpatch-54321");
}

static void a_user_without_any_has_one_in_tmp(void **state)
{
    (void)state;
    assert_string_equal(chosen(54321, "", ""), "/tmp/hotpatch-54321");
}

static void a_process_with_rights_beyond_its_user_takes_roots(void **state)
{
    struct runtime_user user = {.uid = 54321, .privileged = true};

    (void)state;
    runtime_dir_choose(path_buffer, &user, "", scratch);
    assert_string_equal(path_buffer, "/run/hotpatch");
}

/* ---- what is to be trusted ---- */

static void a_missing_directory_is_made_for_its_user_alone(void **state)
{
    struct stat st;
    mode_t old = umask(0777);

    (void)state;
    assert_int_equal(open_dir("d"), 0);
    umask(old);
    assert_int_equal(fstat(dir.fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(dir.owner, geteuid());
}

static void one_level_is_made_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(open_dir("a/b"), -ENOENT);
    assert_int_not_equal(access(in_scratch("a"), F_OK), 0);
}

static void a_symbolic_link_is_refused(void **state)
{
    (void)state;
    mkdir(in_scratch("real"), 0700);
    assert_int_equal(symlink(in_scratch("real"), in_scratch("link")), 0);
    assert_true(open_dir("link") < 0);
    assert_int_equal(dir.fd, -1);
    assert_non_null(strstr(why, "link"));
}

static void a_file_in_its_place_is_refused(void **state)
{
    (void)state;
    make_file("file");
    assert_int_equal(open_dir("file"), -ENOTDIR);
}

static void a_directory_that_others_can_enter_is_refused(void **state)
{
    (void)state;
    mkdir(in_scratch("open"), 0700);
    chmod(in_scratch("open"), 0750);
    assert_int_equal(open_dir("open"), -EPERM);
    assert_non_null(strstr(why, "0750"));
}

static void somebody_elses_directory_is_refused_and_named(void **state)
{
    (void)state;
    mkdir(in_scratch("theirs"), 0700);
    give_away("theirs");
    assert_int_equal(open_dir("theirs"), -EPERM);
    assert_non_null(strstr(why, "12345"));
}

static void a_directory_above_that_others_can_write_is_refused(void **state)
{
    (void)state;
    mkdir(in_scratch("above"), 0700);
    mkdir(in_scratch("above/d"), 0700);
    chmod(in_scratch("above"), 0777);
    assert_int_equal(open_dir("above/d"), -EPERM);
    chmod(in_scratch("above"), 01777); /* as /tmp is */
    assert_int_equal(open_dir("above/d"), 0);
}

static void a_privileged_process_makes_no_directory_of_its_own(void **state)
{
    (void)state;
    self.privileged = true;
    assert_true(open_dir("d") < 0);
    assert_int_not_equal(access(in_scratch("d"), F_OK), 0);
}

static void in_a_user_namespace_only_the_known_directory_is_taken(void **state)
{
    struct stat st;

    (void)state;
    mkdir(in_scratch("a"), 0700);
    mkdir(in_scratch("b"), 0700);
    stat(in_scratch("a"), &st);
    self.only_known = true;
    self.known_dev = st.st_dev;
    self.known_ino = st.st_ino;
    assert_int_equal(open_dir("b"), -EPERM);
    assert_int_equal(open_dir("a"), 0);
}

/* ---- the FIFO ---- */

/* Makes and opens it: as the listener does in two steps. */
static int make_fifo_as(const char *name, const struct maker *maker)
{
    ino_t ino = 0;
    int result = runtime_dir_make_fifo(&dir, name, maker, &ino, why);

    return result == 0 ? runtime_dir_open_fifo(&dir, name, ino) : result;
}

static int make_fifo(const char *name)
{
    const struct maker maker = maker_self();

    return make_fifo_as(name, &maker);
}

static int open_d(void **state)
{
    return set_up(state) != 0 || open_dir("d") != 0 ? -1 : 0;
}

static void the_fifo_is_made_and_read(void **state)
{
    struct stat st;
    int fifo = make_fifo("1.fifo"), writer;

    (void)state;
    assert_true(fifo >= 0);
    fstat(fifo, &st);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(st.st_mode & 07777, 0600);
    writer = open(in_scratch("d/1.fifo"), O_WRONLY | O_NONBLOCK);
    assert_true(writer >= 0);
    close(writer);
    close(fifo);
}

static void a_stale_fifo_is_replaced(void **state)
{
    const struct maker maker = maker_self();
    struct stat before, after;
    int fifo;

    (void)state;
    assert_int_equal(mkfifo(in_scratch("d/1.fifo"), 0666), 0);
    assert_int_equal(maker_write(dir.fd, "1.fifo", &maker), 0);
    stat(in_scratch("d/1.fifo"), &before);
    fifo = make_fifo("1.fifo");
    assert_true(fifo >= 0);
    fstat(fifo, &after);
    assert_int_equal(after.st_mode & 07777, 0600);
    close(fifo);
}

static void a_fifo_that_somebody_reads_is_left_alone(void **state)
{
    int reader;

    (void)state;
    assert_int_equal(mkfifo(in_scratch("d/1.fifo"), 0600), 0);
    reader = open(in_scratch("d/1.fifo"), O_RDONLY | O_NONBLOCK);
    assert_int_equal(make_fifo("1.fifo"), -EBUSY);
    assert_non_null(strstr(why, "another process"));
    close(reader);
}

/* ---- FIFOs of others with the same number ---- */

static void a_fifo_that_another_process_made_is_left_alone(void **state)
{
    struct maker other = maker_self();
    struct stat before, after;

    (void)state;
    other.proc++; /* in another /proc: it may live, and not have been asked for anything */
    assert_int_equal(close(make_fifo_as("1.fifo", &other)), 0);
    stat(in_scratch("d/1.fifo"), &before);
    assert_int_equal(make_fifo("1.fifo"), -EBUSY);
    stat(in_scratch("d/1.fifo"), &after);
    assert_int_equal(before.st_ino, after.st_ino);
}

/* Its maker has made it, and has not marked it yet. */
static void a_fifo_without_a_mark_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_scratch("d/1.fifo"), 0600), 0);
    assert_int_equal(make_fifo("1.fifo"), -EBUSY);
}

static void a_fifo_from_before_an_exec_is_replaced(void **state)
{
    int fifo;

    (void)state;
    assert_int_equal(close(make_fifo("1.fifo")), 0);
    make_file("d/1.json");
    fifo = make_fifo("1.fifo");
    assert_true(fifo >= 0);
    assert_int_not_equal(access(in_scratch("d/1.json"), F_OK), 0);
    close(fifo);
}

static void without_a_proc_a_fifo_from_before_an_exec_is_replaced_too(void **state)
{
    const struct maker nowhere = {0, 0};
    int fifo;

    (void)state;
    assert_int_equal(close(make_fifo_as("1.fifo", &nowhere)), 0);
    assert_int_equal(make_fifo("1.fifo"), -EBUSY); /* who has one does not know of it */
    fifo = make_fifo_as("1.fifo", &nowhere);
    assert_true(fifo >= 0);
    assert_int_equal(make_fifo_as("1.fifo", &nowhere), -EBUSY); /* it is read */
    close(fifo);
}

static void a_name_that_has_the_namespace_is_this_processs(void **state)
{
    struct maker other = maker_self();
    int fifo;

    (void)state;
    other.proc++;
    assert_int_equal(close(make_fifo_as("1-7.fifo", &other)), 0);
    fifo = make_fifo("1-7.fifo");
    assert_true(fifo >= 0);
    close(fifo);
}

static void a_fifo_is_left_alone_while_others_remove_files(void **state)
{
    int other = open(in_scratch("d"), O_RDONLY | O_DIRECTORY);

    (void)state;
    assert_int_equal(close(make_fifo("1.fifo")), 0);
    assert_true(sweep_lock(other));
    assert_int_equal(make_fifo("1.fifo"), -EBUSY);
    sweep_unlock(other);
    assert_true(close(make_fifo("1.fifo")) == 0);
    close(other);
}

static void a_planted_file_of_our_own_is_removed(void **state)
{
    int fifo;

    (void)state;
    make_file("d/1.fifo");
    fifo = make_fifo("1.fifo");
    assert_true(fifo >= 0);
    assert_int_equal(type_of("d/1.fifo"), S_IFIFO);
    close(fifo);
}

static void a_planted_link_is_removed_and_not_followed(void **state)
{
    int fifo;

    (void)state;
    make_file("victim");
    assert_int_equal(symlink(in_scratch("victim"), in_scratch("d/1.fifo")), 0);
    fifo = make_fifo("1.fifo");
    assert_true(fifo >= 0);
    assert_int_equal(type_of("d/1.fifo"), S_IFIFO);
    assert_int_equal(type_of("victim"), S_IFREG);
    close(fifo);
}

static void a_planted_directory_is_refused(void **state)
{
    (void)state;
    mkdir(in_scratch("d/1.fifo"), 0700);
    assert_true(make_fifo("1.fifo") < 0);
    assert_int_equal(type_of("d/1.fifo"), S_IFDIR);
}

static void a_planted_file_of_somebody_else_is_refused(void **state)
{
    (void)state;
    make_file("d/1.fifo");
    give_away("d/1.fifo");
    assert_int_equal(make_fifo("1.fifo"), -EPERM);
    assert_int_equal(type_of("d/1.fifo"), S_IFREG);
}

/* ---- replies ---- */

static void a_reply_goes_to_a_fifo_that_is_read(void **state)
{
    int reader, fd;

    (void)state;
    mkfifo(in_scratch("d/x.reply"), 0600);
    assert_int_equal(runtime_dir_open_reply(&dir, "x.reply"), -ENXIO);
    reader = open(in_scratch("d/x.reply"), O_RDONLY | O_NONBLOCK);
    fd = runtime_dir_open_reply(&dir, "x.reply");
    assert_true(fd >= 0);
    close(fd);
    close(reader);
}

static void a_reply_goes_to_no_file_and_through_no_link(void **state)
{
    int reader;

    (void)state;
    make_file("d/file.reply");
    assert_int_equal(runtime_dir_open_reply(&dir, "file.reply"), -EPERM);
    mkfifo(in_scratch("d/real.reply"), 0600);
    reader = open(in_scratch("d/real.reply"), O_RDONLY | O_NONBLOCK);
    assert_int_equal(symlink(in_scratch("d/real.reply"), in_scratch("d/link.reply")), 0);
    assert_int_equal(runtime_dir_open_reply(&dir, "link.reply"), -ELOOP);
    close(reader);
}

static void a_reply_goes_to_the_directorys_owner_alone(void **state)
{
    int reader;

    (void)state;
    mkfifo(in_scratch("d/x.reply"), 0666);
    reader = open(in_scratch("d/x.reply"), O_RDONLY | O_NONBLOCK);
    give_away("d/x.reply");
    assert_int_equal(runtime_dir_open_reply(&dir, "x.reply"), -EPERM);
    close(reader);
}

/* ---- the status file ---- */

static void assert_holds(const char *name, const char *text)
{
    char bytes[64] = "";
    int fd = open(in_scratch(name), O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, bytes, sizeof(bytes) - 1), (ssize_t)strlen(text));
    assert_string_equal(bytes, text);
    close(fd);
}

static void the_status_file_is_replaced_whole(void **state)
{
    (void)state;
    assert_int_equal(runtime_dir_replace(&dir, "1.json", "first, and longer", 17), 0);
    assert_int_equal(runtime_dir_replace(&dir, "1.json", "second", 6), 0);
    assert_holds("d/1.json", "second");
    assert_int_not_equal(access(in_scratch("d/1.json.tmp"), F_OK), 0);
}

static void a_left_over_temporary_file_does_not_matter(void **state)
{
    (void)state;
    make_file("d/1.json.tmp");
    assert_int_equal(runtime_dir_replace(&dir, "1.json", "x", 1), 0);
    assert_holds("d/1.json", "x");
}

static void the_status_file_is_not_written_through_a_link(void **state)
{
    (void)state;
    make_file("victim");
    assert_int_equal(symlink(in_scratch("victim"), in_scratch("d/1.json.tmp")), 0);
    assert_int_equal(symlink(in_scratch("victim"), in_scratch("d/1.json")), 0);
    assert_int_equal(runtime_dir_replace(&dir, "1.json", "x", 1), 0);
    assert_holds("victim", "");
    assert_int_equal(type_of("d/1.json"), S_IFREG);
}

/* ---- files of dead processes ---- */

/* A PID that no process has. */
static pid_t dead_pid(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    return pid;
}

static const char *file_of(pid_t pid, const char *rest)
{
    static char name[80];

    snprintf(name, sizeof(name), "d/%d%s", (int)pid, rest);
    return in_scratch(name);
}

static void make_marked(pid_t pid, uint32_t other_proc, uint32_t other_pid)
{
    struct maker maker = maker_self();
    ino_t ino;
    char name[40];

    snprintf(name, sizeof(name), "%d.fifo", (int)pid);
    maker.proc += other_proc;
    maker.pid = (uint32_t)pid + other_pid;
    assert_int_equal(runtime_dir_make_fifo(&dir, name, &maker, &ino, why), 0);
}

static void sweep_all(bool thorough)
{
    const struct maker maker = maker_self();

    lseek(dir.fd, 0, SEEK_SET);
    sweep_some(dir.fd, &maker, thorough);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void put_status(const char *path, uint64_t pid_ns, uint64_t start_time)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fprintf(file, "{\"hotpatch\":1,\"pid\":1,\"start_time\":%llu,\"pid_ns\":%llu}",
            (unsigned long long)start_time, (unsigned long long)pid_ns);
    fclose(file);
}

static void a_start_removes_files_of_a_dead_process(void **state)
{
    pid_t marked = dead_pid(), told = dead_pid(), named = dead_pid();
    char rest[64];

    (void)state;
    make_marked(marked, 0, 0);
    sweep_all(false);
    assert_false(exists(file_of(marked, ".fifo")));
    mkfifo(file_of(told, ".fifo"), 0600); /* read since: the status file says whose it is */
    put_status(file_of(told, ".json"), self_pid_ns(), 1);
    sweep_all(false);
    assert_false(exists(file_of(told, ".fifo")) || exists(file_of(told, ".json")));
    snprintf(rest, sizeof(rest), "-%llu.fifo", (unsigned long long)self_pid_ns());
    mkfifo(file_of(named, rest), 0600);
    sweep_all(false);
    assert_false(exists(file_of(named, rest)));
}

static void a_start_removes_four_files_at_most(void **state)
{
    int left = 0;
    pid_t dead[6];

    (void)state;
    for (int i = 0; i < 6; i++)
        make_marked(dead[i] = dead_pid(), 0, 0);
    sweep_all(false);
    for (int i = 0; i < 6; i++)
        left += exists(file_of(dead[i], ".fifo"));
    assert_int_equal(left, 2);
}

static void a_start_leaves_files_of_live_processes_and_of_other_namespaces(void **state)
{
    pid_t foreign = dead_pid(), told = dead_pid(), named = dead_pid(), read = dead_pid();
    int reader;

    (void)state;
    make_marked(getppid(), 0, 0);
    make_marked(foreign, 1, 0);
    mkfifo(file_of(told, ".fifo"), 0600);
    put_status(file_of(told, ".json"), self_pid_ns() + 1, 1);
    mkfifo(file_of(named, "-7.fifo"), 0600);
    make_marked(read, 0, 0);
    reader = open(file_of(read, ".fifo"), O_RDONLY | O_NONBLOCK);
    for (int thorough = 0; thorough < 2; thorough++)
        sweep_all(thorough);
    assert_true(exists(file_of(getppid(), ".fifo")));
    assert_true(exists(file_of(foreign, ".fifo")));
    assert_true(exists(file_of(told, ".fifo")) && exists(file_of(told, ".json")));
    assert_true(exists(file_of(named, "-7.fifo")));
    assert_true(exists(file_of(read, ".fifo")));
    close(reader);
}

static void a_listener_removes_files_of_a_number_that_another_process_has_now(void **state)
{
    (void)state;
    put_status(file_of(getppid(), ".json"), self_pid_ns(), 1);
    sweep_all(false);
    assert_true(exists(file_of(getppid(), ".json")));
    sweep_all(true);
    assert_false(exists(file_of(getppid(), ".json")));
}

#define CHOICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define INSIDE(test) cmocka_unit_test_setup_teardown(test, open_d, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CHOICE(the_configured_directory_goes_before_all_others),
        CHOICE(a_trailing_slash_does_not_hide_a_link),
        CHOICE(root_has_run_hotpatch),
        CHOICE(xdg_runtime_dir_counts_if_it_is_the_users),
        CHOICE(a_user_without_any_has_one_in_tmp),
        CHOICE(a_process_with_rights_beyond_its_user_takes_roots),
        CHOICE(a_missing_directory_is_made_for_its_user_alone),
        CHOICE(one_level_is_made_and_no_more),
        CHOICE(a_symbolic_link_is_refused),
        CHOICE(a_file_in_its_place_is_refused),
        CHOICE(a_directory_that_others_can_enter_is_refused),
        CHOICE(somebody_elses_directory_is_refused_and_named),
        CHOICE(a_directory_above_that_others_can_write_is_refused),
        CHOICE(a_privileged_process_makes_no_directory_of_its_own),
        CHOICE(in_a_user_namespace_only_the_known_directory_is_taken),
        INSIDE(the_fifo_is_made_and_read),
        INSIDE(a_stale_fifo_is_replaced),
        INSIDE(a_fifo_that_somebody_reads_is_left_alone),
        INSIDE(a_fifo_that_another_process_made_is_left_alone),
        INSIDE(a_fifo_without_a_mark_is_left_alone),
        INSIDE(a_fifo_from_before_an_exec_is_replaced),
        INSIDE(without_a_proc_a_fifo_from_before_an_exec_is_replaced_too),
        INSIDE(a_name_that_has_the_namespace_is_this_processs),
        INSIDE(a_fifo_is_left_alone_while_others_remove_files),
        INSIDE(a_planted_file_of_our_own_is_removed),
        INSIDE(a_planted_link_is_removed_and_not_followed),
        INSIDE(a_planted_directory_is_refused),
        INSIDE(a_planted_file_of_somebody_else_is_refused),
        INSIDE(a_reply_goes_to_a_fifo_that_is_read),
        INSIDE(a_reply_goes_to_no_file_and_through_no_link),
        INSIDE(a_reply_goes_to_the_directorys_owner_alone),
        INSIDE(the_status_file_is_replaced_whole),
        INSIDE(a_left_over_temporary_file_does_not_matter),
        INSIDE(the_status_file_is_not_written_through_a_link),
        INSIDE(a_start_removes_files_of_a_dead_process),
        INSIDE(a_start_removes_four_files_at_most),
        INSIDE(a_start_leaves_files_of_live_processes_and_of_other_namespaces),
        INSIDE(a_listener_removes_files_of_a_number_that_another_process_has_now),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
