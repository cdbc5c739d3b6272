/*
 * test_listen.c - HOTPATCH_LISTEN: what an idle program has of ours, when the threads are made, and what works
 * without any.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/harness.h"

#define DOORBELL (SIGRTMIN + 12)
#define LATER "HOTPATCH_LISTEN=first-ring"
#define NEVER "HOTPATCH_LISTEN=never"

static const char *const shapes[] = {"plain", "fork", "daemon", "exec"};

static int threads_of(pid_t pid)
{
    return directory_entries("/proc/%d/task", (int)pid);
}

/* The listener may read its FIFO before the other threads are there. */
static void await_threads(pid_t pid, int count)
{
    AWAIT(threads_of(pid) == count, "%d threads, not %d", count, threads_of(pid));
}

static pid_t hear_pid(struct host *host)
{
    int pid = 0;

    assert_int_equal(sscanf(host_hear(host), "pid %d", &pid), 1);
    return pid;
}

/* Blocks until somebody reads: a shell's `echo >`, with no ring before it. */
static void await_reader(struct host *host)
{
    char path[300];
    int fd;

    snprintf(path, sizeof(path), "%s/%d.fifo", host->directory, (int)host->pid);
    alarm(HARNESS_TIMEOUT_MS / 1000);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    alarm(0);
    assert_true(fd >= 0);
    close(fd);
}

/* ---- idle ---- */

static struct host *become(const char *program, const char *const *environment, const char *shape)
{
    struct host *host = environment ? host_start(program, environment) : host_start_bare(program);

    host_say(host, shape);
    host->pid = 0; /* the process that was started may end first */
    assert_string_equal(host_hear(host), "begin");
    assert_string_equal(host_hear(host), "end");
    host->pid = hear_pid(host);
    return host;
}

static bool has_timer(pid_t pid)
{
    char path[64], *text;
    bool has;

    snprintf(path, sizeof(path), "/proc/%d/timers", (int)pid);
    text = file_text(path);
    has = text[0];
    free(text);
    return has;
}

static void an_idle_program_has_no_thread_descriptor_or_timer_of_ours(void **state)
{
    static const char *const later[] = {LATER, NULL};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct host *host = become("idle", later, shapes[i]);
        struct host *bare = become("idle", NULL, shapes[i]);

        assert_int_equal(threads_of(host->pid), 1);
        assert_int_equal(directory_entries("/proc/%d/fd", (int)host->pid),
                         directory_entries("/proc/%d/fd", (int)bare->pid));
        assert_false(has_timer(host->pid));
        host_stop(host);
        host_kill(bare);
    }
}

/* The names of the system calls between the two lines, one each line, malloc'd. NULL: it does not say the lines. */
static char *calls_between(const char *trace)
{
    char *text = file_text(trace), *begin = strstr(text, "write(1, \"begin\\n\""),
         *end = begin ? strstr(begin, "write(1, \"end\\n\"") : NULL, *save, *names;
    size_t length = 0;

    if (!end) {
        free(text);
        return NULL;
    }
    *end = '\0';
    names = malloc((size_t)(end - begin) + 1);
    assert_non_null(names);
    for (char *line = strtok_r(begin, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        size_t name = strcspn(line, "( ");

        if (line[0] == '-' || line[0] == '+') /* a signal: a child's end comes when it comes */
            continue;
        memcpy(names + length, line, name);
        length += name;
        names[length++] = '\n';
    }
    names[length] = '\0';
    free(text);
    return names;
}

static char *trace(struct host *keeper, const char *shape, bool with)
{
    char script[1200], *names = NULL;
    const char *folder = host_path(keeper, with ? "with" : "without");
    DIR *directory;
    struct dirent *entry;

    snprintf(script, sizeof(script),
             "rm -rf %s; mkdir %s && echo %s | strace -ff -qq -o %s/t -E " LATER "%s%s %s", folder,
             folder, shape, folder, with ? " -E LD_PRELOAD=" : "",
             with ? built("libhotpatch_preload.so") : "", built("hosts/idle"));
    output_must(run_program(keeper, (const char *[]){"sh", "-c", script, NULL}), 0, "end", NULL);
    directory = opendir(folder);
    assert_non_null(directory);
    while (!names && (entry = readdir(directory))) {
        char path[600];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        names = calls_between(path);
    }
    closedir(directory);
    assert_non_null(names);
    return names;
}

static void an_idle_program_makes_no_system_call_of_ours(void **state)
{
    struct host *keeper = host_start("host", NULL);

    (void)state;
    need_program("strace");
    for (size_t i = 0; i < 4; i++) {
        char *with = trace(keeper, shapes[i], true), *without = trace(keeper, shapes[i], false);

        assert_string_equal(with, without);
        free(with);
        free(without);
    }
    host_stop(keeper);
}

/* ---- the first ring ---- */

static void the_plain_shells_way_is_answered(void **state)
{
    static const char *const later[] = {LATER, NULL};
    struct host *host = host_start("host", later);

    (void)state;
    await_read(host->pid);
    assert_int_equal(kill(host->pid, DOORBELL), 0);
    await_reader(host);
    await_threads(host->pid, 3);
    host_stop(host);
}

static void the_command_rings_by_itself(void **state)
{
    static const char *const later[] = {LATER, NULL};
    struct host *host = host_start("host", later);
    const char *pid = pid_text(host->pid);

    (void)state;
    host_expect(host, "answer", "1");
    output_must(hotpatch(host, "load", pid, patch_file("answer2"), NULL), 0, "", NULL);
    host_expect(host, "answer", "2");
    output_must(hotpatch(host, "revert", pid, "all", NULL), 0, "", NULL);
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void a_forked_child_is_reached_at_its_first_ring(void **state)
{
    static const char *const later[] = {LATER, NULL};
    struct host *host = host_start("host", later);
    pid_t parent = host->pid;

    (void)state;
    host_say(host, "fork");
    host->pid = hear_pid(host);
    assert_int_equal(threads_of(host->pid), 1);
    output_must(hotpatch(host, "load", pid_text(host->pid), patch_file("answer2"), NULL), 0, "",
                NULL);
    host_expect(host, "answer", "2");
    assert_int_equal(threads_of(host->pid), 3);
    assert_int_equal(threads_of(parent), 1);
    host_stop(host);
}

/* ---- the host's first thread ---- */

static void the_hosts_first_thread_makes_ours(void **state)
{
    static const char *const ways[] = {"pthread_create", "thrd_create"};
    static const char *const later[] = {LATER, NULL};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct host *host = host_start("idle", later);

        host_say(host, ways[i]);
        hear_pid(host);
        await_reader(host);
        await_threads(host->pid, 4);
        host_stop(host);
    }
}

static void a_thread_that_a_library_made_before_us_makes_ours(void **state)
{
    char preload[1024];
    const char *const later[] = {LATER, preload, NULL};
    struct host *host;

    (void)state;
    snprintf(preload, sizeof(preload), "LD_PRELOAD=%s:%s", built("libhotpatch_preload.so"),
             built("hosts/libthread.so"));
    host = host_start("host", later);
    await_reader(host);
    await_threads(host->pid, 4);
    must_apply(host, "load %s", patch_file("answer2"));
    host_expect(host, "answer", "2");
    host_stop(host);
}

/* Its thread is libc's own, and made past the function that others can stand before. */
static void a_ring_answers_beside_a_timer_that_notifies_by_thread(void **state)
{
    static const char *const later[] = {LATER, NULL};
    struct host *host = host_start("idle", later);
    unsigned before = 0, after = 0;

    (void)state;
    host_say(host, "timer_create");
    hear_pid(host);
    AWAIT(strcmp(outcome(host, "ping"), "apply") == 0 && threads_of(host->pid) >= 4,
          "our threads after a ping, which rings");
    assert_int_equal(sscanf(host_ask(host, "ticks"), "ticks %u", &before), 1);
    AWAIT(sscanf(host_ask(host, "ticks"), "ticks %u", &after) == 1 && after > before,
          "more than %u ticks", before);
    host_stop(host);
}

/* ---- HOTPATCH_PATCH ---- */

static void patches_are_applied_on_the_main_thread(void **state)
{
    char patches[600];
    const char *const later[] = {LATER, patches, NULL};
    struct host *host, *bare;

    (void)state;
    snprintf(patches, sizeof(patches), "HOTPATCH_PATCH=%s", patch_file("answer2"));
    host = host_start("host", later);
    bare = host_start_bare("host");
    host_expect(host, "answer", "2");
    assert_int_equal(threads_of(host->pid), 1);
    assert_int_equal(directory_entries("/proc/%d/fd", (int)host->pid),
                     directory_entries("/proc/%d/fd", (int)bare->pid));
    must_apply(host, "load %s", patch_file("answer3"));
    host_expect(host, "answer", "3");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    host_stop(host);
    host_kill(bare);
}

static void a_constructor_of_such_a_patch_may_fork_and_make_threads(void **state)
{
    char patches[600];
    const char *const later[] = {LATER, patches, NULL};
    struct host *host;

    (void)state;
    snprintf(patches, sizeof(patches), "HOTPATCH_PATCH=%s", patch_file("constructor_self"));
    host = host_start("host", later);
    host_expect(host, "answer", "2");
    must_apply(host, "load %s", patch_file("answer3"));
    host_expect(host, "answer", "3");
    host_stop(host);
}

/* The program that ends last removes the directory of the copies, into which another is just copying. */
static void programs_that_start_and_end_side_by_side_are_all_patched(void **state)
{
    struct host *keeper = host_start("host", NULL);
    struct output *output;
    char script[2000];
    int patched = 0;

    (void)state;
    snprintf(
        script, sizeof(script),
        "export HOTPATCH_DIR=%s/side HOTPATCH_PATCH=%s LD_PRELOAD=%s\n"
        "starts() { i=0; while [ $((i += 1)) -le 100 ]; do echo \"$(echo answer | %s)\"; done; }\n"
        "for loop in 1 2 3 4; do starts & done; wait",
        keeper->directory, patch_file("answer2"), built("libhotpatch_preload.so"),
        built("hosts/host"));
    output = run_program(keeper, (const char *[]){"sh", "-c", script, NULL});
    assert_string_equal(output->error, "");
    assert_int_equal(output->status, 0);
    for (const char *at = output->out; (at = strstr(at, "\n2\n")); at++)
        patched++;
    assert_int_equal(patched, 400);
    output_free(output);
    host_stop(keeper);
}

/* One that hangs or ends the process keeps the program from its main(): the log names it. */
static void the_log_names_a_constructor_before_it_is_called(void **state)
{
    struct host *keeper = host_start("host", NULL);
    char script[1200];

    (void)state;
    snprintf(script, sizeof(script),
             "env HOTPATCH_LOG=info HOTPATCH_PATCH=%s LD_PRELOAD=%s " LATER " %s </dev/null",
             patch_file("constructor_exit"), built("libhotpatch_preload.so"), built("hosts/host"));
    output_must(run_program(keeper, (const char *[]){"sh", "-c", script, NULL}), 3,
                "run: constructors of", NULL);
    host_stop(keeper);
}

/* ---- never ---- */

static struct host *start_never(void)
{
    static const char *const never[] = {NEVER, NULL};

    return host_start_unarmed("host", never);
}

static void never_there_is_neither_thread_nor_fifo(void **state)
{
    struct host *host = start_never();
    char fifo[300];

    (void)state;
    snprintf(fifo, sizeof(fifo), "%s/%d.fifo", host->directory, (int)host->pid);
    assert_int_equal(kill(host->pid, DOORBELL), 0);
    host_expect(host, "answer", "1");
    assert_int_equal(threads_of(host->pid), 1);
    assert_int_not_equal(access(fifo, F_OK), 0);
    host_expect(host, "threads 2", "started");
    assert_int_equal(threads_of(host->pid), 3);
    host_expect(host, "stop-threads", "wrong 0");
    host_stop(host);
}

static void never_a_load_is_refused_with_the_settings_name(void **state)
{
    struct host *host = start_never();
    const char *pid = pid_text(host->pid);

    (void)state;
    output_must(hotpatch(host, "load", pid, patch_file("answer2"), NULL), 1,
                "HOTPATCH_LISTEN=never", NULL);
    output_must(hotpatch(host, "load", pid, patch_file("answer2"), NULL), 1, "HP-NEVER", NULL);
    output_must(hotpatch(host, "doctor", pid, NULL), 1, "HP-NEVER", NULL);
    output_must(hotpatch(host, "ps", NULL), 0, "never listens", NULL);
    host_expect(host, "answer", "1");
    assert_int_equal(threads_of(host->pid), 1);
    host_stop(host);
}

static void never_patches_of_the_environment_are_applied(void **state)
{
    char patches[600];
    const char *const never[] = {NEVER, patches, NULL};
    struct host *host;

    (void)state;
    snprintf(patches, sizeof(patches), "HOTPATCH_PATCH=%s", patch_file("answer2"));
    host = host_start_unarmed("host", never);
    host_expect(host, "answer", "2");
    assert_int_equal(threads_of(host->pid), 1);
    assert_string_equal(host_log(host), "");
    host_stop(host);
}

/* ---- start ---- */

static void at_the_start_the_threads_come_without_a_ring(void **state)
{
    static const char *const start[] = {"HOTPATCH_LISTEN=start", NULL};
    struct host *host = host_start("host", start);

    (void)state;
    await_reader(host);
    await_threads(host->pid, 3);
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_program_has_no_thread_descriptor_or_timer_of_ours),
        cmocka_unit_test(an_idle_program_makes_no_system_call_of_ours),
        cmocka_unit_test(the_plain_shells_way_is_answered),
        cmocka_unit_test(the_command_rings_by_itself),
        cmocka_unit_test(a_forked_child_is_reached_at_its_first_ring),
        cmocka_unit_test(the_hosts_first_thread_makes_ours),
        cmocka_unit_test(a_thread_that_a_library_made_before_us_makes_ours),
        cmocka_unit_test(a_ring_answers_beside_a_timer_that_notifies_by_thread),
        cmocka_unit_test(patches_are_applied_on_the_main_thread),
        cmocka_unit_test(a_constructor_of_such_a_patch_may_fork_and_make_threads),
        cmocka_unit_test(programs_that_start_and_end_side_by_side_are_all_patched),
        cmocka_unit_test(the_log_names_a_constructor_before_it_is_called),
        cmocka_unit_test(never_there_is_neither_thread_nor_fifo),
        cmocka_unit_test(never_a_load_is_refused_with_the_settings_name),
        cmocka_unit_test(never_patches_of_the_environment_are_applied),
        cmocka_unit_test(at_the_start_the_threads_come_without_a_ring),
    };

    setenv("HOTPATCH_LISTEN", "first-ring", 1); /* whatever the suites are run under */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
