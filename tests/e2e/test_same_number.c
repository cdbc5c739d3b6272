/*
 * test_same_number.c - processes that have the same number in different pid namespaces, and share a runtime
 * directory: the one that is named is reached, whichever /proc it sees.
 *
 * Needs to be allowed to make pid namespaces.
 *
 * What these tests are worth (each broken on purpose, each failed): PID.fifo alone, the status file not looked
 * at, no nonce in requests, a FIFO without a reader taken for stale, a temporary file of another process
 * removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

/* In turn. With a sanitizer the threads are made at the start. */
static const char *listen_way(size_t i)
{
    return i % 2 && !sanitized() ? "HOTPATCH_LISTEN=first-ring" : "HOTPATCH_LISTEN=start";
}

struct where {
    const char *directory;
    const char *listen;
    pid_t number;        /* in its own namespace */
    bool own_proc;       /* else it sees the /proc of the namespace outside */
    bool outside;        /* in the namespace of this test */
    const char *program; /* NULL: the host */
    bool no_proc;        /* the /proc that it sees shows other processes only */
};

static bool namespaces_allowed(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(geteuid() == 0 && unshare(CLONE_NEWPID | CLONE_NEWNS) == 0 &&
                      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0
                  ? 0
                  : 1);
    return await_end(child) == 0;
}

/* ---- inside: no cmocka, and no way back ---- */

/* A /proc of a pid namespace below, whose one process has ended by then. */
static bool shows_others_only(void)
{
    int status = 1;

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return false;
    if (fork() == 0) {
        if (unshare(CLONE_NEWPID) != 0)
            _exit(1);
        if (fork() == 0)
            _exit(mount("proc", "/proc", "proc", 0, NULL) == 0 ? 0 : 1);
        wait(&status);
        _exit(status ? 1 : 0);
    }
    wait(&status);
    return status == 0 && access("/proc/self", F_OK) != 0;
}

/* A sanitizer's, NAME=VALUE. */
static char *options(const char *name)
{
    char *text;

    return asprintf(&text, "%s=%s", name, getenv(name) ? getenv(name) : "") < 0 ? NULL : text;
}

static _Noreturn void become_host(struct host *host, const struct where *where, int in, int out,
                                  int tell)
{
    char preload[512], directory[300];
    char *environment[] = {preload,
                           directory,
                           (char *)where->listen,
                           options("ASAN_OPTIONS"),
                           options("UBSAN_OPTIONS"),
                           NULL};
    int error = open(host_path(host, "stderr"), O_WRONLY | O_CREAT | O_APPEND, 0644);

    if (where->no_proc && !shows_others_only())
        _exit(3);
    if (where->own_proc && (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
                            mount("proc", "/proc", "proc", 0, NULL) != 0))
        _exit(3);
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", built("libhotpatch_preload.so"));
    snprintf(directory, sizeof(directory), "HOTPATCH_DIR=%s", where->directory);
    if (write(tell, "x", 1) != 1)
        _exit(3);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in, 0);
    dup2(out, 1);
    dup2(error, 2);
    close_range(3, ~0U, 0);
    execle(where->program ? where->program : built("hosts/host"), "host", (char *)NULL,
           environment);
    _exit(127);
}

/* The first process of the namespace, and one of that number below it. */
static _Noreturn void be_init(struct host *host, const struct where *where, int in, int out,
                              int tell)
{
    pid_t number = where->number;
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&number, .set_tid_size = 1};
    int status = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (number == 1)
        become_host(host, where, in, out, tell);
    if (syscall(SYS_clone3, &args, sizeof(args)) == 0)
        become_host(host, where, in, out, tell);
    close(in);
    close(out);
    wait(&status);
    _exit(status ? 1 : 0);
}

/* ---- outside ---- */

/* Who wrote the byte, by its number here: unix(7), SCM_CREDENTIALS. */
static pid_t writer_of_byte(int socket)
{
    char byte, control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct ucred sender = {0};

    if (recvmsg(socket, &message, 0) != 1 || !CMSG_FIRSTHDR(&message))
        return 0;
    memcpy(&sender, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(sender));
    return sender.pid;
}

static struct host *host_inside(const struct where *where)
{
    struct host *host = calloc(1, sizeof(*host));
    int in[2], out[2], tell[2], on = 1;

    assert_non_null(host);
    snprintf(host->scratch, sizeof(host->scratch), "/tmp/hotpatch-test-XXXXXX");
    assert_non_null(mkdtemp(host->scratch));
    snprintf(host->directory, sizeof(host->directory), "%s", where->directory);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tell), 0);
    setsockopt(tell[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
    fflush(NULL);
    host->child = fork();
    if (host->child == 0) {
        int status = 0;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(in[1]); /* or the host's input never ends */
        close(out[0]);
        if (!where->outside && unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
            _exit(3);
        if (fork() == 0)
            be_init(host, where, in[0], out[1], tell[1]);
        close(in[0]);
        close(out[1]);
        wait(&status);
        _exit(status ? 1 : 0);
    }
    close(in[0]);
    close(out[1]);
    close(tell[1]);
    host->to = in[1];
    host->from = out[0];
    host->watch = (int)syscall(SYS_pidfd_open, host->child, 0);
    host->pid = writer_of_byte(tell[0]);
    close(tell[0]);
    if (host->pid == 0) { /* the number was taken meanwhile */
        host_kill(host);
        return NULL;
    }
    host->answers = (int)syscall(SYS_pidfd_open, host->pid, 0);
    assert_true(host->answers > 0);
    return host;
}

static struct host *host_inside_ready(const struct where *where)
{
    struct host *host = host_inside(where);

    assert_non_null(host);
    assert_string_equal(host_hear(host), "ready");
    return host;
}

static char shared[64];

static int make_directory(void **state)
{
    (void)state;
    if (!namespaces_allowed())
        return 0;
    snprintf(shared, sizeof(shared), "/tmp/hotpatch-shared-XXXXXX");
    return mkdtemp(shared) ? 0 : -1;
}

static int remove_directory(void **state)
{
    char command[100];

    (void)state;
    if (!shared[0])
        return 0;
    snprintf(command, sizeof(command), "rm -rf %s", shared);
    shared[0] = '\0';
    return system(command);
}

static void need_namespaces(void)
{
    if (!shared[0])
        skip();
}

/* Of its only patch, by hotpatch status. */
static void assert_version(struct host *host, const char *version)
{
    struct output *output = hotpatch(host, "status", pid_text(host->pid), "--json", NULL);
    json_object *answer = json_tokener_parse(output->out), *modules;

    if (!answer || output->status != 0)
        fail_msg("exit %d: %s%s", output->status, output->out, output->error);
    modules = member(answer, "status.modules");
    assert_int_equal(json_object_array_length(modules), 1);
    assert_string_equal(member_text(json_object_array_get_idx(modules, 0), "version"), version);
    json_object_put(answer);
    output_free(output);
}

/* The first is told apart from the second by every verb, and the second from the first. */
static void told_apart(struct host *first, struct host *second)
{
    struct output *output;

    output_must(hotpatch(first, "load", pid_text(second->pid), patch_file("answer2"), NULL), 0,
                NULL, NULL);
    host_expect(second, "answer", "2");
    host_expect(first, "answer", "1");
    output_must(hotpatch(first, "load", pid_text(first->pid), patch_file("answer3"), NULL), 0, NULL,
                NULL);
    host_expect(first, "answer", "3");
    host_expect(second, "answer", "2");
    output_must(hotpatch(first, "reload", pid_text(second->pid), NULL), 0, NULL, NULL);
    assert_version(second, "2");
    assert_version(first, "3");
    output = hotpatch(first, "slots", pid_text(first->pid), "answer", NULL);
    assert_non_null(strstr(output->out, "answer"));
    output_must(output, 0, NULL, NULL);
    output_must(hotpatch(first, "doctor", pid_text(second->pid), NULL), 0, NULL, NULL);
    output_must(hotpatch(first, "revert", pid_text(first->pid), "all", NULL), 0, NULL, NULL);
    host_expect(first, "answer", "1");
    host_expect(second, "answer", "2");
    output_must(hotpatch(first, "revert", pid_text(second->pid), "last", NULL), 0, NULL, NULL);
    host_expect(second, "answer", "1");
}

static void two_first_processes_of_their_namespaces_are_told_apart(void **state)
{
    (void)state;
    need_namespaces();
    for (size_t i = 0; i < 4; i++) {
        struct where where = {
            .directory = shared, .listen = listen_way(i), .number = 1, .own_proc = i < 2};
        struct host *first = host_inside_ready(&where), *second = host_inside_ready(&where);

        told_apart(first, second);
        host_kill(first);
        host_kill(second);
    }
}

/* The one outside has the very number that the other has inside. */
static void an_inner_number_that_is_anothers_outer_one_is_told_apart(void **state)
{
    (void)state;
    need_namespaces();
    for (size_t i = 0; i < 2; i++) {
        char directory[100];
        const char *environment[] = {listen_way(i), directory, NULL};
        struct where where = {
            .directory = shared, .listen = listen_way(i), .number = 0, .own_proc = i == 0};
        struct host *inner, *outer;

        snprintf(directory, sizeof(directory), "HOTPATCH_DIR=%s", shared);
        outer = host_start("host", environment);
        where.number = outer->pid;
        inner = host_inside_ready(&where);
        told_apart(outer, inner);
        host_kill(inner);
        host_kill(outer);
    }
}

/* A number that was free a moment ago. */
static pid_t free_number(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    await_end(pid);
    return pid;
}

static void an_outer_number_that_is_anothers_inner_one_is_told_apart(void **state)
{
    (void)state;
    need_namespaces();
    for (size_t i = 0; i < 2; i++) {
        struct where where = {.directory = shared,
                              .listen = listen_way(i),
                              .number = free_number(),
                              .own_proc = i == 0};
        struct host *inner = host_inside_ready(&where), *outer;

        where.outside = true;
        where.own_proc = false;
        outer = host_inside(&where);
        if (outer) {
            assert_string_equal(host_hear(outer), "ready");
            assert_int_equal(outer->pid, where.number);
            told_apart(outer, inner);
            host_kill(outer);
        }
        host_kill(inner);
    }
}

static void processes_that_start_at_the_same_moment_are_told_apart(void **state)
{
    (void)state;
    need_namespaces();
    for (size_t i = 0; i < 4; i++) {
        struct where where = {
            .directory = shared, .listen = listen_way(i), .number = 1, .own_proc = true};
        struct host *first = host_inside(&where), *second = host_inside(&where);

        assert_string_equal(host_hear(first), "ready");
        assert_string_equal(host_hear(second), "ready");
        output_must(hotpatch(first, "load", pid_text(first->pid), patch_file("answer2"), NULL), 0,
                    NULL, NULL);
        output_must(hotpatch(first, "load", pid_text(second->pid), patch_file("answer3"), NULL), 0,
                    NULL, NULL);
        host_expect(first, "answer", "2");
        host_expect(second, "answer", "3");
        host_kill(first);
        host_kill(second);
    }
}

static void a_group_has_all_of_the_same_number(void **state)
{
    char program[100], group[40], objects[100], copying[120];
    struct where where = {.directory = shared,
                          .listen = listen_way(1),
                          .number = 1,
                          .own_proc = true,
                          .program = program};
    struct host *hosts[3];

    (void)state;
    need_namespaces();
    snprintf(program, sizeof(program), "%s/same%d", shared, (int)getpid());
    snprintf(group, sizeof(group), "@same%d", (int)getpid());
    copy_file(built("hosts/host"), program);
    for (int i = 0; i < 3; i++)
        hosts[i] = host_inside_ready(&where);
    /* As if one of the same number were copying the patch. */
    snprintf(objects, sizeof(objects), "%s/objects", shared);
    assert_true(mkdir(objects, 0700) == 0 || errno == EEXIST);
    snprintf(copying, sizeof(copying), "%s/.1-0.part", objects);
    file_write(copying, "", 0, 0500);
    output_must(hotpatch(hosts[0], "load", group, patch_file("answer3"), NULL), 0, NULL, NULL);
    assert_int_equal(unlink(copying), 0);
    for (int i = 0; i < 3; i++)
        host_expect(hosts[i], "answer", "3");
    output_must(hotpatch(hosts[0], "revert", pid_text(hosts[1]->pid), "all", NULL), 0, NULL, NULL);
    output_must(hotpatch(hosts[0], "status", group, NULL), 0, NULL, NULL);
    host_expect(hosts[0], "answer", "3");
    host_expect(hosts[1], "answer", "1");
    host_expect(hosts[2], "answer", "3");
    for (int i = 0; i < 3; i++)
        host_kill(hosts[i]);
}

/* What was killed has left its files; the next one is reached in spite of them. */
static void a_process_after_a_dead_one_of_its_number_is_reached(void **state)
{
    (void)state;
    need_namespaces();
    for (size_t i = 0; i < 4; i++) {
        struct where where = {
            .directory = shared, .listen = listen_way(i), .number = 1, .own_proc = true};
        struct host *dead = host_inside_ready(&where), *live;

        if (i < 2)
            output_must(hotpatch(dead, "load", pid_text(dead->pid), patch_file("answer3"), NULL), 0,
                        NULL, NULL);
        host_kill(dead);
        live = host_inside_ready(&where);
        output_must(hotpatch(live, "load", pid_text(live->pid), patch_file("answer2"), NULL), 0,
                    NULL, NULL);
        host_expect(live, "answer", "2");
        host_kill(live);
    }
}

/* ---- a /proc of another namespace ---- */

/* Of each thread, on a line of its own. */
static void assert_all_say(pid_t pid, const char *line)
{
    char command[200];

    snprintf(command, sizeof(command), "! cat /proc/%d/task/*/status | grep ^%.*s: | grep -qv '%s'",
             (int)pid, (int)strcspn(line, ":"), line, line);
    assert_int_equal(system(command), 0);
}

static void rights_are_read_of_the_process_itself_in_an_outer_proc(void **state)
{
    (void)state;
    need_namespaces();
    for (size_t i = 0; i < 2; i++) {
        struct where where = {
            .directory = shared, .listen = listen_way(i), .number = free_number()};
        struct host *host = host_inside_ready(&where);

        output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0, NULL,
                    NULL); /* the threads are there */
        host_expect(host, "no-new-privs", "0");
        output_must(hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL), 0,
                    NULL, NULL);
        host_expect(host, "answer", "2");
        assert_all_say(host->pid, "NoNewPrivs:\t1");
        host_kill(host);
    }
}

static void entries_are_armed_in_an_outer_proc(void **state)
{
    struct where where = {.directory = shared,
                          .listen = listen_way(0),
                          .number = free_number(),
                          .program = built("hosts/entries")};
    struct host *host;

    (void)state;
    need_namespaces();
    host = host_inside_ready(&where);
    host_expect(host, "answer", "1");
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "answer=two",
                         patch_file("entry_plain"), NULL),
                0, NULL, NULL);
    host_expect(host, "answer", "2");
    output_must(hotpatch(host, "revert", pid_text(host->pid), "last", NULL), 0, NULL, NULL);
    host_expect(host, "answer", "1");
    host_kill(host);
}

static void a_program_whose_main_thread_has_left_ends_in_an_outer_proc(void **state)
{
    struct where where = {.directory = shared, .listen = listen_way(0), .number = free_number()};
    struct host *host;

    (void)state;
    need_namespaces();
    host = host_inside_ready(&where);
    host_say(host, "exit-main");
    assert_string_equal(host_hear(host), "ready");
    output_must(hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL), 0, NULL,
                NULL);
    host_expect(host, "answer", "2");
    close(host->to); /* its last thread ends */
    host->to = -1;
    assert_int_equal(host_wait(host), 0);
    host_kill(host);
}

static void where_proc_does_not_show_the_process_loads_are_refused(void **state)
{
    struct where where = {
        .directory = shared, .listen = listen_way(0), .number = 1, .no_proc = true};
    struct host *host;
    struct output *output;

    (void)state;
    if (sanitized())
        skip(); /* its runtime reads /proc */
    need_namespaces();
    host = host_inside_ready(&where);
    output = hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL);
    if (!strstr(output->error, "HP-SANDBOX"))
        fail_msg("exit %d: %s%s", output->status, output->out, output->error);
    output_free(output);
    host_expect(host, "answer", "1");
    host_kill(host);
}

#define SHARED(test) cmocka_unit_test_setup_teardown(test, make_directory, remove_directory)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SHARED(two_first_processes_of_their_namespaces_are_told_apart),
        SHARED(an_inner_number_that_is_anothers_outer_one_is_told_apart),
        SHARED(an_outer_number_that_is_anothers_inner_one_is_told_apart),
        SHARED(processes_that_start_at_the_same_moment_are_told_apart),
        SHARED(a_group_has_all_of_the_same_number),
        SHARED(a_process_after_a_dead_one_of_its_number_is_reached),
        SHARED(rights_are_read_of_the_process_itself_in_an_outer_proc),
        SHARED(entries_are_armed_in_an_outer_proc),
        SHARED(a_program_whose_main_thread_has_left_ends_in_an_outer_proc),
        SHARED(where_proc_does_not_show_the_process_loads_are_refused),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
