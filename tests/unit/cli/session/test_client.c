/*
 * test_client.c - the command's client against a listener made for the test: a child process
 * that reads the FIFO and does one of the things that listeners, good and bad, can do.
 */
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/output/output.h"
#include "cli/process/channel.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"

#define PATCH "/nowhere/fix one.so"

enum behaviour {
    ANSWER,  /* replies at once */
    CHATTER, /* replies to somebody else first */
    SILENT,  /* reads and says nothing */
    DIE,     /* ends when a request comes */
    ANSWER_AND_DIE,
    RECORD_ONLY,       /* writes the outcome into the status file alone */
    RECORD_WHEN_ASKED, /* the same, and so late that it has been asked for it */
    TELL_WHEN_ASKED,   /* answers `status` alone, with a history */
    KNOW_NOTHING,      /* answers `status` with an empty history */
    LONG_ANSWER,       /* a reply of more than a pipe holds */
    SIGNAL_CLIENT,     /* SIGINT to the parent when a request comes */
    NEVER_READ,
    ANOTHER_NAMESPACE, /* its status tells of a process of another pid namespace */
    ANOTHER_TIME       /* or of one that had its number before */
};

struct host {
    char dir[64];
    pid_t pid;
    char seen[5000]; /* what the listener read */
};

/* ---------------------------------------------------------- the listener --- */

static char *path_in(const char *dir, const char *format, int number)
{
    char name[64];

    snprintf(name, sizeof(name), format, number);
    return format_text("%s/%s", dir, name);
}

static void value_of(const char *line, const char *key, char *value, size_t size)
{
    const char *at = strstr(line, key);

    snprintf(value, size, "%.*s", at ? (int)strcspn(at + strlen(key), " \n") : 0,
             at ? at + strlen(key) : "");
}

static void say(const char *dir, const char *line, const char *text)
{
    char name[100], path[200];
    int fd;

    value_of(line, " reply=", name, sizeof(name));
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    while (fd >= 0 && *text) {
        ssize_t n = write(fd, text, strlen(text));

        if (n < 0)
            break;
        text += n;
    }
    close(fd);
}

static char *reply_text(const char *id, const char *more)
{
    return format_text(
        "{\"hotpatch\":1,\"id\":\"%s\",\"verb\":\"load\",\"result\":\"done\",\"exit\":0,"
        "\"errors\":[],\"warnings\":[]%s}\n",
        id, more);
}

static uint64_t own_start_time(void)
{
    return process_start_time(getpid());
}

static const char nonce[] = "0123456789abcdef0123456789abcdef";

static uint64_t own_pid_ns(void)
{
    struct stat st;

    return stat("/proc/self/ns/pid", &st) == 0 ? st.st_ino : 0;
}

static void write_status_of(const char *dir, const char *id, uint64_t pid_ns, uint64_t start_time)
{
    char *path = path_in(dir, "%d.json", getpid());
    FILE *file = fopen(path, "w");

    fprintf(file,
            "{\"hotpatch\":1,\"pid\":%d,\"start_time\":%llu,\"pid_ns\":%llu,\"nonce\":\"%s\","
            "\"history\":[{\"n\":1,\"id\":\"%s\","
            "\"verb\":\"load\",\"result\":\"refused\",\"exit\":1,\"code\":\"HP-SIGNATURE\","
            "\"text\":\"no\",\"modules\":[]}]}",
            getpid(), (unsigned long long)start_time, (unsigned long long)pid_ns, nonce, id);
    fclose(file);
    free(path);
}

static void write_status(const char *dir, const char *id)
{
    write_status_of(dir, id, own_pid_ns(), own_start_time());
}

static void tell(const char *dir, const char *line, const char *first_id, bool know)
{
    char id[80];
    char *text;

    value_of(line, " id=", id, sizeof(id));
    text = format_text("{\"hotpatch\":1,\"id\":\"%s\",\"verb\":\"status\",\"exit\":0,\"status\":"
                       "{\"history\":[{\"id\":\"%s\",\"verb\":\"load\",\"result\":\"done\","
                       "\"exit\":0,\"code\":null,\"modules\":[]}]}}\n",
                       id, know ? first_id : "x");
    say(dir, line, text);
    free(text);
}

static void answer_long(const char *dir, const char *line, const char *id)
{
    char *filler = allocate(300001);
    char *more, *text;

    memset(filler, 'x', 300000);
    more = format_text(",\"filler\":\"%s\"", filler);
    text = reply_text(id, more);
    say(dir, line, text);
}

/* One request, the first line of a transaction of several. */
static void take(const char *dir, enum behaviour behaviour, const char *line)
{
    static char first[80];
    char id[80] = "";
    bool is_first = !*first;

    value_of(line, " id=", id, sizeof(id));
    if (is_first)
        memcpy(first, id, sizeof(first));
    switch (behaviour) {
    case CHATTER:
        say(dir, line, "{\"hotpatch\":1,\"id\":\"another\",\"exit\":1}\nnot json\n");
        say(dir, line, reply_text(id, ""));
        break;
    case ANSWER:
    case ANSWER_AND_DIE:
        say(dir, line, reply_text(id, ""));
        if (behaviour == ANSWER_AND_DIE)
            _exit(0);
        break;
    case DIE:
        _exit(0);
    case RECORD_ONLY:
        if (is_first)
            write_status(dir, id);
        break;
    case RECORD_WHEN_ASKED:
        if (!is_first)
            write_status(dir, first);
        break;
    case TELL_WHEN_ASKED:
    case KNOW_NOTHING:
        if (strncmp(line, "status ", 7) == 0)
            tell(dir, line, first, behaviour == TELL_WHEN_ASKED);
        break;
    case LONG_ANSWER:
        answer_long(dir, line, id);
        break;
    case SIGNAL_CLIENT:
        kill(getppid(), SIGINT);
        break;
    case SILENT:
    case NEVER_READ:
    case ANOTHER_NAMESPACE:
    case ANOTHER_TIME:
        break;
    }
}

/* One read may be several requests, where the client has asked again before the first was read. Each is
 * written in one write, so none is read in part. */
static void listen_for(const char *dir, enum behaviour behaviour, int fifo, int seen)
{
    char text[5000];
    ssize_t n;

    while ((n = read(fifo, text, sizeof(text) - 1)) > 0) {
        char *rest = text;

        text[n] = 0;
        if (write(seen, text, (size_t)n) != n)
            _exit(9);
        for (char *line; (line = strtok_r(rest, "\n", &rest));)
            if (strstr(line, " id="))
                take(dir, behaviour, line);
    }
}

static int seen_pipe[2];

static void host_start(struct host *host, enum behaviour behaviour)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe2(seen_pipe, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    host->pid = fork();
    assert_true(host->pid >= 0);
    if (host->pid == 0) {
        char *path = path_in(host->dir, "%d.fifo", getpid());
        int fifo;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        mkfifo(path, 0600);
        write_status_of(host->dir, "none", own_pid_ns() + (behaviour == ANOTHER_NAMESPACE),
                        own_start_time() + (behaviour == ANOTHER_TIME));
        fifo = open(path, O_RDWR | O_CLOEXEC);
        if (write(ready[1], "r", 1) != 1)
            _exit(9);
        if (behaviour == NEVER_READ)
            for (;;)
                pause();
        listen_for(host->dir, behaviour, fifo, seen_pipe[1]);
        _exit(0);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
}

static void host_stop(struct host *host)
{
    ssize_t n = read(seen_pipe[0], host->seen, sizeof(host->seen) - 1);

    host->seen[n > 0 ? n : 0] = 0;
    close(seen_pipe[0]);
    close(seen_pipe[1]);
    kill(host->pid, SIGKILL);
    waitpid(host->pid, NULL, 0);
}

static int setup(void **state)
{
    struct host *host = allocate(sizeof(*host));

    /* Not /tmp/hotpatch-*, where `hotpatch ps` of another test, as root, removes what seems left behind. */
    snprintf(host->dir, sizeof(host->dir), "/tmp/client-of-hotpatch-XXXXXX");
    if (!mkdtemp(host->dir))
        return -1;
    setenv("HOTPATCH_DIR", host->dir, 1);
    *state = host;
    return 0;
}

static int teardown(void **state)
{
    struct host *host = *state;
    char *command = format_text("rm -rf %s", host->dir);
    int status = system(command);

    free(command);
    free(host);
    return status;
}

/* --------------------------------------------------------------- the client --- */

static const char *const one_patch[] = {PATCH};

/* A host that answers may take its time: the machine may be busy. */
static const struct client_request load_order = {.verb = "load",
                                                 .keys = "when=call",
                                                 .patches = one_patch,
                                                 .patch_count = 1,
                                                 .margin = 60000,
                                                 .changes = true};

/* For one that does not. */
static const struct client_request hasty_order = {.verb = "load",
                                                  .keys = "when=call",
                                                  .patches = one_patch,
                                                  .patch_count = 1,
                                                  .margin = 100,
                                                  .changes = true};

static struct json_object *ask_host(const struct host *host,
                                    const struct client_request *client_request)
{
    struct process process;
    struct session_request request = {.process = &process};
    struct refusal why = {0};

    assert_int_equal(process_open(host->pid, &process, &why), 0);
    requests_run(&request, 1, client_request);
    process_close(&process);
    assert_non_null(request.reply);
    return request.reply;
}

static void assert_nothing_left(const struct host *host)
{
    char *command = format_text("ls %s | grep -e reply -e client-", host->dir);

    assert_int_not_equal(system(command), 0);
    free(command);
}

static void assert_refused(struct json_object *reply, const char *code, int exit_code)
{
    struct json_object *error = json_item(json_list(reply, "errors"), 0);

    if (strcmp(json_text(error, "code"), code) != 0)
        fail_msg("%s, not %s: %s", json_text(error, "code"), code, json_text(error, "text"));
    assert_int_equal(reply_exit(reply), exit_code);
}

static const char *first_text(struct json_object *reply)
{
    return json_text(json_item(json_list(reply, "errors"), 0), "text");
}

/* Starts a host, sends one order, checks that the client left nothing behind. */
static struct json_object *with_host(struct host *host, enum behaviour behaviour,
                                     const struct client_request *client_request)
{
    struct json_object *reply;

    host_start(host, behaviour);
    reply = ask_host(host, client_request);
    host_stop(host);
    assert_nothing_left(host);
    return reply;
}

static void a_reply_becomes_the_answer(void **state)
{
    struct json_object *reply = with_host(*state, ANSWER, &load_order);

    assert_int_equal(reply_exit(reply), 0);
    assert_string_equal(json_text(reply, "result"), "done");
    json_object_put(reply);
}

static void a_request_stands_between_newlines(void **state)
{
    struct host *host = *state;
    size_t length;

    json_object_put(with_host(host, ANSWER, &load_order));
    length = strlen(host->seen);
    assert_int_equal(strncmp(host->seen, "\nload ", 6), 0);
    assert_string_equal(host->seen + length - strlen(" when=call " PATCH "\n"),
                        " when=call " PATCH "\n");
}

static void several_patches_are_one_transaction(void **state)
{
    static const char *const two[] = {"/a.so", "/b.so"};
    struct host *host = *state;
    struct client_request client_request = load_order;

    client_request.patches = two;
    client_request.patch_count = 2;
    json_object_put(with_host(host, ANSWER, &client_request));
    assert_int_equal(strncmp(host->seen, "\nbegin id=", 10), 0);
    assert_non_null(strstr(host->seen, "\nload when=call /a.so\nload when=call /b.so\ncommit\n"));
}

static void replies_to_others_are_ignored(void **state)
{
    struct json_object *reply = with_host(*state, CHATTER, &load_order);

    assert_int_equal(reply_exit(reply), 0);
    assert_string_equal(json_text(reply, "result"), "done");
    json_object_put(reply);
}

static void a_reply_longer_than_a_pipe_arrives_whole(void **state)
{
    struct json_object *reply = with_host(*state, LONG_ANSWER, &load_order);

    assert_int_equal(strlen(json_text(reply, "filler")), 300000);
    json_object_put(reply);
}

static void a_dying_host_is_noticed_and_the_patch_named(void **state)
{
    struct json_object *reply = with_host(*state, DIE, &load_order);

    assert_refused(reply, "HP-HOST-DIED", 6);
    assert_non_null(strstr(first_text(reply), PATCH));
    json_object_put(reply);
}

static void a_reply_from_before_the_death_counts(void **state)
{
    struct json_object *reply = with_host(*state, ANSWER_AND_DIE, &load_order);

    assert_int_equal(reply_exit(reply), 0);
    json_object_put(reply);
}

static void without_a_reply_the_status_file_tells(void **state)
{
    struct json_object *reply = with_host(*state, RECORD_ONLY, &hasty_order);

    assert_refused(reply, "HP-SIGNATURE", 1);
    json_object_put(reply);
}

static void a_status_file_that_is_written_late_tells_too(void **state)
{
    struct json_object *reply = with_host(*state, RECORD_WHEN_ASKED, &hasty_order);

    assert_refused(reply, "HP-SIGNATURE", 1);
    json_object_put(reply);
}

static void without_a_status_file_the_host_is_asked(void **state)
{
    struct json_object *reply = with_host(*state, TELL_WHEN_ASKED, &hasty_order);

    assert_int_equal(reply_exit(reply), 0);
    assert_string_equal(json_text(reply, "result"), "done");
    json_object_put(reply);
}

static void what_nobody_knows_is_unknown(void **state)
{
    struct json_object *reply = with_host(*state, KNOW_NOTHING, &hasty_order);

    assert_refused(reply, "HP-UNKNOWN", 6);
    json_object_put(reply);
}

static void silence_ends_in_unknown(void **state)
{
    struct json_object *reply = with_host(*state, SILENT, &hasty_order);

    assert_refused(reply, "HP-UNKNOWN", 6);
    json_object_put(reply);
}

static void a_question_without_an_answer_has_changed_nothing(void **state)
{
    static const struct client_request question = {.verb = "slots", .keys = "", .margin = 100};
    struct json_object *reply = with_host(*state, SILENT, &question);

    assert_refused(reply, "HP-DEADLINE", 4);
    json_object_put(reply);
}

static void a_full_fifo_ends_at_the_deadline(void **state)
{
    struct host *host = *state;
    struct json_object *reply;
    char *path, bytes[4096] = {0};
    int fd;

    host_start(host, NEVER_READ);
    path = path_in(host->dir, "%d.fifo", host->pid);
    fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    while (write(fd, bytes, sizeof(bytes)) > 0)
        ;
    reply = ask_host(host, &hasty_order);
    host_stop(host);
    close(fd);
    free(path);
    assert_nothing_left(host);
    assert_refused(reply, "HP-DEADLINE", 4);
    json_object_put(reply);
}

static void a_request_names_the_process_that_is_meant(void **state)
{
    struct host *host = *state;
    char value[80];

    json_object_put(with_host(host, ANSWER, &load_order));
    value_of(host->seen, " nonce=", value, sizeof(value));
    assert_string_equal(value, nonce);
}

static void another_processs_fifo_is_not_written_to(void **state)
{
    static const enum behaviour others[] = {ANOTHER_NAMESPACE, ANOTHER_TIME};
    struct host *host = *state;

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        struct json_object *reply = with_host(host, others[i], &load_order);

        assert_refused(reply, "HP-NO-SHIM", 3); /* nor is it in this one */
        assert_string_equal(host->seen, "");
        json_object_put(reply);
    }
}

static void a_request_too_long_is_not_sent(void **state)
{
    struct host *host = *state;
    struct client_request client_request = load_order;
    char *path = allocate(5000);
    const char *const patches[] = {path};
    struct json_object *reply;

    memset(path, 'x', 4200);
    path[0] = '/';
    client_request.patches = patches;
    reply = with_host(host, SILENT, &client_request);
    assert_refused(reply, "HP-LINE-TOO-LONG", 1);
    assert_string_equal(host->seen, "");
    json_object_put(reply);
    free(path);
}

static void an_interrupted_client_leaves_no_reply_fifo(void **state)
{
    struct host *host = *state;
    int status;
    pid_t client;

    client = fork();
    if (client == 0) { /* the note of a signal stays for a process's life */
        struct json_object *reply;

        host_start(host, SIGNAL_CLIENT);
        reply = ask_host(host, &load_order);
        host_stop(host);
        _exit(reply_exit(reply));
    }
    assert_int_equal(waitpid(client, &status, 0), client);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 6);
    assert_nothing_left(host);
}

/* -------------------------------------------------------------- bad places --- */

/* What channel_open() says of a process whose mappings are hidden, so that the library may be in
 * it. */
static enum error_code channel_code(const struct host *host)
{
    struct process process;
    struct channel channel;
    struct refusal why = {0};
    enum error_code code = HP_NONE;

    assert_int_equal(process_open(host->pid, &process, &why), 0);
    process.maps_readable = false;
    if (channel_open(&process, &channel, &why) != 0)
        code = why.items[0].code;
    channel_close(&channel);
    process_close(&process);
    refusal_clear(&why);
    return code;
}

/* The same where the FIFO's place holds what `make` puts there. */
static enum error_code planted_code(struct host *host, void (*make)(const char *path))
{
    enum error_code code;
    char *path;

    host_start(host, NEVER_READ);
    path = path_in(host->dir, "%d.fifo", host->pid);
    unlink(path);
    make(path);
    code = channel_code(host);
    host_stop(host);
    free(path);
    return code;
}

static void plant_file(const char *path)
{
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
}

static void plant_link(const char *path)
{
    assert_int_equal(symlink("/dev/null", path), 0);
}

static void plant_nothing(const char *path)
{
    (void)path;
}

static void plant_unread_fifo(const char *path)
{
    mkfifo(path, 0600);
}

static void a_file_in_place_of_the_fifo_is_refused(void **state)
{
    assert_int_equal(planted_code(*state, plant_file), HP_DIRECTORY);
}

static void a_link_in_place_of_the_fifo_is_not_followed(void **state)
{
    assert_int_equal(planted_code(*state, plant_link), HP_DIRECTORY);
}

static void a_missing_fifo_is_nobody(void **state)
{
    assert_int_equal(planted_code(*state, plant_nothing), HP_NOT_LISTENING);
}

static void a_fifo_without_a_reader_is_nobody(void **state)
{
    assert_int_equal(planted_code(*state, plant_unread_fifo), HP_NOT_LISTENING);
}

static void a_process_without_the_library_is_told_so(void **state)
{
    struct host *host = *state;
    struct json_object *reply;
    char *path;

    host_start(host, NEVER_READ);
    path = path_in(host->dir, "%d.fifo", host->pid);
    unlink(path);
    reply = ask_host(host, &load_order);
    host_stop(host);
    free(path);
    assert_refused(reply, "HP-NO-SHIM", 3);
    json_object_put(reply);
}

static void a_directory_that_others_can_write_is_refused(void **state)
{
    struct host *host = *state;

    host_start(host, NEVER_READ);
    assert_int_equal(channel_code(host), HP_NONE);
    chmod(host->dir, 0770);
    assert_int_equal(channel_code(host), HP_DIRECTORY);
    chmod(host->dir, 0700);
    host_stop(host);
}

static void a_directory_behind_a_link_is_refused(void **state)
{
    struct host *host = *state;
    char *link = format_text("%s.link", host->dir);

    host_start(host, NEVER_READ);
    assert_int_equal(symlink(host->dir, link), 0);
    setenv("HOTPATCH_DIR", link, 1);
    assert_int_equal(channel_code(host), HP_DIRECTORY);
    unlink(link);
    host_stop(host);
    free(link);
}

static void a_directory_of_another_user_is_refused(void **state)
{
    struct host *host = *state;

    if (geteuid() != 0)
        skip();
    host_start(host, NEVER_READ);
    assert_int_equal(chown(host->dir, 12345, 12345), 0);
    assert_int_equal(channel_code(host), HP_DIRECTORY);
    assert_int_equal(chown(host->dir, 0, 0), 0);
    host_stop(host);
}

/* -------------------------------------------------------------- many at once --- */

static void many_processes_answer_one_order(void **state)
{
    enum { COUNT = 60 };
    struct host *host = *state;
    struct process processes[COUNT];
    struct session_request requests[COUNT] = {{0}};
    pid_t pids[COUNT];
    struct refusal why = {0};

    for (int i = 0; i < COUNT; i++) {
        host_start(host, i == 7 ? DIE : ANSWER);
        pids[i] = host->pid;
        close(seen_pipe[0]);
        close(seen_pipe[1]);
        assert_int_equal(process_open(host->pid, &processes[i], &why), 0);
        requests[i].process = &processes[i];
    }
    /* The hosts' descriptors of the pipe keep it from breaking. */
    requests_run(requests, COUNT, &load_order);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(reply_exit(requests[i].reply), i == 7 ? 6 : 0);
        json_object_put(requests[i].reply);
        process_close(&processes[i]);
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    assert_nothing_left(host);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reply_becomes_the_answer),
        TEST(a_request_stands_between_newlines),
        TEST(several_patches_are_one_transaction),
        TEST(replies_to_others_are_ignored),
        TEST(a_reply_longer_than_a_pipe_arrives_whole),
        TEST(a_dying_host_is_noticed_and_the_patch_named),
        TEST(a_reply_from_before_the_death_counts),
        TEST(without_a_reply_the_status_file_tells),
        TEST(a_status_file_that_is_written_late_tells_too),
        TEST(without_a_status_file_the_host_is_asked),
        TEST(what_nobody_knows_is_unknown),
        TEST(silence_ends_in_unknown),
        TEST(a_question_without_an_answer_has_changed_nothing),
        TEST(a_full_fifo_ends_at_the_deadline),
        TEST(a_request_names_the_process_that_is_meant),
        TEST(another_processs_fifo_is_not_written_to),
        TEST(a_request_too_long_is_not_sent),
        TEST(an_interrupted_client_leaves_no_reply_fifo),
        TEST(a_file_in_place_of_the_fifo_is_refused),
        TEST(a_link_in_place_of_the_fifo_is_not_followed),
        TEST(a_missing_fifo_is_nobody),
        TEST(a_fifo_without_a_reader_is_nobody),
        TEST(a_process_without_the_library_is_told_so),
        TEST(a_directory_that_others_can_write_is_refused),
        TEST(a_directory_behind_a_link_is_refused),
        TEST(a_directory_of_another_user_is_refused),
        TEST(many_processes_answer_one_order),
    };

    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
