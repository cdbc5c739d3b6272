/*
 * test_kills.c - SIGKILL for clients and hosts at every step: the other side goes on, the next
 * request and the next start work, and `hotpatch ps` clears away what the dead have left.
 *
 * Steps that belong to the test or to a patch are exact (the process kills itself there). The
 * command and a host under a stream of loads are killed after delays that rise by microseconds.
 *
 * What these tests are worth (broken on purpose, failed): a half line kept for ever: the next
 * client's request becomes its tail.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/stream.h"

static int start(void **state)
{
    *state = memory_host_start("torture", NULL);
    return 0;
}

static int stop(void **state)
{
    memory_host_kill(*state);
    return 0;
}

static void pause_us(long us)
{
    struct timespec time = {us / 1000000, us % 1000000 * 1000};
    nanosleep(&time, NULL);
}

static const char *in_directory(const struct host *host, const char *name)
{
    static char path[512];
    snprintf(path, sizeof(path), "%s/%s", host->directory, name);
    return path;
}

/* `ps` leaves files alone that a client may be about to use: make them look old. */
static void age_files(const struct host *host)
{
    struct timespec old[2] = {{1000, 0}, {1000, 0}};
    DIR *entries = opendir(host->directory);
    struct dirent *entry;
    assert_non_null(entries);
    while ((entry = readdir(entries)))
        utimensat(dirfd(entries), entry->d_name, old, AT_SYMLINK_NOFOLLOW);
    closedir(entries);
}

/* After `hotpatch ps` the directory holds the living host's files and nothing else. */
static void assert_ps_cleans_up(struct host *host)
{
    struct dirent *entry;
    char own[32]; /* its FIFO and its status, which its listener may just be writing: .json.tmp */
    snprintf(own, sizeof(own), "%d.", (int)host->pid);
    age_files(host);
    struct output *output = hotpatch(host, "ps", NULL);
    if (output->status != 0)
        fail_msg("ps: exit %d\n%s%s", output->status, output->out, output->error);
    output_free(output);
    DIR *entries = opendir(host->directory);
    assert_non_null(entries);
    while ((entry = readdir(entries))) {
        const char *name = entry->d_name;
        if (name[0] == '.' || strncmp(name, own, strlen(own)) == 0 || strcmp(name, "objects") == 0)
            continue;
        fail_msg("%s is still there", name);
    }
    closedir(entries);
}

static void assert_works(struct host *host)
{
    assert_true(host_alive(host));
    assert_string_equal(outcome(host, "ping"), "apply");
    must_apply(host, "load %s", patch_file("torture_v1"));
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
}

/* ---- clients ---- */

enum step {
    AT_START,
    REPLY_MADE,
    REPLY_OPENED,
    FIFO_OPENED,
    HALF_WRITTEN,
    WRITTEN,
    TRANSACTION_HALF_WRITTEN,
    REPLY_BEGUN,
    STEPS
};

static void at(enum step wanted, enum step step)
{
    if (wanted == step)
        raise(SIGKILL);
}

/* A client in a process of its own that kills itself at `step`. */
static void client_until(const struct host *host, enum step step)
{
    char reply[64], line[1024], byte;
    const char *path;
    int from, to;
    snprintf(reply, sizeof(reply), "k%d.reply", (int)getpid());
    path = in_directory(host, reply);
    at(step, AT_START);
    if (mkfifo(path, 0600) != 0)
        _exit(1);
    at(step, REPLY_MADE);
    from = open(path, O_RDWR);
    at(step, REPLY_OPENED);
    snprintf(line, sizeof(line), "%s/%d.fifo", host->directory, (int)host->pid);
    to = open_when_read(host->pid, line);
    at(step, FIFO_OPENED);
    if (step == TRANSACTION_HALF_WRITTEN)
        snprintf(line, sizeof(line), "begin\nload %s\n", patch_file("torture_v2"));
    else
        snprintf(line, sizeof(line), "load reply=%s %s\n", reply, patch_file("torture_v2"));
    size_t length = step == HALF_WRITTEN ? strlen(line) - 8 : strlen(line);
    if (from < 0 || to < 0 || write(to, line, length) != (ssize_t)length)
        _exit(2);
    at(step, HALF_WRITTEN);
    at(step, TRANSACTION_HALF_WRITTEN);
    at(step, WRITTEN);
    if (read(from, &byte, 1) != 1)
        _exit(3);
    at(step, REPLY_BEGUN);
    _exit(4);
}

static void await_in_status(struct host *host, const char *text)
{
    char name[32], events[4096];
    snprintf(name, sizeof(name), "%d.json", (int)host->pid);
    const char *path = in_directory(host, name);
    int fd = inotify_init1(IN_CLOEXEC);
    assert_true(inotify_add_watch(fd, host->directory, IN_MOVED_TO) >= 0);
    for (;;) {
        char *status = file_text(path);
        bool found = strstr(status, text) != NULL;
        struct pollfd polled = {fd, POLLIN, 0};
        free(status);
        if (found)
            break;
        if (poll(&polled, 1, HARNESS_TIMEOUT_MS) != 1)
            fail_msg("the status never said %s", text);
        assert_true(read(fd, events, sizeof(events)) > 0);
    }
    close(fd);
}

static void a_client_killed_at_any_step_harms_nobody(void **state)
{
    struct host *host = *state;
    for (enum step step = AT_START; step < STEPS; step++) {
        int status;
        fflush(NULL);
        pid_t client = fork();
        assert_true(client >= 0);
        if (client == 0)
            client_until(host, step);
        status = await_end(client);
        if (!WIFSIGNALED(status))
            fail_msg("step %d: exit status %d", step, WEXITSTATUS(status));
        /* What was half written is given up, or it would be the head of the next request. */
        if (step == HALF_WRITTEN)
            await_in_status(host, "HP-LINE-INCOMPLETE");
        if (step == TRANSACTION_HALF_WRITTEN)
            await_in_status(host, "HP-TRANSACTION");
        assert_string_equal(outcome(host, "ping"), "apply");
        host_expect(host, "answer", step == WRITTEN || step == REPLY_BEGUN ? "3" : "1");
        reply_free(request(host, "revert all"));
        assert_works(host);
    }
    assert_ps_cleans_up(host);
}

static pid_t spawn_command(struct host *host, const char *patch)
{
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    fflush(NULL);
    pid_t command = fork();
    assert_true(command >= 0);
    if (command == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        setenv("HOTPATCH_DIR", host->directory, 1);
        execl(built("hotpatch"), "hotpatch", "load", pid, patch, (char *)NULL);
        _exit(127);
    }
    return command;
}

static void the_command_killed_at_any_moment_harms_nobody(void **state)
{
    struct host *host = *state;
    int killed = 0;
    for (int i = 0; i < 120; i++) {
        int status;
        pid_t command = spawn_command(host, patch_file("torture_v1"));
        pause_us(i * 40);
        kill(command, SIGKILL);
        assert_int_equal(waitpid(command, &status, 0), command);
        killed += WIFSIGNALED(status);
        const char *answer = host_ask(host, "answer");
        assert_true(strcmp(answer, "1") == 0 || strcmp(answer, "2") == 0);
    }
    assert_true(killed > 0);
    assert_string_equal(outcome(host, "ping"), "apply");
    reply_free(request(host, "revert all"));
    assert_works(host);
    assert_ps_cleans_up(host);
}

/* ---- hosts ---- */

/* Another host in the same directory. */
static struct host *start_beside(const struct host *keeper, const char *variable)
{
    static char directory[300];
    const char *environment[] = {directory, variable, NULL};
    snprintf(directory, sizeof(directory), "HOTPATCH_DIR=%s", keeper->directory);
    return host_start("torture", environment);
}

static void killed_at(struct host *keeper, const char *step)
{
    char variable[64], pid[16];
    bool at_revert = strstr(step, "revert") != NULL;
    snprintf(variable, sizeof(variable), "KILL_AT=%s", step);
    struct host *host = start_beside(keeper, variable);
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    if (at_revert)
        must_apply(host, "load %s", patch_file("kill_at"));
    struct output *output = at_revert ? hotpatch(host, "revert", pid, "kill-at", NULL)
                                      : hotpatch(host, "load", pid, patch_file("kill_at"), NULL);
    if (output->status != 6 || !strstr(output->error, "HP-HOST-DIED"))
        fail_msg("killed in %s: exit %d\n%s%s", step, output->status, output->out, output->error);
    output_free(output);
    assert_int_equal(host_wait(host), SIGKILL);
    host_kill(host);
    /* The next one, in the same directory, before anybody has cleaned up. */
    host = start_beside(keeper, "KILL_AT=");
    must_apply(host, "load %s", patch_file("kill_at"));
    host_expect(host, "answer", "2");
    must_apply(host, "revert all");
    host_stop(host);
}

static void a_host_killed_at_any_step_of_a_patch_is_told_of(void **state)
{
    struct host *host = *state;
    killed_at(host, "constructor");
    killed_at(host, "before_apply");
    killed_at(host, "after_apply");
    killed_at(host, "before_revert");
    killed_at(host, "after_revert");
    assert_ps_cleans_up(host);
    assert_works(host);
}

static void a_host_killed_at_any_moment_leaves_nothing_that_hurts(void **state)
{
    struct host *keeper = *state;
    char line[1024];
    for (int i = 0; i < 40; i++) {
        struct host *host = start_beside(keeper, NULL);
        int size = snprintf(line, sizeof(line), "load %s\nload %s\nrevert last\nrevert all\n",
                            patch_file("torture_v1"), patch_file("torture_over"));
        send_raw(host, line, (size_t)size);
        pause_us(i * 75);
        host_kill(host);
    }
    struct host *next = start_beside(keeper, NULL);
    assert_works(next);
    host_stop(next);
    assert_ps_cleans_up(keeper);
    assert_works(keeper);
}

/* The first moments of a process: before, while and after it makes its FIFO. */
static void a_host_killed_while_it_starts_leaves_nothing_that_hurts(void **state)
{
    struct host *keeper = *state;
    for (int i = 0; i < 60; i++) {
        int status;
        fflush(NULL);
        pid_t victim = fork();
        assert_true(victim >= 0);
        if (victim == 0) {
            setenv("HOTPATCH_DIR", keeper->directory, 1);
            setenv("LD_PRELOAD", built("libhotpatch_preload.so"), 1);
            execl("/bin/sleep", "sleep", "30", (char *)NULL);
            _exit(127);
        }
        pause_us(i * 40);
        kill(victim, SIGKILL);
        assert_int_equal(waitpid(victim, &status, 0), victim);
    }
    struct host *next = start_beside(keeper, NULL);
    assert_works(next);
    host_stop(next);
    assert_ps_cleans_up(keeper);
}

/* All hosts are gone and one was killed: the next one that ends leaves an empty directory. */
static void after_ps_the_last_host_leaves_an_empty_directory(void **state)
{
    struct host *keeper = *state;
    struct host *host = start_beside(keeper, NULL);
    DIR *entries;
    struct dirent *entry;
    must_apply(host, "load %s", patch_file("torture_v1"));
    must_apply(keeper, "load %s", patch_file("torture_v2"));
    host_kill(host);
    assert_ps_cleans_up(keeper);
    close(keeper->to);
    keeper->to = -1;
    assert_int_equal(host_wait(keeper), 0);
    entries = opendir(keeper->directory);
    assert_non_null(entries);
    while ((entry = readdir(entries)))
        if (entry->d_name[0] != '.')
            fail_msg("%s is still there", entry->d_name);
    closedir(entries);
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        WITH_HOST(a_client_killed_at_any_step_harms_nobody),
        WITH_HOST(the_command_killed_at_any_moment_harms_nobody),
        WITH_HOST(a_host_killed_at_any_step_of_a_patch_is_told_of),
        WITH_HOST(a_host_killed_at_any_moment_leaves_nothing_that_hurts),
        WITH_HOST(a_host_killed_while_it_starts_leaves_nothing_that_hurts),
        WITH_HOST(after_ps_the_last_host_leaves_an_empty_directory),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
