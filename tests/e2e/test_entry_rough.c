/*
 * test_entry_rough.c - entry slots under rough treatment: clients that are killed, clients that race,
 * libraries that leave meanwhile, requests without sense, and as many functions as there are.
 */
#include "tests/support/entries.h"

#include <dlfcn.h>
#include <elf.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/debug/file_image.h"
#include "elf/symbols.h"
#include "resolve/injection_result.h"
#include "tests/support/file_facts.h"

/* ---- clients ---- */

/* `hotpatch ARGUMENTS`, PID in the place of @, and not waited for. */
static pid_t spawn(const char *arguments)
{
    char command[1024];
    const char *at = strchr(arguments, '@');
    pid_t pid;

    snprintf(command, sizeof(command), "exec '%s' %.*s%d%s >/dev/null 2>&1", built("hotpatch"),
             (int)(at - arguments), arguments, (int)host->pid, at + 1);
    pid = fork();
    if (pid == 0) {
        setenv("HOTPATCH_DIR", host->directory, 1);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static void pause_us(long us)
{
    struct timespec time = {us / 1000000, us % 1000000 * 1000};

    nanosleep(&time, NULL);
}

/* Whatever it has come to, the program answers as the engine says. */
static void expect_what_is_told(void)
{
    struct reply *reply = request(host, "status");
    bool applied = json_object_array_length(member(reply->json, "status.modules")) > 0;

    reply_free(reply);
    host_expect(host, "answer", applied ? "2" : "1");
}

static void a_client_killed_at_any_moment_leaves_all_or_nothing(void **state)
{
    char load[600];
    int killed = 0;

    (void)state;
    start("entries");
    host_expect(host, "threads 2", "started");
    snprintf(load, sizeof(load), "load @ %s", patch_file("answer2"));
    for (long us = 500; us < 30000; us += us / 6) {
        pid_t client = spawn(us % 2 ? load : "revert @ all");
        int status;

        pause_us(us);
        kill(client, SIGKILL);
        assert_int_equal(waitpid(client, &status, 0), client);
        killed += WIFSIGNALED(status);
        must_apply(host, "ping");
        expect_what_is_told();
    }
    assert_true(killed > 0);
    outcome(host, "revert all");
    host_expect(host, "stop-threads", "wrong 0");
    assert_unchanged(host);
    finish();
}

/* Half a second is spent on waiting for a thread that never sleeps. */
static void a_client_killed_while_its_entry_is_armed_changes_nothing(void **state)
{
    struct picture before;
    char load[600];
    pid_t client;

    (void)state;
    start("entries");
    host_expect(host, "spinners-without-signals 1", "started");
    must_apply(host, "ping");
    before = picture_take(host->pid);
    snprintf(load, sizeof(load), "load --replace straddles_page=two @ %s",
             patch_file("entry_plain"));
    client = spawn(load);
    pause_us(150000);
    kill(client, SIGKILL);
    assert_int_equal(waitpid(client, NULL, 0), client);
    must_apply(host, "ping");
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    host_expect(host, "stop-threads", "wrong 0");
    there_and_back("straddles_page", "shape straddles_page", "1", "2");
    finish();
}

/* Twenty times on, and off again. */
static pid_t spawn_loop(const char *load, const char *name)
{
    char command[2048];
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    snprintf(
        command, sizeof(command),
        "i=0; while [ $((i += 1)) -le 20 ]; do '%s' load %d %s && '%s' revert %d %s || exit 1; "
        "done >/dev/null",
        built("hotpatch"), (int)host->pid, load, built("hotpatch"), (int)host->pid, name);
    setenv("HOTPATCH_DIR", host->directory, 1);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

static void await(pid_t pid)
{
    int status = await_end(pid);

    if (status != 0)
        fail_msg("a client came out with %d; log:\n%s", status, host_log(host));
}

static void clients_that_race_for_one_entry_all_get_their_way(void **state)
{
    char plain[600];
    pid_t clients[2];

    (void)state;
    start("entries");
    host_expect(host, "threads 2", "started");
    snprintf(plain, sizeof(plain), "--replace answer=three %s", patch_file("entry_plain"));
    clients[0] = spawn_loop(patch_file("answer2"), "answer");
    clients[1] = spawn_loop(plain, "entry_plain");
    for (int i = 0; i < 2; i++)
        await(clients[i]);
    host_expect(host, "answer", "1");
    host_expect(host, "stop-threads", "wrong 0");
    assert_string_equal(outcome(host, "revert last"), "HP-NO-LAYER");
    finish();
}

/* ---- libraries that leave ---- */

/* It is there or it is not; once somebody keeps it, or its function is a slot, it stays. */
static void replace_in_what_leaves(int times, bool kept)
{
    for (int i = 0; i < times; i++) {
        const char *code = replace("libentries.so:in_library", "two");

        if (strcmp(code, "apply") == 0)
            must_apply(host, "revert all");
        else
            assert_string_equal(code, kept ? "apply" : "HP-NO-TARGET");
    }
}

static void a_library_that_leaves_meanwhile_is_patched_or_not_there(void **state)
{
    const char *library = built("hosts/libentries.so");

    (void)state;
    for (int round = 0; round < 5; round++) {
        start("entries");
        assert_string_equal(host_ask(host, "churn %s", library), "started");
        replace_in_what_leaves(30, false);
        assert_string_equal(host_ask(host, "dlopen %s", library), "opened");
        replace_in_what_leaves(10, true);
        host_expect(host, "stop-threads", "wrong 0");
        finish();
    }
}

/* ---- requests without sense ---- */

static void what_is_no_place_is_refused(void **state)
{
    static const char *const places[] = {
        "at=",
        "at=exe",
        "at=exe@-",
        "at=exe@-+0x=answer",
        "at=exe@-+0xg=answer",
        "at=exe@-+0x1",
        "at=exe@-+0x1=",
        "at=@-+0x1=answer",
        "at=exe@+0x1=answer",
        "at=exe@xyz+0x1=answer",
        "at=exe@abc+0x1=answer",
        "at=exe@-+1000=answer",
        "at=exe@-+0x11111111111111111=answer",
        "at=exe@-+0x1=answer at=exe@-+0x2=answer",
        "at=exe@-+0x1=%",
        "at=exe@-+0x1=%zz",
        "at=exe@-+0x1=%00",
    };
    struct picture before;

    (void)state;
    start("entries");
    must_apply(host, "ping");
    before = picture_take(host->pid);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *code = outcome(host, "load %s %s", places[i], patch_file("answer2"));

        if (strcmp(code, "HP-VALUE") != 0)
            fail_msg("%s came out as %s", places[i], code);
    }
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    assert_unchanged(host);
    finish();
}

static void targets_without_sense_are_refused(void **state)
{
    static const char *const targets[] = {
        "exe:",
        ":answer",
        "answer@",
        "@entries.c",
        "exe:answer:x",
        "exe+0xg",
        "exe+0x",
        "+0x10",
        "exe+0x-1",
        "answer@entries",
        "answer@a.c@b.c",
        "libc.so.6:",
        "[vdso]:time",
        "exe:..",
        "exe:main+0x4",
        "entries:::answer",
        "linux-vdso.so.1:__vdso_time",
        "libhotpatch_engine.so:handle",
        "libhotpatch_preload.so+0x1000",
        "ld-linux-x86-64.so.2:_dl_signal_error",
    };
    struct picture before;

    (void)state;
    start("entries");
    must_apply(host, "ping");
    before = picture_take(host->pid);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        const char *code = replace(targets[i], "two");

        if (strcmp(code, "HP-TARGET") != 0 && strcmp(code, "HP-NO-TARGET") != 0 &&
            strcmp(code, "HP-NOT-PATCHABLE") != 0 && strcmp(code, "HP-VALUE") != 0)
            fail_msg("%s came out as %s", targets[i], code);
    }
    assert_int_equal(picture_changes(&before, host->pid), 0);
    picture_free(&before);
    assert_unchanged(host);
    finish();
}

static void one_function_by_two_names_is_replaced_twice_by_nobody(void **state)
{
    char target[100];

    (void)state;
    start("entries");
    by_offset("exe", "second", target, sizeof(target));
    assert_string_equal(outcome(host, "load replace=second=two replace=%s=three %s", target,
                                patch_file("entry_plain")),
                        "HP-NAME-CLASH");
    host_expect(host, "second", "10");
    finish();
}

/* A place in the middle of a function whose entry jumps already: what lies there is the jump's. */
static void a_place_among_the_bytes_of_a_jump_is_refused(void **state)
{
    (void)state;
    start("entries-nopie");
    must_replace("straddles_word", "two");
    for (unsigned long i = 1; i < 5; i++) {
        const char *code =
            outcome(host, "load at=exe@%s+0x%lx=x replace=x=three %s",
                    build_id_of(built("hosts/entries-nopie")),
                    symbol_of("entries-nopie", "straddles_word") + i, patch_file("entry_plain"));

        assert_string_equal(code, "HP-NOT-PATCHABLE");
    }
    host_expect(host, "shape straddles_word", "2");
    must_apply(host, "revert all");
    host_expect(host, "shape straddles_word", "1");
    finish();
}

/* ---- as many as there are ---- */

struct request_text {
    char text[3800]; /* one write to the FIFO is atomic up to PIPE_BUF, and gets a reply= */
    size_t count, seen, applied, refused, third;
};

static void send_all(struct request_text *r)
{
    const char *code;

    if (r->count == 0)
        return;
    code = outcome(host, "begin%s\ncommit", r->text);
    if (strcmp(code, "apply") == 0)
        r->applied += r->count;
    else if (strcmp(code, "HP-NOT-PATCHABLE") == 0)
        r->refused += r->count;
    else
        fail_msg("%s came out as %s", r->text, code);
    host_expect(host, "answer", "1");
    r->count = 0;
    r->text[0] = '\0';
}

/* Each goes on to the original: the billionth call would be a fault. */
static void add(struct request_text *r, const char *name)
{
    size_t length = strlen(r->text);

    if (length + strlen(name) + 64 > sizeof(r->text)) {
        send_all(r);
        length = 0;
    }
    snprintf(r->text + length, sizeof(r->text) - length,
             "\nload fail=libc.so.6:%s=0 nth=1000000000", name);
    r->count++;
}

static int add_every_third(const struct image_symbol *s, void *context)
{
    struct request_text *r = context;

    if (s->defined && s->dynamic && !s->version_hidden &&
        (s->type == STT_FUNC || s->type == STT_GNU_IFUNC) &&
        !injection_unfit_result(NULL, "libc.so.6", s->name) && r->seen++ % 3 == r->third)
        add(r, s->name);
    return 0;
}

/* 800 of its functions. The host makes children and threads meanwhile. */
static void wrap_every_third(size_t third)
{
    static const char *const habits[] = {"resetters", "breeders 1", "vforkers", "spawners 1"};
    struct request_text *r = calloc(1, sizeof(*r));
    struct file_image libc;
    struct refusal why = {0};
    struct elf_error fault;
    Dl_info info;

    assert_non_null(r);
    r->third = third;
    assert_int_not_equal(dladdr((void *)(uintptr_t)getppid, &info), 0);
    assert_int_equal(file_image_open(&libc, info.dli_fname, ET_DYN, &why), 0);
    start("entries");
    host_expect(host, "forkers 1", "started");
    assert_int_equal(image_symbols(libc.image, add_every_third, r, &fault), 0);
    send_all(r);
    assert_true(r->applied > 500 && r->applied > 2 * r->refused);
    /* Not before: children in its memory, and threads that block signals, are in the way of entries. */
    for (size_t i = 0; i < sizeof(habits) / sizeof(habits[0]); i++)
        host_expect(host, habits[i], "started");
    for (int i = 0; i < 10; i++)
        must_apply(host, "ping");
    host_expect(host, "stop-threads", "wrong 0");
    host_become(host, "fork");
    must_apply(host, "ping"); /* the child's first ring */
    if (third == 0)
        must_apply(host, "revert all"); /* the others are left with them */
    file_image_close(&libc);
    free(r);
    finish();
}

static void hundreds_of_libcs_functions_are_wrapped_at_once(void **state)
{
    (void)state;
    if (sanitized())
        skip();
    for (size_t third = 0; third < 3; third++)
        wrap_every_third(third);
}

/* What a fault's own decision takes: whose thread it is, and errno; that of the program lies in a variable of its
 * own meanwhile. */
static void a_fault_is_decided_without_what_faults_stand_in(void **state)
{
    unsigned long variable;
    char expected[32];

    (void)state;
    if (sanitized()) /* its runtime in the program asks for errno too */
        skip();
    variable = symbol_of("entries-nopie", "level");
    snprintf(expected, sizeof(expected), "%lu", variable);
    start("entries-nopie");
    must_apply(host, "load fail=libc.so.6:pthread_self=5 caller=exe");
    must_apply(host, "load fail=libc.so.6:__errno_location=%lu:EIO", variable);
    host_expect(host, "libc pthread_self", "5");
    host_expect(host, "libc __errno_location", expected);
    must_apply(host, "revert all");
    finish();
}

/* ---- the kernel's return from a signal handler ---- */

/* Where this process's handlers return to, from libc's beginning; the host has the same libc. */
static uint64_t restorer_offset(void)
{
    struct {
        uintptr_t handler;
        unsigned long flags;
        uintptr_t restorer;
        uint64_t mask;
    } action = {0};
    struct sigaction own = {.sa_handler = SIG_IGN}, before;
    Dl_info info;

    assert_int_equal(sigaction(SIGUSR2, &own, &before), 0);
    assert_int_equal(syscall(SYS_rt_sigaction, SIGUSR2, NULL, &action, sizeof(action.mask)), 0);
    assert_int_equal(sigaction(SIGUSR2, &before, NULL), 0);
    assert_int_not_equal(dladdr((void *)(uintptr_t)getppid, &info), 0);
    return action.restorer - (uintptr_t)info.dli_fbase;
}

static void assert_not_offered(uint64_t offset)
{
    struct reply *reply =
        request(host, "slots kind=entry match=libc.so.6+0x%llx", (unsigned long long)offset);

    assert_int_equal(json_object_array_length(member(reply->json, "slots")), 0);
    reply_free(reply);
}

/* glibc's FDE begins a byte early: both addresses, and every other within it. */
static void the_signal_restorer_is_not_offered_and_refused_by_address(void **state)
{
    uint64_t restorer = restorer_offset();

    (void)state;
    start("entries");
    for (uint64_t offset = restorer - 1; offset < restorer + 9; offset++) {
        assert_not_offered(offset);
        assert_string_equal(outcome(host, "load fail=libc.so.6+0x%llx=0 nth=1000000000",
                                    (unsigned long long)offset),
                            "HP-NOT-PATCHABLE");
    }
    finish();
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_client_killed_at_any_moment_leaves_all_or_nothing),
        LIVE(a_client_killed_while_its_entry_is_armed_changes_nothing),
        LIVE(clients_that_race_for_one_entry_all_get_their_way),
        LIVE(a_library_that_leaves_meanwhile_is_patched_or_not_there),
        LIVE(what_is_no_place_is_refused),
        LIVE(targets_without_sense_are_refused),
        LIVE(one_function_by_two_names_is_replaced_twice_by_nobody),
        LIVE(a_place_among_the_bytes_of_a_jump_is_refused),
        LIVE(hundreds_of_libcs_functions_are_wrapped_at_once),
        LIVE(a_fault_is_decided_without_what_faults_stand_in),
        LIVE(the_signal_restorer_is_not_offered_and_refused_by_address),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("entry_rough", tests, NULL, NULL);
}
