/*
 * test_command.c - parts of the command on their own: the lines it writes, its judgement of
 * programs, what it clears away, how it cleans text for a terminal.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "base/maker.h"
#include "base/request.h"
#include "cli/output/output.h"
#include "cli/process/stale.h"
#include "cli/session/client.h"
#include "cli/session/wire.h"
#include "cli/verbs/preload_check.h"
#include "cli/verbs/usage.h"

/* -------------------------------------------------------------------- wire --- */

static const struct wire wire = {
    .id = "i", .reply = "i.reply", .nonce = "0123456789abcdef0123456789abcdef", .deadline = 7};

static char *composed(const struct client_request *client_request, const char *const *patches)
{
    struct wire with = wire;
    struct refusal why = {0};
    char *line = allocate(REQUEST_MAX + 1);

    with.patches = patches;
    assert_true(wire_compose(client_request, &with, line, REQUEST_MAX + 1, &why) > 0);
    return line;
}

/* The shim's own parser takes what the command writes. */
static void every_verb_is_understood_by_the_shim(void **state)
{
    static const struct client_request client_requests[] = {
        {.verb = "status", .keys = ""},
        {.verb = "ping", .keys = ""},
        {.verb = "reload", .keys = ""},
        {.verb = "slots", .keys = "match=a* kind=import"},
        {.verb = "revert", .keys = "when=quiet timeout=9 unload=1 name=x"},
        {.verb = "revert", .keys = "", .operand = "last"},
        {.verb = "revert", .keys = "timeout=1", .operand = "all"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(client_requests) / sizeof(client_requests[0]); i++) {
        char *line = composed(&client_requests[i], NULL);
        size_t length = strlen(line);
        struct request request;
        struct refusal why = {0};

        assert_int_equal(line[0], '\n');
        assert_int_equal(line[length - 1], '\n');
        line[length - 1] = 0;
        assert_int_equal(request_parse(line + 1, length - 2, &request, &why), 0);
        assert_string_equal(request.id, "i");
        assert_string_equal(request.reply, "i.reply");
        assert_string_equal(request.nonce, wire.nonce);
        assert_int_equal(request.deadline, 7);
        free(line);
    }
}

static void a_path_with_blanks_arrives_whole(void **state)
{
    static const char *const patches[] = {"/a dir/fix = 1.so"};
    const struct client_request client_request = {
        .verb = "load", .keys = "replace=a=b", .patch_count = 1};
    char *line = composed(&client_request, patches);
    struct request request;
    struct refusal why = {0};

    (void)state;
    line[strlen(line) - 1] = 0;
    assert_int_equal(request_parse(line + 1, strlen(line + 1), &request, &why), 0);
    assert_string_equal(request.path, patches[0]);
    free(line);
}

static void patches_and_faults_are_one_transaction(void **state)
{
    static const char *const patches[] = {"/a.so"}, *const faults[] = {"fail=f=1 nth=2",
                                                                       "fail=g=0"};
    const struct client_request client_request = {.verb = "load",
                                                  .keys = "when=call",
                                                  .patch_keys = "replace=a=b",
                                                  .patch_count = 1,
                                                  .injections = faults,
                                                  .injection_count = 2};
    char *line = composed(&client_request, patches);

    (void)state;
    assert_string_equal(
        line, "\nbegin id=i deadline=7 reply=i.reply nonce=0123456789abcdef0123456789abcdef\n"
              "load when=call replace=a=b /a.so\n"
              "load when=call fail=f=1 nth=2\n"
              "load when=call fail=g=0\ncommit\n");
    free(line);
}

static void a_path_with_a_newline_is_refused(void **state)
{
    static const char *const patches[] = {"/a\nrevert all"};
    const struct client_request client_request = {.verb = "load", .keys = "", .patch_count = 1};
    struct wire with = wire;
    struct refusal why = {0};
    char line[REQUEST_MAX + 1];

    (void)state;
    with.patches = patches;
    assert_int_equal(wire_compose(&client_request, &with, line, sizeof(line), &why), -1);
    assert_int_equal(why.items[0].code, HP_PATH);
    refusal_clear(&why);
}

static void the_longest_request_fits_and_one_byte_more_does_not(void **state)
{
    const struct client_request client_request = {.verb = "load", .keys = "", .patch_count = 1};
    char path[REQUEST_MAX + 1], line[REQUEST_MAX + 1];
    const char *const patches[] = {path};
    struct wire with = wire;
    struct refusal why = {0};
    size_t rest = strlen("\nload id=i deadline=7 reply=i.reply nonce= \n") + strlen(wire.nonce);

    (void)state;
    with.patches = patches;
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[REQUEST_MAX - rest] = 0;
    assert_int_equal(wire_compose(&client_request, &with, line, sizeof(line), &why), REQUEST_MAX);
    path[REQUEST_MAX - rest] = 'x';
    path[REQUEST_MAX - rest + 1] = 0;
    assert_int_equal(wire_compose(&client_request, &with, line, sizeof(line), &why), -1);
    assert_int_equal(why.items[0].code, HP_LINE_TOO_LONG);
    refusal_clear(&why);
}

static void a_relative_path_becomes_absolute(void **state)
{
    struct refusal why = {0};
    char *path = absolute_path("././/fix.so", &why), *here = getcwd(NULL, 0);
    char *wanted = format_text("%s/fix.so", here);

    (void)state;
    assert_string_equal(path, wanted);
    free(path);
    free(here);
    free(wanted);
}

/* ------------------------------------------------------------------ output --- */

static void control_characters_do_not_reach_a_terminal(void **state)
{
    char *clean = text_clean("a\033[31m\n\xc2\x9b"
                             "b\x7f\xc3\xa4");

    (void)state;
    assert_string_equal(clean, "a?[31m?\?b?\xc3\xa4");
    free(clean);
}

/* What is printed again as it was read. */
static void a_document_that_is_no_strict_json_is_none(void **state)
{
    static const char *const wrong[] = {
        "", "{\"a\":NaN}", "{\"a\":-Infinity}", "{\"a\":1", "{\"a\":1}x", "{\"a\":1,}", "nothing"};
    struct json_object *document = json_parse("{\"a\":[1,\"NaN \\\" I\",null]}");

    (void)state;
    assert_non_null(document);
    json_object_put(document);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (json_parse(wrong[i]))
            fail_msg("%s was taken", wrong[i]);
}

/* ------------------------------------------------------------------ judging --- */

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    /* Not /tmp/hotpatch-*, which `hotpatch ps` of another test looks through. */
    snprintf(directory, sizeof(directory), "/tmp/command-of-hotpatch-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    char *command = format_text("rm -rf %s", directory);
    int status = system(command);

    (void)state;
    free(command);
    return status;
}

static char *in_directory(const char *name)
{
    return format_text("%s/%s", directory, name);
}

static char *file_make(const char *name, const void *bytes, size_t size, mode_t mode)
{
    char *path = in_directory(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    fchmod(fd, mode);
    close(fd);
    return path;
}

/* The code of the first complaint; HP_NONE: it can be patched. */
static enum error_code judged(const char *program, char *interpreter)
{
    struct verdict *verdict = allocate(sizeof(*verdict));
    struct refusal why = {0};
    enum error_code code = HP_NONE;

    if (preload_check(program, verdict, &why) != 0)
        code = why.items[0].code;
    if (interpreter)
        strcpy(interpreter, verdict->interpreter);
    free(verdict);
    refusal_clear(&why);
    return code;
}

static void an_ordinary_program_is_found_in_path(void **state)
{
    (void)state;
    assert_int_equal(judged("ls", NULL), HP_NONE);
    assert_int_equal(judged("/bin/ls", NULL), HP_NONE);
}

static void what_is_no_program_is_told(void **state)
{
    char *plain = file_make("plain", "x", 1, 0644);

    (void)state;
    assert_int_equal(judged("no-such-program-here", NULL), HP_NO_PROGRAM);
    assert_int_equal(judged("/no/such/program", NULL), HP_NO_PROGRAM);
    assert_int_equal(judged(plain, NULL), HP_NO_PROGRAM);
    assert_int_equal(judged("/tmp/", NULL), HP_NO_PROGRAM);
    free(plain);
}

/* A copy of a small program with one byte changed. */
static char *altered(const char *name, size_t offset, unsigned char value)
{
    FILE *self = fopen("/bin/cat", "r");
    unsigned char *bytes = allocate(8 << 20);
    size_t size = fread(bytes, 1, 8 << 20, self);
    char *path;

    fclose(self);
    bytes[offset] = value;
    path = file_make(name, bytes, size, 0755);
    free(bytes);
    return path;
}

static void a_program_of_another_class_or_machine_is_refused(void **state)
{
    char *class32 = altered("class32", 4, 1), *machine = altered("arm", 18, 183);

    (void)state;
    assert_int_equal(judged(class32, NULL), HP_32BIT);
    assert_int_equal(judged(machine, NULL), HP_32BIT);
    free(class32);
    free(machine);
}

static void a_setuid_program_of_another_user_is_refused(void **state)
{
    char *path = altered("setuid", 7, 0);

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(path, 12345, 0), 0);
    assert_int_equal(chmod(path, 04755), 0);
    assert_int_equal(judged(path, NULL), HP_SETUID);
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(chmod(path, 04755), 0);
    assert_int_equal(judged(path, NULL), HP_NONE); /* root is what it becomes, and what it is */
    free(path);
}

static void a_script_is_judged_by_its_interpreter(void **state)
{
    char interpreter[PATH_MAX];
    char *direct = file_make("direct", "#! /bin/cat -u\n", 15, 0755);
    char *env = file_make("env", "#!/usr/bin/env -S FOO=1 cat -u\n", 31, 0755);
    char *bare = file_make("bare", "echo hello\n", 11, 0755);

    (void)state;
    assert_int_equal(judged(direct, interpreter), HP_NONE);
    assert_string_equal(interpreter, "/bin/cat");
    assert_int_equal(judged(env, interpreter), HP_NONE);
    assert_string_equal(strrchr(interpreter, '/'), "/cat");
    assert_int_equal(judged(bare, interpreter), HP_NONE);
    assert_string_equal(interpreter, "/bin/sh");
    free(direct);
    free(env);
    free(bare);
}

static void scripts_without_a_usable_interpreter_are_refused(void **state)
{
    char *self = in_directory("self"), *line = format_text("#!%s\n", self);
    char *loop = file_make("self", line, strlen(line), 0755);
    char *missing = file_make("missing", "#!/no/interpreter\n", 18, 0755);
    char *empty = file_make("empty", "#!\n", 3, 0755);
    char *class32 = altered("class32", 4, 1);
    char *text = format_text("#!%s\n", class32);
    char *foreign = file_make("foreign", text, strlen(text), 0755);

    (void)state;
    assert_int_equal(judged(loop, NULL), HP_NO_PROGRAM);
    assert_int_equal(judged(missing, NULL), HP_NO_PROGRAM);
    assert_int_equal(judged(empty, NULL), HP_NO_PROGRAM);
    assert_int_equal(judged(foreign, NULL), HP_32BIT);
    free(self);
    free(line);
    free(loop);
    free(missing);
    free(empty);
    free(class32);
    free(text);
    free(foreign);
}

/* ----------------------------------------------------------------- clearing --- */

static int dir_open(void)
{
    int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(dir >= 0);
    return dir;
}

static bool there(const char *name)
{
    char *path = in_directory(name);
    bool found = access(path, F_OK) == 0;

    free(path);
    return found;
}

static void fifo_make(const char *name)
{
    char *path = in_directory(name);

    assert_int_equal(mkfifo(path, 0600), 0);
    free(path);
}

static void make_old(int dir, const char *name)
{
    const struct timespec times[2] = {{.tv_sec = time(NULL) - 7200}, {.tv_sec = time(NULL) - 7200}};

    assert_int_equal(utimensat(dir, name, times, 0), 0);
}

/* A PID that no process has: of a child that has ended and was waited for. */
static pid_t dead_pid(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return pid;
}

static void files_of_a_dead_process_go(void **state)
{
    int dir = dir_open();
    char fifo[32], status[32], half[40];
    pid_t pid = dead_pid();

    (void)state;
    snprintf(fifo, sizeof(fifo), "%d.fifo", pid);
    snprintf(status, sizeof(status), "%d.json", pid);
    snprintf(half, sizeof(half), "%d.json.tmp", pid);
    fifo_make(fifo);
    free(file_make(status, "{}", 2, 0600));
    free(file_make(half, "{", 1, 0600));
    assert_int_equal(stale_remove(dir, NULL, 0), 3);
    assert_false(there(fifo) || there(status) || there(half));
    close(dir);
}

static uint64_t own_pid_ns(void)
{
    struct stat st;

    assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
    return st.st_ino;
}

/* This process, as if the library were in it. */
static struct process live_process(void)
{
    return (struct process){.pid = getpid(),
                            .inner_pid = getpid(),
                            .pid_ns = own_pid_ns(),
                            .start_time = process_start_time(getpid())};
}

static void files_of_a_reused_pid_go_and_those_of_a_live_one_stay(void **state)
{
    const struct process live = live_process();
    int dir = dir_open();
    char name[32], *path, *text;

    (void)state;
    snprintf(name, sizeof(name), "%d.json", getpid());
    text = format_text("{\"start_time\":%llu}", (unsigned long long)live.start_time);
    path = file_make(name, text, strlen(text), 0600);
    assert_int_equal(stale_remove(dir, &live, 1), 0);
    free(path);
    path = file_make(name, "{\"start_time\":1}", 16, 0600);
    assert_int_equal(stale_remove(dir, &live, 1), 1);
    assert_false(there(name));
    free(path);
    free(text);
    close(dir);
}

static void mark(int dir, const char *name, uint32_t proc, uint32_t pid)
{
    const struct maker maker = {proc, pid};

    assert_int_equal(maker_write(dir, name, &maker), 0);
}

/* It is not read before the process is asked for something. */
static void the_fifo_of_a_live_process_stays_without_a_reader(void **state)
{
    const struct process live = live_process();
    int dir = dir_open();
    char fifo[32];

    (void)state;
    snprintf(fifo, sizeof(fifo), "%d.fifo", getpid());
    fifo_make(fifo);
    mark(dir, fifo, maker_self().proc, (uint32_t)getpid());
    assert_int_equal(stale_remove(dir, &live, 1), 0);
    close(dir);
}

static void the_fifo_of_a_process_that_executed_another_program_goes(void **state)
{
    int dir = dir_open();
    char fifo[32];

    (void)state;
    snprintf(fifo, sizeof(fifo), "%d.fifo", getpid()); /* which has no library */
    fifo_make(fifo);
    mark(dir, fifo, maker_self().proc, (uint32_t)getpid());
    assert_int_equal(stale_remove(dir, NULL, 0), 1);
    close(dir);
}

static void a_fifo_of_another_pid_namespace_stays(void **state)
{
    struct process live = live_process();
    int dir = dir_open();
    char fifo[64];

    (void)state;
    snprintf(fifo, sizeof(fifo), "%d.fifo", dead_pid());
    fifo_make(fifo);
    mark(dir, fifo, maker_self().proc + 1, 1);
    assert_int_equal(stale_remove(dir, &live, 1), 0);
    snprintf(fifo, sizeof(fifo), "%d-%llu.fifo", getpid(), (unsigned long long)live.pid_ns + 1);
    fifo_make(fifo);
    assert_int_equal(stale_remove(dir, &live, 1), 0);
    snprintf(fifo, sizeof(fifo), "%d-%llu.fifo", dead_pid(), (unsigned long long)live.pid_ns);
    fifo_make(fifo);
    assert_int_equal(stale_remove(dir, &live, 1), 1);
    close(dir);
}

static void a_fifo_with_a_reader_stays(void **state)
{
    int dir = dir_open(), reader;
    char fifo[32];

    (void)state;
    snprintf(fifo, sizeof(fifo), "%d.fifo", dead_pid());
    fifo_make(fifo);
    reader = openat(dir, fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(stale_remove(dir, NULL, 0), 0);
    close(reader);
    assert_int_equal(stale_remove(dir, NULL, 0), 1);
    close(dir);
}

static void reply_fifos_go_when_nobody_has_read_them_for_long(void **state)
{
    int dir = dir_open(), reader;

    (void)state;
    fifo_make("new.reply");
    fifo_make("old.reply");
    fifo_make("read.reply");
    make_old(dir, "old.reply");
    make_old(dir, "read.reply");
    reader = openat(dir, "read.reply", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(stale_remove(dir, NULL, 0), 1);
    assert_true(there("new.reply"));
    assert_true(there("read.reply"));
    assert_false(there("old.reply"));
    close(reader);
    close(dir);
}

static void other_peoples_files_stay(void **state)
{
    int dir = dir_open();

    (void)state;
    free(file_make("notes.txt", "x", 1, 0600));
    free(file_make("0.json", "{}", 2, 0600));
    free(file_make("12x.fifo", "", 0, 0600));
    make_old(dir, "notes.txt");
    assert_int_equal(stale_remove(dir, NULL, 0), 0);
    close(dir);
}

#define WITH_DIRECTORY(name) cmocka_unit_test_setup_teardown(name, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_is_understood_by_the_shim),
        cmocka_unit_test(a_path_with_blanks_arrives_whole),
        cmocka_unit_test(patches_and_faults_are_one_transaction),
        cmocka_unit_test(a_path_with_a_newline_is_refused),
        cmocka_unit_test(the_longest_request_fits_and_one_byte_more_does_not),
        cmocka_unit_test(a_relative_path_becomes_absolute),
        cmocka_unit_test(control_characters_do_not_reach_a_terminal),
        cmocka_unit_test(a_document_that_is_no_strict_json_is_none),
        cmocka_unit_test(an_ordinary_program_is_found_in_path),
        WITH_DIRECTORY(what_is_no_program_is_told),
        WITH_DIRECTORY(a_program_of_another_class_or_machine_is_refused),
        WITH_DIRECTORY(a_setuid_program_of_another_user_is_refused),
        WITH_DIRECTORY(a_script_is_judged_by_its_interpreter),
        WITH_DIRECTORY(scripts_without_a_usable_interpreter_are_refused),
        WITH_DIRECTORY(files_of_a_dead_process_go),
        WITH_DIRECTORY(files_of_a_reused_pid_go_and_those_of_a_live_one_stay),
        WITH_DIRECTORY(the_fifo_of_a_live_process_stays_without_a_reader),
        WITH_DIRECTORY(the_fifo_of_a_process_that_executed_another_program_goes),
        WITH_DIRECTORY(a_fifo_of_another_pid_namespace_stays),
        WITH_DIRECTORY(a_fifo_with_a_reader_stays),
        WITH_DIRECTORY(reply_fifos_go_when_nobody_has_read_them_for_long),
        WITH_DIRECTORY(other_peoples_files_stay),
    };

    return cmocka_run_group_tests_name("command", tests, NULL, NULL);
}
