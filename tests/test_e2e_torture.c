/*
 * test_e2e_torture.c - long runs against live hosts: threads that call while slots switch, cycles
 * that must not grow, clients that come at once, processes killed at any step, a full disk.
 *
 * Counts are lower under a sanitizer, where each step costs tens of times as much.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

static int scaled(int count)
{
    return sanitized() ? count / 20 : count;
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

/* 8 threads call through one slot while it switches between three answers. */
static void every_call_returns_a_legal_answer(void **state)
{
    struct host *host = *state;
    host_expect(host, "threads 8", "started");
    int transactions = scaled(20000);
    for (int i = 0; i < transactions; i += 4) {
        must_apply(host, "load %s", patch_file("answer2"));
        must_apply(host, "begin\nrevert all\nload %s\ncommit", patch_file("answer3"));
        must_apply(host, "load %s", patch_file("answer4"));
        must_apply(host, "revert all");
    }
    host_expect(host, "calls", "some");
    host_expect(host, "stop-threads", "wrong 0");
    assert_unchanged(host);
}

static int count_entries(const char *format, int pid)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof(path), format, pid);
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static long resident_kb(int pid)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/status", pid);
    char *text = file_text(path);
    const char *line = strstr(text, "VmRSS:");
    assert_non_null(line);
    long kb = atol(line + 6);
    free(text);
    return kb;
}

/*
 * A module stays mapped after its revert; the same content is mapped once, so cycles of two
 * files cost two modules, whatever their number.
 */
static void cycles_do_not_grow(void **state)
{
    struct host *host = *state;
    long kb = 0;
    int descriptors = 0, cycles = scaled(10000);
    for (int i = 0; i < cycles; i++) {
        must_apply(host, "load %s", patch_file(i % 2 ? "answer2" : "second"));
        must_apply(host, "revert all");
        if (i == cycles / 10) {
            kb = resident_kb((int)host->pid);
            descriptors = count_entries("/proc/%d/fd", (int)host->pid);
        }
    }
    assert_int_equal(count_entries("/proc/%d/fd", (int)host->pid), descriptors);
    assert_int_equal(count_entries("/proc/%d/task", (int)host->pid), 2 + 3); /* with . and .. */
    long grown = resident_kb((int)host->pid) - kb;
    print_message("%d cycles: grown by %ld kB\n", cycles * 9 / 10, grown);
    if (!sanitized())
        assert_true(grown < 2048);
    assert_unchanged(host);
}

/* Writes `count` pings in batches and reads `count` replies from a FIFO of its own. */
static int client(struct host *host, const char *name, int count)
{
    char fifo[512], reply[512], line[128];
    snprintf(fifo, sizeof(fifo), "%s/%d.fifo", host->directory, (int)host->pid);
    snprintf(reply, sizeof(reply), "%s/%s.reply", host->directory, name);
    if (mkfifo(reply, 0600) != 0)
        return 1;
    int to = open(fifo, O_WRONLY), from = open(reply, O_RDWR | O_NONBLOCK);
    int length = snprintf(line, sizeof(line), "ping reply=%s.reply\n", name);
    int sent = 0, got = 0;
    char buffer[65536];
    while (got < count) {
        /* Never more under way than the reply FIFO holds. */
        for (; sent < count && sent - got < 64; sent++)
            if (write(to, line, (size_t)length) != length)
                return 2;
        struct pollfd polled = {from, POLLIN, 0};
        if (poll(&polled, 1, HARNESS_TIMEOUT_MS) != 1)
            return 3;
        ssize_t size = read(from, buffer, sizeof(buffer));
        for (ssize_t i = 0; i < size; i++)
            got += buffer[i] == '\n';
    }
    return got == count ? 0 : 4;
}

static void two_clients_lose_no_request(void **state)
{
    struct host *host = *state;
    pid_t clients[2];
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        clients[i] = fork();
        assert_true(clients[i] >= 0);
        if (clients[i] == 0)
            _exit(client(host, i ? "one" : "two", scaled(100000) / 2));
    }
    for (int i = 0; i < 2; i++) {
        int status;
        assert_int_equal(waitpid(clients[i], &status, 0), clients[i]);
        assert_int_equal(status, 0);
    }
    assert_unchanged(host);
}

static void pause_us(long us)
{
    struct timespec time = {0, us * 1000};
    nanosleep(&time, NULL);
}

/* A client that dies at any moment leaves the host as it was, or as it asked. */
static void a_killed_client_harms_nothing(void **state)
{
    struct host *host = *state;
    char pid[16];
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    for (int i = 0; i < 100; i++) {
        fflush(NULL);
        pid_t command = fork();
        if (command == 0) {
            int null = open("/dev/null", O_RDWR);
            dup2(null, 1);
            dup2(null, 2);
            setenv("HOTPATCH_DIR", host->directory, 1);
            execl(built("hotpatch"), "hotpatch", "load", pid, patch_file("answer2"), (char *)NULL);
            _exit(127);
        }
        pause_us(i * 60); /* the point is to hit every step, not to wait for one */
        kill(command, SIGKILL);
        waitpid(command, NULL, 0);
        const char *answer = host_ask(host, "answer");
        assert_true(strcmp(answer, "1") == 0 || strcmp(answer, "2") == 0);
        if (i % 10 == 9) {
            request(host, "revert all");
            host_expect(host, "answer", "1");
        }
    }
    /* Requests of dead clients that were still under way have been done by now. */
    assert_string_equal(outcome(host, "ping"), "apply");
    reply_free(request(host, "revert all"));
    assert_unchanged(host);
}

/* A host that dies at any step leaves nothing that hurts the next start in that directory. */
static void a_killed_host_leaves_nothing_that_hurts(void **state)
{
    struct host *host = *state;
    char shared[300], line[1024];
    const char *environment[] = {shared, NULL};
    snprintf(shared, sizeof(shared), "HOTPATCH_DIR=%s", host->directory);
    for (int i = 0; i < (sanitized() ? 5 : 50); i++) {
        struct host *victim = host_start("host", environment);
        int size = snprintf(line, sizeof(line), "load %s\n", patch_file("answer2"));
        send_raw(victim, line, (size_t)size);
        pause_us(i * 100);
        host_kill(victim);
    }
    struct host *next = host_start("host", environment);
    must_apply(next, "load %s", patch_file("answer2"));
    host_expect(next, "answer", "2");
    host_stop(next);
    assert_unchanged(host);
}

/* With no room for the private copy and the status file, the host runs on. */
static void a_full_disk_is_a_refusal(void **state)
{
    struct host *host = *state;
    char path[300];
    if (geteuid() != 0)
        skip();
    struct host *other = NULL;
    const char *small = host_path(host, "small");
    assert_int_equal(mkdir(small, 0700), 0);
    if (mount("none", small, "tmpfs", 0, "size=64k,mode=0700") != 0)
        skip();
    char shared[300];
    const char *environment[] = {shared, NULL};
    snprintf(shared, sizeof(shared), "HOTPATCH_DIR=%s", small);
    other = host_start("host", environment);
    snprintf(path, sizeof(path), "%s/filler", small);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    static char block[4096];
    while (write(fd, block, sizeof(block)) > 0)
        ;
    close(fd);
    char line[1024];
    int size = snprintf(line, sizeof(line), "load %s\n", patch_file("answer2"));
    send_raw(other, line, (size_t)size);
    host_expect(other, "greeting", "hello");
    unlink(path);
    const char *answer = host_ask(other, "answer");
    assert_true(strcmp(answer, "1") == 0 || strcmp(answer, "2") == 0);
    must_apply(other, "load %s", patch_file("answer3"));
    host_expect(other, "answer", "3");
    host_kill(other);
    umount2(small, MNT_DETACH);
}

#define WITH_HOST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        WITH_HOST(every_call_returns_a_legal_answer),
        WITH_HOST(cycles_do_not_grow),
        WITH_HOST(two_clients_lose_no_request),
        WITH_HOST(a_killed_client_harms_nothing),
        WITH_HOST(a_killed_host_leaves_nothing_that_hurts),
        WITH_HOST(a_full_disk_is_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
