/*
 * test_full_disk.c - a runtime directory in which nothing more can be written: requests are refused in words, the
 * program runs on, nothing is left half written, and all is well when there is room again.
 *
 * A small tmpfs stands for the disk, where the tests may mount one; RLIMIT_FSIZE for a file that may not grow.
 * With write(2) in place of sys_write_quietly() in loader/snapshot.c the program of the last test dies by SIGXFSZ.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/harness.h"

static char disk[64];

static const char *disk_setting(void)
{
    static char text[96];

    snprintf(text, sizeof(text), "HOTPATCH_DIR=%s", disk);
    return text;
}

/* False: a sandbox around the tests. */
static bool disk_make(const char *options)
{
    snprintf(disk, sizeof(disk), "/tmp/hotpatch-disk-XXXXXX");
    assert_non_null(mkdtemp(disk));
    if (mount("none", disk, "tmpfs", MS_NOSUID, options) == 0)
        return true;
    rmdir(disk);
    return false;
}

static void disk_remove(void)
{
    umount2(disk, MNT_DETACH);
    rmdir(disk);
}

static void disk_fill(void)
{
    static const char block[512];
    char path[96];
    int fd;

    snprintf(path, sizeof(path), "%s/full", disk);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    while (write(fd, block, sizeof(block)) > 0)
        ;
    assert_int_equal(errno, ENOSPC);
    close(fd);
}

static void disk_empty(void)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/full", disk);
    assert_int_equal(unlink(path), 0);
}

/* The listener may be writing its status yet: the temporary file that it is about to rename or to remove goes. */
static void await_gone(const char *directory, const char *name)
{
    char path[512], events[4096] __attribute__((aligned(8)));
    struct pollfd watch = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};

    snprintf(path, sizeof(path), "%s/%.200s", directory, name);
    assert_true(inotify_add_watch(watch.fd, directory, IN_DELETE | IN_MOVED_FROM) >= 0);
    while (access(path, F_OK) == 0) {
        if (poll(&watch, 1, HARNESS_TIMEOUT_MS) != 1)
            fail_msg("%s was left", path);
        assert_true(read(watch.fd, events, sizeof(events)) > 0);
    }
    close(watch.fd);
}

static void assert_nothing_half_written(const char *directory)
{
    DIR *entries = opendir(directory);
    char below[512];

    if (!entries)
        return;
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (strstr(entry->d_name, ".part") || strstr(entry->d_name, ".tmp"))
            await_gone(directory, entry->d_name);
        snprintf(below, sizeof(below), "%s/%.200s", directory, entry->d_name);
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            assert_nothing_half_written(below);
    }
    closedir(entries);
}

static struct output *load(struct host *host)
{
    char pid[16];

    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    return hotpatch(host, "load", pid, patch_file("answer2"), NULL);
}

static void must_be_refused(struct host *host, const char *code)
{
    struct output *output = load(host);

    if (output->status == 0 || !strstr(output->error, code))
        fail_msg("load: exit %d: %s", output->status, output->error);
    output_free(output);
    host_expect(host, "answer", "1");
}

static void must_be_applied(struct host *host)
{
    struct output *output = load(host);

    if (output->status != 0)
        fail_msg("load: exit %d: %s", output->status, output->error);
    output_free(output);
    host_expect(host, "answer", "2");
}

static void a_full_disk_refuses_the_load_and_leaves_nothing(void **state)
{
    const char *environment[] = {NULL, "HOTPATCH_LISTEN=first-ring", NULL};
    struct host *host;

    (void)state;
    if (!disk_make("size=256k,mode=0700"))
        skip();
    environment[0] = disk_setting();
    host = host_start("confined", environment);
    disk_fill();
    must_be_refused(host, "HP-SNAPSHOT");
    must_be_refused(host, "HP-SNAPSHOT");
    assert_nothing_half_written(disk);
    disk_empty();
    must_be_applied(host);
    assert_nothing_half_written(disk);
    host_stop(host);
    disk_remove();
}

/* No inode is left for the FIFO, at the start and at a ring. */
static void a_disk_without_room_for_a_fifo_is_said_and_the_program_runs(void **state)
{
    const char *environment[] = {NULL, "HOTPATCH_LISTEN=first-ring", NULL};
    struct host *host;

    (void)state;
    if (!disk_make("nr_inodes=1,mode=0700"))
        skip();
    environment[0] = disk_setting();
    host = host_start_unarmed("confined", environment);
    host_log_await(host, "no space left on device");
    must_be_refused(host, "HP-NOT-LISTENING");
    assert_nothing_half_written(disk);
    host_stop(host);
    disk_remove();
}

/* `limit` 1 is RLIMIT_FSIZE: what the shim writes at a request, on a thread that blocks SIGXFSZ. */
static void a_limit_of_file_sizes_refuses_the_load(void **state)
{
    struct host *host = host_start("confined", NULL);
    char question[64];

    (void)state;
    snprintf(question, sizeof(question), "limit %d 0", RLIMIT_FSIZE);
    host_expect(host, question, "done");
    must_be_refused(host, "HP-SNAPSHOT");
    assert_nothing_half_written(host->directory);
    assert_true(host_alive(host));
    host_stop(host);
}

/* HOTPATCH_PATCH is applied on the main thread, which does not block SIGXFSZ. What the listener
 * cannot write is looked at once it answers. */
static void a_limit_of_file_sizes_ends_no_program_that_is_patched_at_its_start(void **state)
{
    const char *environment[] = {NULL, NULL};
    struct rlimit before, none;
    struct host *host;
    char setting[512];

    (void)state;
    snprintf(setting, sizeof(setting), "HOTPATCH_PATCH=%s", patch_file("answer2"));
    environment[0] = setting;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none = (struct rlimit){0, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    host = host_start("confined", environment);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    host_expect(host, "answer", "1");
    host_listen(host);
    assert_nothing_half_written(host->directory);
    host_stop(host);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_disk_refuses_the_load_and_leaves_nothing),
        cmocka_unit_test(a_disk_without_room_for_a_fifo_is_said_and_the_program_runs),
        cmocka_unit_test(a_limit_of_file_sizes_refuses_the_load),
        cmocka_unit_test(a_limit_of_file_sizes_ends_no_program_that_is_patched_at_its_start),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("full disk", tests, NULL, NULL);
}
