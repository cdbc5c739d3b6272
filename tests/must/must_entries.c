/*
 * must_entries.c - functions of prebuilt programs, replaced at their entries in whatever the program
 * has done to itself; see must.h. tests/test_entr*.c look at each closer.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/must/must.h"

static const char *replace(struct host *host, const char *target, const char *symbol)
{
    return outcome(host, "load replace=%s=%s %s", target, symbol, patch_file("entry_plain"));
}

/* `load` of entry_plain with these keys; where it applied the question is answered by 2. */
const char *becomes_two(struct host *host, const char *keys, const char *question,
                        const char *before)
{
    host_expect(host, question, before);
    const char *code = outcome(host, "load %s %s", keys, patch_file("entry_plain"));
    if (strcmp(code, "apply") != 0)
        return code;
    host_expect(host, question, "2");
    must_apply(host, "revert last");
    host_expect(host, question, before);
    return code;
}

#define ENTRY(name, target, question, before)                                 \
    static const char *name(struct host *host)                                \
    {                                                                         \
        return becomes_two(host, "replace=" target "=two", question, before); \
    }

ENTRY(entry_static, "answer", "answer", "1")
ENTRY(entry_exported, "exported_answer", "exported", "1")
ENTRY(entry_in_exe, "exe:answer", "pointer", "1")
ENTRY(entry_in_stripped, "exported_answer", "exported", "1")
ENTRY(entry_in_non_pie, "straddles_page", "shape straddles_page", "1")
ENTRY(entry_with_cet, "answer", "answer", "1")
ENTRY(entry_patchable_padding, "padded", "shape padded", "1")
ENTRY(entry_over_a_word, "straddles_word", "shape straddles_word", "1")
ENTRY(entry_over_a_cache_line, "straddles_line", "shape straddles_line", "1")
ENTRY(entry_over_a_page, "straddles_page", "shape straddles_page", "1")
ENTRY(entry_relative_data, "reads_near", "shape reads_near", "1")
ENTRY(entry_short_branch, "branches", "shape branches", "1")
ENTRY(entry_first_is_a_call, "calls_first", "shape calls_first", "1")
ENTRY(entry_shorter_than_a_long_jump, "short_three", "shape short_three", "0")
ENTRY(entry_loop_behind_the_first, "jumps_back", "shape jumps_back", "1")
ENTRY(entry_loop_at_a_boundary, "jumps_back_early", "shape jumps_back_early", "1")
ENTRY(entry_jumped_into_early, "jumped_into_early", "shape jumped_into_early", "1")
ENTRY(entry_short_with_padding, "short_four", "shape short_four", "1")
ENTRY(entry_overlapped, "overlapped", "answer", "1")
ENTRY(entry_too_short, "too_short", "answer", "1")
ENTRY(entry_call_inside, "call_inside", "answer", "1")
ENTRY(entry_name_stripped, "second", "second", "10")
ENTRY(entry_ambiguous, "twin", "twins", "10 20")
ENTRY(entry_file_unknown, "twin@entries_third.c", "twins", "10 20")
ENTRY(entry_inside_function, "exe+0x1", "answer", "1")

/* The other function does what it did. */
static const char *entry_jumped_into(struct host *host)
{
    const char *code = outcome(host, "load replace=jumped_into=two %s", patch_file("entry_plain"));
    host_expect(host, "shape jumped_into", "2");
    host_expect(host, "shape jumps_into", "1");
    must_apply(host, "revert last");
    host_expect(host, "shape jumped_into", "1");
    return code;
}

static const char *entry_of_declared_patch(struct host *host)
{
    const char *code = load_and_ask(host, "answer2", "answer", "1", "2");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    return code;
}

static const char *entry_file_picks_one(struct host *host)
{
    host_expect(host, "twins", "10 20");
    const char *code = replace(host, "twin@entries_twin.c", "two");
    host_expect(host, "twins", "10 2");
    must_apply(host, "revert all");
    host_expect(host, "twins", "10 20");
    return code;
}

static const char *entry_in_library(struct host *host)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libentries.so")), "opened");
    const char *code =
        becomes_two(host, "replace=libentries.so:hidden_answer=two", "call library_direct", "30");
    host_expect(host, "dlclose", "closed");
    return code;
}

static const char *entry_indirect(struct host *host)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libentries.so")), "opened");
    host_expect(host, "call library_indirect", "51");
    const char *code = replace(host, "libentries.so:library_chosen", "two");
    host_expect(host, "call library_indirect", "3");
    must_apply(host, "revert all");
    host_expect(host, "call library_indirect", "51");
    return code;
}

/* Nobody returns from a signal handler there; it is refused by what it is. */
static const char *entry_signal_frame(struct host *host)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libentries.so")), "opened");
    return replace(host, "libentries.so:library_restorer", "two");
}

static const char *entry_signal_return_unframed(struct host *host)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libentries.so")), "opened");
    return replace(host, "libentries.so:library_restorer_unframed", "two");
}

static const char *entry_of_refused_library(struct host *host)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libentries.so")), "opened");
    host_expect(host, "spinners-without-signals 1", "started");
    const char *code =
        outcome(host, "load replace=libentries.so:in_library=two replace=straddles_page=two %s",
                patch_file("entry_plain"));
    host_expect(host, "dlclose", "closed");
    host_expect(host, "stop-threads", "wrong 0");
    if (strcmp(replace(host, "libentries.so:in_library", "two"), "HP-NO-TARGET") != 0)
        return "it is still there";
    return code;
}

static const char *entry_of_main(struct host *host)
{
    return load(host, "entry_main");
}

static const char *entry_data_for_function(struct host *host)
{
    return load(host, "entry_data");
}

static const char *entry_fault(struct host *host)
{
    must_apply(host, "load fail=answer=7");
    host_expect(host, "answer", "7");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    return "apply";
}

/* ---- what the program has done to itself ---- */

static const char *under_threads(struct host *host, const char *threads)
{
    host_expect(host, threads, "started");
    for (int i = 0; i < 5; i++) {
        must_apply(host, "load %s", patch_file("answer2"));
        host_expect(host, "answer", "2");
        must_apply(host, "load %s", patch_file("entry_shapes"));
        host_expect(host, "shape straddles_page", "5");
        must_apply(host, "revert all");
        host_expect(host, "answer", "1");
    }
    host_expect(host, "stop-threads", "wrong 0");
    return "apply";
}

static const char *entry_under_threads(struct host *host)
{
    return under_threads(host, "threads 4");
}

static const char *entry_under_threads_in_non_pie(struct host *host)
{
    return under_threads(host, "threads 4");
}

/* Such threads survive no trap: what one store, or one of two bytes, can hold. */
static const char *under_mute_threads(struct host *host, const char *threads)
{
    host_expect(host, threads, "started");
    for (int i = 0; i < 5; i++) {
        must_apply(host, "load %s", patch_file("answer2"));
        host_expect(host, "answer", "2");
        must_apply(host, "load replace=padded=three replace=branches=nine %s",
                   patch_file("entry_plain"));
        host_expect(host, "shape padded", "3");
        host_expect(host, "shape branches", "9");
        must_apply(host, "revert all");
        host_expect(host, "shape padded", "1");
    }
    host_expect(host, "stop-threads", "wrong 0");
    return "apply";
}

/* A byte long is its first instruction, and the second lies in another word or page. */
static const char *beside_mute_sleeper(struct host *host, const char *function)
{
    char shape[64];

    snprintf(shape, sizeof(shape), "shape %s", function);
    host_expect(host, "sleepers-without-signals 1", "started");
    const char *code =
        outcome(host, "load timeout=200 replace=%s=two %s", function, patch_file("entry_plain"));
    host_expect(host, shape, strcmp(code, "apply") == 0 ? "2" : "1");
    outcome(host, "revert all");
    host_expect(host, shape, "1");
    host_expect(host, "stop-threads", "wrong 0");
    return code;
}

static const char *entry_mute_thread_and_word_straddled(struct host *host)
{
    return beside_mute_sleeper(host, "straddles_word");
}

static const char *entry_mute_thread_and_page_straddled(struct host *host)
{
    return beside_mute_sleeper(host, "straddles_page");
}

/* The kernel's own threads block every signal, and never come to the function. Where the kernel gives no
 * ring there are none. */
static const char *entry_beside_ring_workers(struct host *host)
{
    host_ask(host, "ring-workers 3");
    for (int i = 0; i < 2; i++) {
        const char *code = outcome(host, "load timeout=200 replace=straddles_page=two %s",
                                   patch_file("entry_plain"));

        if (strcmp(code, "apply") != 0)
            return code;
        host_expect(host, "shape straddles_page", "2");
        must_apply(host, "revert all");
        host_expect(host, "shape straddles_page", "1");
    }
    return "apply";
}

static const char *entry_mute_thread_under_mdwe(struct host *host)
{
    const char *heard = host_ask(host, "mdwe");
    if (strcmp(heard, "set") != 0)
        assert_string_equal(heard, strerror(EINVAL));
    return beside_mute_sleeper(host, "answer");
}

static const char *entry_mute_thread_under_filter(struct host *host)
{
    host_expect(host, "forbid-exec", "forbidden");
    return beside_mute_sleeper(host, "answer");
}

static const char *entry_threads_block_sigtrap(struct host *host)
{
    return under_mute_threads(host, "threads-without-sigtrap 2");
}

static const char *entry_threads_block_every_signal(struct host *host)
{
    return under_mute_threads(host, "threads-without-signals 2");
}

static const char *entry_spinner_blocks_every_signal(struct host *host)
{
    host_expect(host, "spinners-without-signals 1", "started");
    const char *code =
        outcome(host, "load timeout=200 replace=straddles_page=two %s", patch_file("entry_plain"));
    host_expect(host, "stop-threads", "wrong 0");
    return code;
}

/* Functions at every kind of place, armed for the first time. */
static const char *beside_habits(struct host *host, const char *threads)
{
    static const char *const functions[] = {"answer",         "exported_answer", "straddles_word",
                                            "straddles_line", "straddles_page",  "padded"};

    host_expect(host, threads, "started");
    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        const char *code = outcome(host, "load timeout=20000 replace=%s=two %s", functions[i],
                                   patch_file("entry_plain"));

        if (strcmp(code, "apply") != 0)
            return code;
        must_apply(host, "revert all");
    }
    host_expect(host, "stop-threads", "wrong 0");
    return "apply";
}

static const char *entry_masks_alternate(struct host *host)
{
    return beside_habits(host, "maskers 6");
}

static const char *entry_handlers_block_all(struct host *host)
{
    return beside_habits(host, "handlers 1");
}

static const char *entry_sigtrap_is_reset(struct host *host)
{
    return beside_habits(host, "resetters 1");
}

static const char *entry_vfork_children_reset_sigtrap(struct host *host)
{
    return beside_habits(host, "vforkers 1");
}

static const char *entry_programs_are_spawned(struct host *host)
{
    return beside_habits(host, "spawners 2");
}

static const char *entry_copied_past_fork(struct host *host)
{
    return beside_habits(host, "copiers 1");
}

static const char *entry_spinner_relents(struct host *host)
{
    host_expect(host, "brief-spinner-without-signals 1500", "started");
    const char *code = outcome(host, "load timeout=20000 replace=straddles_page=two %s",
                               patch_file("entry_plain"));
    host_expect(host, "shape straddles_page", "2");
    must_apply(host, "revert all");
    host_expect(host, "stop-threads", "wrong 0");
    return code;
}

/* An entry that could be armed, and one that could not: neither is. */
static const char *entry_second_not_armed(struct host *host)
{
    host_expect(host, "spinners-without-signals 1", "started");
    const char *code = outcome(host, "load replace=answer=two replace=straddles_page=two %s",
                               patch_file("entry_plain"));
    host_expect(host, "answer", "1");
    host_expect(host, "stop-threads", "wrong 0");
    return code;
}

static const char *entry_children_forked_meanwhile(struct host *host)
{
    return under_threads(host, "forkers 2");
}

static const char *entry_sleeper_blocks_every_signal(struct host *host)
{
    host_expect(host, "sleepers-without-signals 2", "started");
    return under_mute_threads(host, "threads 2");
}

static const char *entry_own_sigtrap_handler(struct host *host)
{
    host_expect(host, "take-sigtrap", "taken");
    const char *code = under_threads(host, "threads 4");
    host_expect(host, "trap", "1");
    return code;
}

/* A kernel without it has nothing to hold. */
static const char *entry_under_mdwe(struct host *host)
{
    const char *heard = host_ask(host, "mdwe");
    if (strcmp(heard, "set") != 0)
        assert_string_equal(heard, strerror(EINVAL));
    return under_threads(host, "threads 2");
}

/* Neither ld.so nor pthread_create(3) can do without: a fault needs no file. */
static const char *entry_mprotect_forbidden(struct host *host)
{
    host_expect(host, "threads 2", "started");
    must_apply(host, "load dry-run=1 fail=answer=7"); /* the engine itself is a file */
    host_expect(host, "forbid-mprotect", "forbidden");
    must_apply(host, "begin\nload fail=answer=7\nload fail=straddles_page=6\ncommit");
    host_expect(host, "answer", "7");
    host_expect(host, "shape straddles_page", "6");
    must_apply(host, "revert all");
    host_expect(host, "stop-threads", "wrong 0");
    host_expect(host, "shape straddles_page", "1");
    return "apply";
}

static const char *entry_executable_mprotect_forbidden(struct host *host)
{
    host_expect(host, "forbid-exec", "forbidden");
    return under_threads(host, "threads 2");
}

/* ---- 300 MB of text; brk(2) must go on past what is mapped for the stubs ---- */

static const char *both_ends(struct host *host)
{
    host_expect(host, "apart", "300");
    host_expect(host, "grow 16", "grown");
    must_apply(host, "load replace=near_end=two replace=far_end=nine %s",
               patch_file("entry_plain"));
    host_expect(host, "near", "2");
    host_expect(host, "far", "9");
    host_expect(host, "grow 512", "grown");
    must_apply(host, "revert all");
    host_expect(host, "near", "1");
    host_expect(host, "far", "10");
    return "apply";
}

static const char *entry_in_300_megabytes(struct host *host)
{
    return both_ends(host);
}

static const char *entry_in_300_megabytes_of_non_pie(struct host *host)
{
    return both_ends(host);
}

static const char *entry_forked_child_apart(struct host *host)
{
    must_apply(host, "load %s", patch_file("answer2"));
    host_become(host, "fork");
    host_expect(host, "answer", "2");
    const char *code = becomes_two(host, "replace=second=two", "second", "10");
    must_apply(host, "revert all");
    host_expect(host, "answer", "1");
    return code;
}

/* ---- debuggers ---- */

static pid_t spawn(const char *const *argv)
{
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp(argv[0], (char *const *)argv);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static const char *entry_under_gdb(struct host *host)
{
    char pid[16], touch[300];
    const char *mark = host_path(host, "attached");
    if (sanitized())
        skip();
    need_program("gdb");
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    snprintf(touch, sizeof(touch), "shell touch %s", mark);
    pid_t gdb = spawn((const char *[]){"gdb", "-nx", "-batch", "-p", pid, "-ex", touch, "-ex",
                                       "continue", "-ex", "detach", NULL});
    await_file(mark);
    const char *code = becomes_two(host, "replace=answer=two", "answer", "1");
    kill(gdb, SIGINT);
    await_end(gdb);
    host_expect(host, "answer", "1");
    return code;
}

/* Another host, under it: every instruction of it is made anew, and no jump is met by a processor. The
 * shell has a FIFO when it becomes valgrind. One that its listener has just made, and not yet marked as this
 * process's, would be kept, as maybe another's: the shell waits for the status file, and valgrind's own script
 * is not injected. Debian's valgrind gives up on the debug information that clang writes: the host and its shim
 * have none. */
static const char *entry_under_valgrind(struct host *host)
{
    static const char script[] =
        "#!/bin/sh\n"
        "bare=${0%/*}/libhotpatch_preload.so\n"
        "objcopy -g \"$SHIM\" \"$bare\" || exit 1\n"
        "case $HOTPATCH_LISTEN in start) file=$$.json ;; *) file=$$.fifo ;; esac\n"
        "while ! [ -e \"$HOTPATCH_DIR/$file\" ]; do :; done\n"
        "LD_PRELOAD= exec valgrind -q --trace-children=yes env LD_PRELOAD=\"$bare\" "
        "\"$HOST_PROGRAM\"\n";
    static const char refused[] = "HP-NOT-LISTENING";
    const char *run = host_path(host, "run-valgrind");
    char program[300], shim[300], pid[16];

    if (sanitized())
        skip();
    need_program("valgrind");
    snprintf(program, sizeof(program), "HOST_PROGRAM=%s", built("hosts/entries-stripped"));
    snprintf(shim, sizeof(shim), "SHIM=%s", built("libhotpatch_preload.so"));
    file_write(run, script, strlen(script), 0700);
    struct host *slow = host_start_unarmed(run, (const char *[]){program, shim, NULL});
    snprintf(pid, sizeof(pid), "%d", (int)slow->pid);
    struct output *load = hotpatch(slow, "load", pid, patch_file("answer2"), NULL);
    if (load->status != 3 || !strstr(load->error, refused))
        fail_msg("load: exit status %d, %s", load->status, load->error);
    output_free(load);
    struct output *doctor = hotpatch(slow, "doctor", pid, NULL);
    assert_non_null(strstr(doctor->out, "valgrind"));
    output_free(doctor);
    host_expect(slow, "answer", "1");
    host_stop(slow);
    return refused;
}

/* Another host, under it. In the shell that becomes the emulator the shim does nothing. */
static struct host *start_emulated(struct host *host, const char *listen)
{
    static const char script[] = "#!/bin/sh\n"
                                 "unset LD_PRELOAD HOTPATCH_DISABLE\n"
                                 "exec qemu-x86_64 -E \"LD_PRELOAD=$SHIM\" \"$HOST_PROGRAM\"\n";
    const char *run = host_path(host, "run-emulated");
    char program[300], shim[300];

    if (sanitized()) /* qemu-user has not the address space that a sanitizer takes */
        skip();
    need_program("qemu-x86_64");
    snprintf(program, sizeof(program), "HOST_PROGRAM=%s", built("hosts/host"));
    snprintf(shim, sizeof(shim), "SHIM=%s", built("libhotpatch_preload.so"));
    file_write(run, script, strlen(script), 0700);
    return host_start_unarmed(run,
                              (const char *[]){program, shim, listen, "HOTPATCH_DISABLE=1", NULL});
}

/* `question` has that answer afterwards. */
static void emulated_load(struct host *host, const char *patch, const char *replace, int status,
                          const char *question, const char *answer)
{
    char pid[16];
    struct output *load;

    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    load = replace ? hotpatch(host, "load", pid, patch_file(patch), "--replace", replace, NULL)
                   : hotpatch(host, "load", pid, patch_file(patch), NULL);
    if (load->status != status || (status && !strstr(load->error, "HP-EMULATED")))
        fail_msg("load of %s: exit status %d, %s", patch, load->status, load->error);
    output_free(load);
    host_expect(host, question, answer);
}

/* Of the program, of nothing, and of a library, which nobody imports. */
static const char *entry_under_an_emulator(struct host *host)
{
    struct host *slow = start_emulated(host, "HOTPATCH_LISTEN=start");

    emulated_load(slow, "entry_plain", "main=two", 1, "answer", "1");
    emulated_load(slow, "entry_plain", "nothing_of_that_name=two", 1, "answer", "1");
    emulated_load(slow, "entry_plain", "libc.so.6:strfry=two", 1, "answer", "1");
    host_stop(slow);
    return "HP-EMULATED";
}

static const char *declared_under_an_emulator(struct host *host)
{
    struct host *slow = start_emulated(host, "HOTPATCH_LISTEN=start");

    emulated_load(slow, "answer2", NULL, 0, "answer", "2");
    emulated_load(slow, "import_getenv", NULL, 0, "answer", "2");
    host_stop(slow);
    return "apply";
}

/* It would end: the signal reaches the program under another number. */
static const char *first_ring_under_an_emulator(struct host *host)
{
    struct host *slow = start_emulated(host, "HOTPATCH_LISTEN=first-ring");

    emulated_load(slow, "answer2", NULL, 1, "answer", "1");
    host_stop(slow);
    return "HP-EMULATED";
}

#define IN_ENTRIES(name) CASE_IN(name, "entries")

const struct must_case must_entries[] = {
    IN_ENTRIES(entry_static),
    IN_ENTRIES(entry_exported),
    IN_ENTRIES(entry_in_exe),
    IN_ENTRIES(entry_of_declared_patch),
    CASE_IN(entry_in_stripped, "entries-stripped"),
    CASE_IN(entry_name_stripped, "entries-stripped"),
    CASE_IN(entry_in_non_pie, "entries-nopie"),
    CASE_IN(entry_with_cet, "entries-cet"),
    IN_ENTRIES(entry_patchable_padding),
    IN_ENTRIES(entry_over_a_word),
    IN_ENTRIES(entry_over_a_cache_line),
    IN_ENTRIES(entry_over_a_page),
    IN_ENTRIES(entry_relative_data),
    IN_ENTRIES(entry_short_branch),
    IN_ENTRIES(entry_first_is_a_call),
    IN_ENTRIES(entry_file_picks_one),
    IN_ENTRIES(entry_in_library),
    IN_ENTRIES(entry_indirect),
    IN_ENTRIES(entry_signal_frame),
    IN_ENTRIES(entry_shorter_than_a_long_jump),
    IN_ENTRIES(entry_loop_behind_the_first),
    IN_ENTRIES(entry_loop_at_a_boundary),
    IN_ENTRIES(entry_jumped_into),
    IN_ENTRIES(entry_jumped_into_early),
    IN_ENTRIES(entry_signal_return_unframed),
    IN_ENTRIES(entry_of_refused_library),
    IN_ENTRIES(entry_of_main),
    IN_ENTRIES(entry_fault),
    IN_ENTRIES(entry_short_with_padding),
    IN_ENTRIES(entry_overlapped),
    IN_ENTRIES(entry_too_short),
    IN_ENTRIES(entry_call_inside),
    IN_ENTRIES(entry_ambiguous),
    IN_ENTRIES(entry_file_unknown),
    IN_ENTRIES(entry_inside_function),
    IN_ENTRIES(entry_data_for_function),
    IN_ENTRIES(entry_under_threads),
    CASE_IN(entry_under_threads_in_non_pie, "entries-nopie"),
    IN_ENTRIES(entry_threads_block_sigtrap),
    IN_ENTRIES(entry_threads_block_every_signal),
    IN_ENTRIES(entry_spinner_blocks_every_signal),
    IN_ENTRIES(entry_spinner_relents),
    IN_ENTRIES(entry_masks_alternate),
    IN_ENTRIES(entry_handlers_block_all),
    IN_ENTRIES(entry_sigtrap_is_reset),
    IN_ENTRIES(entry_vfork_children_reset_sigtrap),
    IN_ENTRIES(entry_programs_are_spawned),
    IN_ENTRIES(entry_copied_past_fork),
    IN_ENTRIES(entry_mute_thread_and_word_straddled),
    IN_ENTRIES(entry_mute_thread_and_page_straddled),
    IN_ENTRIES(entry_beside_ring_workers),
    IN_ENTRIES(entry_mute_thread_under_mdwe),
    IN_ENTRIES(entry_mute_thread_under_filter),
    IN_ENTRIES(entry_sleeper_blocks_every_signal),
    IN_ENTRIES(entry_second_not_armed),
    IN_ENTRIES(entry_children_forked_meanwhile),
    IN_ENTRIES(entry_own_sigtrap_handler),
    IN_ENTRIES(entry_under_mdwe),
    IN_ENTRIES(entry_mprotect_forbidden),
    IN_ENTRIES(entry_executable_mprotect_forbidden),
    IN_ENTRIES(entry_forked_child_apart),
    IN_ENTRIES(entry_under_gdb),
    IN_ENTRIES(entry_under_valgrind),
    IN_ENTRIES(entry_under_an_emulator),
    IN_ENTRIES(declared_under_an_emulator),
    IN_ENTRIES(first_ring_under_an_emulator),
    CASE_IN(entry_in_300_megabytes, "wide"),
    CASE_IN(entry_in_300_megabytes_of_non_pie, "wide-nopie"),
    CASES_END,
};
