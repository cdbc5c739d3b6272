/*
 * test_follow.c - hotpatch load --follow: every way in which other contents come to stand at a path is noticed,
 * nothing that is half written is loaded, and what is not watched is said.
 *
 * The follower's output is a pipe: each step waits for the line that it prints. Run with the name
 * of a limit of inotify, in a user namespace of its own, it is the test for that.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/harness.h"

static bool own_mounts; /* what is mounted here is seen by nobody else */

struct follower {
    pid_t pid;
    int from;
    char text[65536]; /* all that it has printed */
    size_t size, heard;
};

struct world {
    struct host *host;
    struct follower follower;
    bool no_leases; /* the follower is refused them */
};

/* ---- the follower ---- */

/* fcntl(fd, F_SETLEASE, ...) is EINVAL, as on NFS. */
static void refuse_leases(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fcntl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_SETLEASE, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(125);
}

static void follower_start_in(struct world *world, const char *directory, const char *path)
{
    struct follower *follower = &world->follower;
    char pid[16];
    int pipes[2];

    snprintf(pid, sizeof(pid), "%d", (int)world->host->pid);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    fflush(NULL);
    follower->pid = fork();
    assert_true(follower->pid >= 0);
    if (follower->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipes[1], 1);
        dup2(pipes[1], 2);
        setenv("HOTPATCH_DIR", world->host->directory, 1);
        if (directory && chdir(directory) != 0)
            _exit(126);
        if (world->no_leases)
            refuse_leases();
        execl(built("hotpatch"), "hotpatch", "load", pid, "--follow", path, NULL);
        _exit(127);
    }
    close(pipes[1]);
    follower->from = pipes[0];
}

/* Waits until it prints `text`, after all that was waited for before. */
static void follower_await(struct world *world, const char *text)
{
    struct follower *follower = &world->follower;
    const char *found;

    while (!(found = strstr(follower->text + follower->heard, text))) {
        struct pollfd polled = {follower->from, POLLIN, 0};
        ssize_t got = 0;
        if (poll(&polled, 1, HARNESS_TIMEOUT_MS) == 1)
            got = read(follower->from, follower->text + follower->size,
                       sizeof(follower->text) - 1 - follower->size);
        if (got <= 0)
            fail_msg("the follower does not print \"%s\" but\n%s", text,
                     follower->text + follower->heard);
        follower->size += (size_t)got;
        follower->text[follower->size] = '\0';
    }
    follower->heard = (size_t)(found - follower->text) + strlen(text);
}

static void follow_in(struct world *world, const char *directory, const char *path)
{
    follower_start_in(world, directory, path);
    follower_await(world, "applied answer 2");
    host_expect(world->host, "answer", "2");
}

static void follow(struct world *world, const char *path)
{
    follow_in(world, NULL, path);
}

static void becomes(struct world *world, const char *answer)
{
    char line[64];
    snprintf(line, sizeof(line), "reloaded answer %s\n", answer);
    follower_await(world, line);
    host_expect(world->host, "answer", answer);
}

/* ---- files: a path below the host's scratch directory, good for the life of the program ---- */

static const char *in(struct world *world, const char *name)
{
    return host_path(world->host, name);
}

static void directory(struct world *world, const char *name)
{
    assert_int_equal(mkdir(in(world, name), 0755), 0);
}

/* In place, as cp does. */
static void write_over(const char *path, int flags, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0755);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    assert_int_equal(close(fd), 0);
}

static void build(struct world *world, const char *patch, const char *name)
{
    struct file file = file_read(patch_file(patch));
    write_over(in(world, name), O_TRUNC, file.bytes, file.size);
    file_free(&file);
}

static void move(struct world *world, const char *from, const char *to)
{
    assert_int_equal(rename(in(world, from), in(world, to)), 0);
}

static void point(struct world *world, const char *text, const char *name)
{
    assert_int_equal(symlink(text, in(world, name)), 0);
}

/* ---- ways of a rebuild ---- */

static void a_file_written_in_place_is_followed(void **state)
{
    struct world *world = *state;
    build(world, "answer2", "f.so");
    follow(world, in(world, "f.so"));
    build(world, "answer3", "f.so");
    becomes(world, "3");
    build(world, "answer2", "f.so");
    becomes(world, "2");
}

static void a_file_renamed_over_is_followed(void **state)
{
    struct world *world = *state;
    build(world, "answer2", "f.so");
    follow(world, in(world, "f.so"));
    build(world, "answer3", "new");
    move(world, "new", "f.so");
    becomes(world, "3");
    build(world, "answer2", "new");
    move(world, "new", "f.so");
    becomes(world, "2");
}

static void a_file_removed_and_made_again_is_followed(void **state)
{
    struct world *world = *state;
    build(world, "answer2", "f.so");
    follow(world, in(world, "f.so"));
    assert_int_equal(unlink(in(world, "f.so")), 0);
    follower_await(world, "waiting until");
    build(world, "answer3", "f.so");
    becomes(world, "3");
}

static void a_hard_link_put_in_its_place_is_followed(void **state)
{
    struct world *world = *state;
    build(world, "answer2", "f.so");
    build(world, "answer3", "other");
    follow(world, in(world, "f.so"));
    assert_int_equal(unlink(in(world, "f.so")), 0);
    assert_int_equal(link(in(world, "other"), in(world, "f.so")), 0);
    becomes(world, "3");
    /* and written by the other name */
    build(world, "answer2", "other");
    becomes(world, "2");
}

static void a_directory_link_that_is_switched_is_followed(void **state)
{
    struct world *world = *state;
    directory(world, "r1");
    directory(world, "r2");
    build(world, "answer2", "r1/f.so");
    build(world, "answer3", "r2/f.so");
    point(world, "r1", "current");
    point(world, "r2", "new");
    follow(world, in(world, "current/f.so"));
    move(world, "new", "current");
    becomes(world, "3");
    build(world, "answer2", "r2/f.so");
    becomes(world, "2");
}

static void a_link_to_the_file_and_what_it_leads_to_are_followed(void **state)
{
    struct world *world = *state;
    directory(world, "b");
    directory(world, "l");
    build(world, "answer2", "b/f.so.1");
    point(world, "f.so.1", "b/f.so");
    point(world, "../b/./f.so", "l/f.so");
    follow(world, in(world, "l/../l/f.so"));
    build(world, "answer3", "b/new");
    move(world, "b/new", "b/f.so.1");
    becomes(world, "3");
    build(world, "answer2", "b/f.so.2");
    point(world, in(world, "b/f.so.2"), "new");
    move(world, "new", "b/f.so");
    becomes(world, "2");
    build(world, "answer3", "b/f.so.2");
    becomes(world, "3");
}

static void a_link_that_led_nowhere_for_a_while_is_followed(void **state)
{
    struct world *world = *state;
    build(world, "answer2", "f.so");
    point(world, "f.so", "link");
    follow(world, in(world, "link"));
    point(world, "gone/f.so", "new");
    move(world, "new", "link");
    follower_await(world, "waiting until");
    directory(world, "gone");
    build(world, "answer3", "gone/f.so");
    becomes(world, "3");
}

static void a_directory_removed_and_made_again_is_followed(void **state)
{
    struct world *world = *state;
    directory(world, "b");
    directory(world, "b/lib");
    build(world, "answer2", "b/lib/f.so");
    follow(world, in(world, "b/lib/f.so"));
    assert_int_equal(unlink(in(world, "b/lib/f.so")), 0);
    assert_int_equal(rmdir(in(world, "b/lib")), 0);
    assert_int_equal(rmdir(in(world, "b")), 0);
    directory(world, "b");
    directory(world, "b/lib");
    build(world, "answer3", "b/lib/f.so");
    becomes(world, "3");
    build(world, "answer2", "b/lib/f.so");
    becomes(world, "2");
}

static void a_parent_renamed_and_another_in_its_place_is_followed(void **state)
{
    struct world *world = *state;
    directory(world, "a");
    directory(world, "a/b");
    directory(world, "new");
    directory(world, "new/b");
    build(world, "answer2", "a/b/f.so");
    build(world, "answer3", "new/b/f.so");
    follow(world, in(world, "a/b/f.so"));
    move(world, "a", "old");
    move(world, "new", "a");
    becomes(world, "3");
    assert_int_equal(
        renameat2(AT_FDCWD, in(world, "a"), AT_FDCWD, in(world, "old"), RENAME_EXCHANGE), 0);
    becomes(world, "2");
}

static void a_relative_path_means_the_directory_of_the_start(void **state)
{
    struct world *world = *state;
    directory(world, "work");
    directory(world, "b");
    build(world, "answer2", "b/f.so");
    follow_in(world, in(world, "work"), "../b/f.so");
    build(world, "answer3", "b/f.so");
    becomes(world, "3");
    assert_int_equal(rmdir(in(world, "work")), 0);
    directory(world, "work");
    build(world, "answer2", "b/new");
    move(world, "b/new", "b/f.so");
    becomes(world, "2");
}

/* Both patches have the same size. */
static void a_build_of_the_same_size_and_time_is_followed(void **state)
{
    struct world *world = *state;
    const struct timespec times[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
    struct stat before, after;
    build(world, "answer2", "f.so");
    build(world, "answer3", "new");
    assert_int_equal(utimensat(AT_FDCWD, in(world, "f.so"), times, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, in(world, "new"), times, 0), 0);
    assert_int_equal(stat(in(world, "f.so"), &before), 0);
    assert_int_equal(stat(in(world, "new"), &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    follow(world, in(world, "f.so"));
    move(world, "new", "f.so");
    becomes(world, "3");
}

static void the_last_of_many_builds_is_live(void **state)
{
    struct world *world = *state;
    build(world, "answer2", "f.so");
    follow(world, in(world, "f.so"));
    for (int i = 0; i < 60; i++) {
        build(world, i % 2 ? "answer3" : "answer2", "new");
        move(world, "new", "f.so");
    }
    build(world, "answer4", "f.so");
    becomes(world, "4");
}

/* Returns when every thread of it has stopped: it reads no event from then on. */
static void stop_follower(struct world *world)
{
    siginfo_t info;

    assert_int_equal(kill(world->follower.pid, SIGSTOP), 0);
    assert_int_equal(waitid(P_PID, (id_t)world->follower.pid, &info, WSTOPPED | WNOWAIT), 0);
    assert_int_equal(info.si_code, CLD_STOPPED);
}

static void a_build_after_more_events_than_the_queue_holds_is_followed(void **state)
{
    struct world *world = *state;
    char *events = file_text("/proc/sys/fs/inotify/max_queued_events");
    build(world, "answer2", "f.so");
    follow(world, in(world, "f.so"));
    stop_follower(world);
    for (int i = atoi(events) / 2 + 10; i >= 0; i--) {
        assert_int_equal(symlink("nothing", in(world, "noise")), 0);
        assert_int_equal(unlink(in(world, "noise")), 0);
    }
    free(events);
    build(world, "answer3", "new");
    move(world, "new", "f.so");
    kill(world->follower.pid, SIGCONT);
    becomes(world, "3");
    build(world, "answer2", "f.so");
    becomes(world, "2");
}

static void a_refused_build_leaves_what_was_live_and_the_next_one_is_loaded(void **state)
{
    struct world *world = *state;
    build(world, "answer2", "f.so");
    follow(world, in(world, "f.so"));
    build(world, "bad_signature", "f.so");
    follower_await(world, "HP-SIGNATURE");
    host_expect(world->host, "answer", "2");
    build(world, "answer3", "f.so");
    becomes(world, "3");
}

/* ---- half-written files ---- */

static void what_is_written_by_halves_is_loaded_when_it_is_whole(void **state)
{
    struct world *world = *state;
    struct file file = file_read(patch_file("answer3"));
    build(world, "answer2", "f.so");
    follow(world, in(world, "f.so"));
    write_over(in(world, "f.so"), O_TRUNC, file.bytes, file.size / 2);
    follower_await(world, "waiting until");
    host_expect(world->host, "answer", "2");
    write_over(in(world, "f.so"), O_APPEND, file.bytes + file.size / 2, file.size - file.size / 2);
    becomes(world, "3");
    assert_int_equal(truncate(in(world, "f.so"), 100), 0);
    follower_await(world, "waiting until");
    build(world, "answer2", "f.so");
    becomes(world, "2");
    file_free(&file);
}

/* A file of the old size, the first half of it new: nothing in it says so. */
static void what_is_open_for_writing_is_left_alone(void **state)
{
    struct world *world = *state;
    struct file file = file_read(patch_file("answer3"));
    size_t half = file.size / 2;
    build(world, "answer2", "f.so");
    follow(world, in(world, "f.so"));
    int fd = open(in(world, "f.so"), O_WRONLY | O_CLOEXEC);
    assert_int_equal(write(fd, file.bytes, half), half);
    follower_await(world, "it is open for writing");
    host_expect(world->host, "answer", "2");
    assert_int_equal(write(fd, file.bytes + half, file.size - half), file.size - half);
    close(fd);
    becomes(world, "3");
    file_free(&file);
}

static void what_is_mapped_for_writing_is_left_alone(void **state)
{
    struct world *world = *state;
    struct file file = file_read(patch_file("answer3"));
    build(world, "answer2", "f.so");
    follow(world, in(world, "f.so"));
    assert_int_equal(unlink(in(world, "f.so")), 0);
    int fd = open(in(world, "f.so"), O_RDWR | O_CREAT | O_CLOEXEC, 0755);
    assert_int_equal(ftruncate(fd, (off_t)file.size), 0);
    char *bytes = mmap(NULL, file.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    close(fd);
    memcpy(bytes, file.bytes, file.size);
    follower_await(world, "it is open for writing");
    host_expect(world->host, "answer", "2");
    munmap(bytes, file.size);
    becomes(world, "3");
    file_free(&file);
}

/* Over a network, and of others' files: the second of two looks decides. */
static void without_leases_a_build_is_followed(void **state)
{
    struct world *world = *state;
    build(world, "answer2", "f.so");
    build(world, "answer3", "new");
    world->no_leases = true;
    follow(world, in(world, "f.so"));
    move(world, "new", "f.so");
    becomes(world, "3");
    build(world, "answer2", "f.so");
    becomes(world, "2");
}

/* ---- what inotify does not report ---- */

static void a_directory_mounted_over_is_followed(void **state)
{
    struct world *world = *state;
    if (!own_mounts)
        skip();
    directory(world, "b");
    directory(world, "over");
    build(world, "answer2", "b/f.so");
    build(world, "answer3", "over/f.so");
    follow(world, in(world, "b/f.so"));
    assert_int_equal(mount(in(world, "over"), in(world, "b"), NULL, MS_BIND, NULL), 0);
    becomes(world, "3");
    build(world, "answer2", "over/f.so");
    becomes(world, "2");
    build(world, "answer3", "over/f.so");
    becomes(world, "3");
    assert_int_equal(umount2(in(world, "b"), MNT_DETACH), 0);
    becomes(world, "2");
}

static void a_build_on_an_overlay_is_followed(void **state)
{
    struct world *world = *state;
    char options[1024];
    if (!own_mounts)
        skip();
    directory(world, "base");
    assert_int_equal(mount("none", in(world, "base"), "tmpfs", 0, NULL), 0);
    directory(world, "base/lower");
    directory(world, "base/lower/b");
    directory(world, "base/upper");
    directory(world, "base/work");
    directory(world, "o");
    build(world, "answer2", "base/lower/b/f.so");
    snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s",
             in(world, "base/lower"), in(world, "base/upper"), in(world, "base/work"));
    if (mount("none", in(world, "o"), "overlay", 0, options) == 0) {
        follow(world, in(world, "o/b/f.so"));
        build(world, "answer3", "o/b/f.so");
        becomes(world, "3");
        build(world, "answer2", "o/b/new");
        move(world, "o/b/new", "o/b/f.so");
        becomes(world, "2");
    } else {
        print_message("no overlay can be mounted here: %s\n", strerror(errno));
    }
    umount2(in(world, "o"), MNT_DETACH);
    umount2(in(world, "base"), MNT_DETACH);
}

static void a_path_that_is_not_watched_is_looked_at_and_that_is_said(void **state)
{
    struct world *world = *state;
    char path[512];
    build(world, "answer2", "f.so");
    snprintf(path, sizeof(path), "/proc/%d/root%s", (int)getpid(), in(world, "f.so"));
    follower_start_in(world, NULL, path);
    follower_await(world, "is looked at once a second: not all that changes on proc is reported");
    follower_await(world, "applied answer 2");
    build(world, "answer3", "f.so");
    becomes(world, "3");
    build(world, "answer2", "new");
    move(world, "new", "f.so");
    becomes(world, "2");
}

/* The limits of a user namespace of its own: user_namespaces(7), namespaces(7). */
static void without_room_in_inotify_the_path_is_looked_at_and_that_is_said(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct output *output =
            run_program(NULL, (const char *[]){"unshare", "-r", built("tests/test_follow"),
                                               i ? "watches" : "instances", NULL});
        bool refused = strstr(output->error, "unshare failed") || strstr(output->out, "SKIPPED");
        if (!refused && output->status != 0)
            fail_msg("%s%s", output->out, output->error);
        output_free(output);
        if (refused)
            skip();
    }
}

static const char *limit; /* instances or watches */

static void at_a_limit_of_inotify_the_path_is_looked_at_and_that_is_said(void **state)
{
    struct world *world = *state;
    char path[64], reason[64];
    snprintf(path, sizeof(path), "/proc/sys/user/max_inotify_%s", limit);
    snprintf(reason, sizeof(reason), "fs.inotify.max_user_%s", limit);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        skip();
    close(fd);
    build(world, "answer2", "f.so");
    follower_start_in(world, NULL, in(world, "f.so"));
    follower_await(world, reason);
    follower_await(world, "applied answer 2");
    build(world, "answer3", "f.so");
    becomes(world, "3");
    assert_int_equal(unlink(in(world, "f.so")), 0);
    build(world, "answer2", "f.so");
    becomes(world, "2");
}

static void a_file_that_is_not_there_is_refused_at_the_start(void **state)
{
    struct world *world = *state;
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)world->host->pid);
    struct output *output =
        hotpatch(world->host, "load", pid, "--follow", in(world, "none.so"), NULL);
    assert_int_equal(output->status, 1);
    assert_non_null(strstr(output->error, "HP-OPEN"));
    output_free(output);
}

/* ---- */

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world->host = host_start("host", NULL);
    *state = world;
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;
    int status = 0;
    if (world->follower.pid > 0) {
        kill(world->follower.pid, SIGTERM);
        kill(world->follower.pid, SIGCONT);
        status = await_end(world->follower.pid);
        close(world->follower.from);
    }
    host_kill(world->host);
    free(world);
    /* SIGTERM is the end that a follower is given. */
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_file_written_in_place_is_followed),
        TEST(a_file_renamed_over_is_followed),
        TEST(a_file_removed_and_made_again_is_followed),
        TEST(a_hard_link_put_in_its_place_is_followed),
        TEST(a_directory_link_that_is_switched_is_followed),
        TEST(a_link_to_the_file_and_what_it_leads_to_are_followed),
        TEST(a_link_that_led_nowhere_for_a_while_is_followed),
        TEST(a_directory_removed_and_made_again_is_followed),
        TEST(a_parent_renamed_and_another_in_its_place_is_followed),
        TEST(a_relative_path_means_the_directory_of_the_start),
        TEST(a_build_of_the_same_size_and_time_is_followed),
        TEST(the_last_of_many_builds_is_live),
        TEST(a_build_after_more_events_than_the_queue_holds_is_followed),
        TEST(a_refused_build_leaves_what_was_live_and_the_next_one_is_loaded),
        TEST(what_is_written_by_halves_is_loaded_when_it_is_whole),
        TEST(what_is_open_for_writing_is_left_alone),
        TEST(what_is_mapped_for_writing_is_left_alone),
        TEST(without_leases_a_build_is_followed),
        TEST(a_directory_mounted_over_is_followed),
        TEST(a_build_on_an_overlay_is_followed),
        TEST(a_path_that_is_not_watched_is_looked_at_and_that_is_said),
        cmocka_unit_test(without_room_in_inotify_the_path_is_looked_at_and_that_is_said),
        TEST(a_file_that_is_not_there_is_refused_at_the_start),
    };
    static const struct CMUnitTest alone[] = {
        TEST(at_a_limit_of_inotify_the_path_is_looked_at_and_that_is_said)};
    if (argc == 2) {
        limit = argv[1];
        return cmocka_run_group_tests(alone, NULL, NULL);
    }
    own_mounts = geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
                 mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
