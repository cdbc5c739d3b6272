/*
 * test_foreign_bytes.c - entries that others write to while they are armed: uprobes that the kernel sets and
 * removes, breakpoints and watches of gdb, a hook in the program. The host lives, and what status says is
 * what runs.
 */
#include "tests/support/entries.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/plant.h"

#define TRACING "/sys/kernel/tracing/"

/* Shapes that return 1. */
static const char *const shapes[] = {"straddles_word", "straddles_page", "branches",   "padded",
                                     "reads_near",     "hooked",         "hooked_wide"};
enum { SHAPES = sizeof(shapes) / sizeof(shapes[0]) };

static const char *ask_shape(const char *name)
{
    return host_ask(host, "shape %s", name);
}

static void assert_damaged(const char *name, const char *by)
{
    assert_string_equal(status_of(name, "damaged"), "true");
    assert_string_equal(said_of(name, "damaged"), "true");
    assert_string_equal(status_of(name, "damage.by"), by);
}

static void assert_sound(const char *name)
{
    assert_string_equal(status_of(name, "damaged"), "false");
    assert_string_equal(said_of(name, "damaged"), "false");
}

/* ---- the file's bytes are back ---- */

/* Where the entry says that it is safe beside uprobes, the old code runs. */
static void a_restored_first_byte_is_shown_survived_and_repaired(void **state)
{
    (void)state;
    start("entries");
    for (size_t i = 0; i < SHAPES; i++) {
        uintptr_t at = plant_address(host, shapes[i]);
        unsigned char file;

        plant_read(host, at, &file, 1);
        must_replace(shapes[i], "two");
        assert_string_equal(ask_shape(shapes[i]), "2");
        assert_sound(shapes[i]);
        plant_byte(host, at, file);
        assert_damaged(shapes[i], "uprobe");
        print_message("%s: %s, ", shapes[i], said_of(shapes[i], "technique"));
        print_message("safe beside uprobes: %s\n", said_of(shapes[i], "uprobe_safe"));
        if (strcmp(said_of(shapes[i], "uprobe_safe"), "true") == 0)
            assert_string_equal(ask_shape(shapes[i]), "1");
        must_apply(host, "reload");
        assert_sound(shapes[i]);
        assert_string_equal(ask_shape(shapes[i]), "2");
        must_apply(host, "revert all");
        assert_string_equal(ask_shape(shapes[i]), "1");
    }
    finish();
}

static void all_of_the_files_bytes_back_are_repaired(void **state)
{
    (void)state;
    start("entries");
    for (size_t i = 0; i < SHAPES; i++) {
        uintptr_t at = plant_address(host, shapes[i]);
        unsigned char file[8];

        plant_read(host, at, file, sizeof(file));
        must_replace(shapes[i], "two");
        plant(host, at, file, sizeof(file));
        assert_string_equal(ask_shape(shapes[i]), "1");
        assert_damaged(shapes[i], "uprobe");
        must_apply(host, "reload");
        assert_sound(shapes[i]);
        assert_string_equal(ask_shape(shapes[i]), "2");
        must_apply(host, "revert all");
    }
    finish();
}

static void the_doorbell_repairs_too(void **state)
{
    uintptr_t at;
    unsigned char file;

    (void)state;
    start("entries");
    at = plant_address(host, "second");
    plant_read(host, at, &file, 1);
    must_replace("second", "two");
    plant_byte(host, at, file);
    assert_damaged("second", "uprobe");
    assert_int_equal(kill(host->pid, SIGRTMIN + 12), 0);
    AWAIT(strcmp(status_of("second", "damaged"), "true") != 0, "the entry of second repaired");
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    finish();
}

/* One cannot be repaired; the other is all the same, and the first one named. */
static void what_can_be_repaired_is_beside_what_cannot(void **state)
{
    uintptr_t first, second;
    unsigned char file;
    struct reply *reply;

    (void)state;
    start("entries");
    first = plant_address(host, "second");
    second = plant_address(host, "hooked");
    plant_read(host, first, &file, 1);
    must_apply(host, "load replace=second=two replace=hooked=three %s", patch_file("entry_plain"));
    plant_byte(host, first, file);
    plant_byte(host, second, 0xcc);
    reply = request(host, "reload");
    assert_string_equal(reply->code, "HP-BREAKPOINT");
    assert_non_null(strstr(reply->text, "hooked"));
    reply_free(reply);
    assert_sound("second");
    host_expect(host, "second", "2");
    assert_damaged("hooked", "breakpoint");
    plant_byte(host, second, 0xe9);
    must_apply(host, "revert all");
    finish();
}

/* Calls go on in several threads while the first byte goes to and fro, as a uprobe makes it. */
static void threads_go_on_while_a_probe_comes_and_goes(void **state)
{
    uintptr_t at;
    unsigned char file, mine;

    (void)state;
    if (sanitized_for_threads())
        skip();
    start("entries");
    at = plant_address(host, "straddles_page");
    plant_read(host, at, &file, 1);
    must_apply(host, "load %s", patch_file("entry_shapes"));
    plant_read(host, at, &mine, 1);
    assert_string_equal(said_of("straddles_page", "uprobe_safe"), "true");
    host_expect(host, "threads 2", "started");
    for (int i = 0; i < 200; i++) {
        plant_byte(host, at, file);
        if (i % 2)
            must_apply(host, "reload");
        else
            plant_byte(host, at, mine);
    }
    host_expect(host, "stop-threads", "wrong 0");
    assert_sound("straddles_page");
    must_apply(host, "revert all");
    assert_unchanged(host);
    finish();
}

/* ---- a command's view ---- */

static void the_command_says_damaged_and_not_live(void **state)
{
    uintptr_t at;
    unsigned char file;
    char pid[16];
    struct output *output;

    (void)state;
    start("entries");
    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    at = plant_address(host, "second");
    plant_read(host, at, &file, 1);
    must_replace("second", "two");
    plant_byte(host, at, file);
    output = hotpatch(host, "status", pid, NULL);
    assert_int_equal(output->status, 0);
    assert_non_null(strstr(output->out, "damaged"));
    assert_null(strstr(output->out, "live"));
    output_free(output);
    output = hotpatch(host, "doctor", pid, NULL);
    assert_int_equal(output->status, 0);
    assert_non_null(strstr(output->out, "1 armed entry is damaged"));
    output_free(output);
    output = hotpatch(host, "slots", pid, "second", NULL);
    assert_non_null(strstr(output->out, "damaged"));
    output_free(output);
    output = hotpatch(host, "reload", pid, NULL);
    assert_int_equal(output->status, 0);
    assert_non_null(strstr(output->out, "repaired second"));
    output_free(output);
    output = hotpatch(host, "status", pid, NULL);
    assert_null(strstr(output->out, "damaged"));
    assert_non_null(strstr(output->out, "live"));
    output_free(output);
    output = hotpatch(host, "doctor", pid, NULL);
    assert_null(strstr(output->out, "damaged"));
    output_free(output);
    must_apply(host, "revert all");
    finish();
}

/* A load of something else tells of it. */
static void a_commit_warns_of_damaged_entries(void **state)
{
    uintptr_t at;
    unsigned char mine;
    struct reply *reply;

    (void)state;
    start("entries");
    at = plant_address(host, "hooked");
    must_replace("hooked", "two");
    plant_read(host, at, &mine, 1);
    plant_byte(host, at, 0xcc);
    reply = request(host, "load %s", patch_file("answer2"));
    assert_string_equal(reply->code, "apply");
    assert_non_null(strstr(member_text(reply->json, "warnings"), "hooked is damaged"));
    reply_free(reply);
    plant_byte(host, at, mine);
    must_apply(host, "revert all");
    finish();
}

/* ---- the kernel's uprobes ---- */

/* "" where it has gone well. */
static bool trace_write(const char *name, const char *text)
{
    int file = open(name, O_WRONLY | O_APPEND | O_CLOEXEC);
    bool done = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);

    if (file >= 0)
        close(file);
    return done;
}

/* Where in its file a function of the host lies. */
static unsigned long file_offset(const char *name)
{
    char path[64], line[600];
    unsigned long at = plant_address(host, name), begin, end, offset, found = 0;
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)host->pid);
    maps = fopen(path, "re");
    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps))
        if (sscanf(line, "%lx-%lx %*s %lx", &begin, &end, &offset) == 3 && at >= begin && at < end)
            found = at - begin + offset;
    fclose(maps);
    return found;
}

struct uprobe {
    char name[64], enable[200];
};

static bool uprobe_set(struct uprobe *probe, const char *function)
{
    char text[600], program[300], link[64];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/%d/exe", (int)host->pid);
    length = readlink(link, program, sizeof(program) - 1);
    assert_true(length > 0);
    program[length] = '\0';
    snprintf(probe->name, sizeof(probe->name), "hotpatch_%d/%s", (int)getpid(), function);
    snprintf(probe->enable, sizeof(probe->enable), TRACING "events/%s/enable", probe->name);
    snprintf(text, sizeof(text), "p:%s %s:0x%lx\n", probe->name, program, file_offset(function));
    return trace_write(TRACING "uprobe_events", text) && trace_write(probe->enable, "1");
}

static void uprobe_remove(const struct uprobe *probe)
{
    char text[100];

    assert_true(trace_write(probe->enable, "0"));
    snprintf(text, sizeof(text), "-:%s\n", probe->name);
    assert_true(trace_write(TRACING "uprobe_events", text));
}

static bool uprobes_there(void)
{
    return access(TRACING "uprobe_events", W_OK) == 0;
}

static void a_uprobe_on_an_armed_entry_leaves_the_old_code(void **state)
{
    (void)state;
    if (!uprobes_there())
        skip();
    start("entries");
    for (size_t i = 0; i < SHAPES; i++) {
        struct uprobe probe;
        unsigned char byte;

        must_replace(shapes[i], "two");
        assert_string_equal(ask_shape(shapes[i]), "2");
        if (!uprobe_set(&probe, shapes[i])) {
            print_message("%s: the kernel sets no uprobe here\n", shapes[i]);
            must_apply(host, "revert all");
            continue;
        }
        plant_read(host, plant_address(host, shapes[i]), &byte, 1);
        assert_int_equal(byte, 0xcc);
        assert_damaged(shapes[i], "breakpoint");
        if (strcmp(said_of(shapes[i], "uprobe_safe"), "true") == 0)
            assert_string_equal(ask_shape(shapes[i]), "1");
        assert_string_equal(outcome(host, "reload"), "HP-BREAKPOINT");
        uprobe_remove(&probe);
        assert_damaged(shapes[i], "uprobe");
        if (strcmp(said_of(shapes[i], "uprobe_safe"), "true") == 0)
            assert_string_equal(ask_shape(shapes[i]), "1");
        must_apply(host, "reload");
        assert_sound(shapes[i]);
        assert_string_equal(ask_shape(shapes[i]), "2");
        must_apply(host, "revert all");
    }
    assert_unchanged(host);
    finish();
}

static void a_function_with_a_uprobe_is_refused_until_it_is_removed(void **state)
{
    struct uprobe probe;

    (void)state;
    if (!uprobes_there())
        skip();
    start("entries");
    assert_true(uprobe_set(&probe, "second"));
    host_expect(host, "second", "10");
    assert_string_equal(replace("second", "two"), "HP-BREAKPOINT");
    host_expect(host, "second", "10");
    uprobe_remove(&probe);
    must_replace("second", "two");
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    host_expect(host, "second", "10");
    finish();
}

/* ---- gdb ---- */

static bool have(const char *program)
{
    struct output *output =
        run_program(NULL, (const char *[]){"sh", "-c", "command -v \"$0\"", program, NULL});
    bool found = output->status == 0;

    output_free(output);
    return found;
}

/* gdb, attached, that does `before`, says so and lets the program run until it is interrupted; then it
 * detaches. */
static pid_t gdb_start(const char *before, const char *commands)
{
    static const char *const nothing = "set $unused = 0";
    char pid[16], touch[300];
    const char *mark = host_path(host, "attached");
    pid_t gdb;

    snprintf(pid, sizeof(pid), "%d", (int)host->pid);
    snprintf(touch, sizeof(touch), "shell touch %s", mark);
    gdb = fork();
    if (gdb == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execlp("gdb", "gdb", "-nx", "-batch", "-p", pid, "-ex", before, "-ex",
               commands ? commands : nothing, "-ex", touch, "-ex", "continue", "-ex", "detach",
               (char *)NULL);
        _exit(127);
    }
    assert_true(gdb > 0);
    await_file(mark);
    assert_int_equal(unlink(mark), 0);
    return gdb;
}

static unsigned char byte_at(uintptr_t at)
{
    unsigned char byte;

    plant_read(host, at, &byte, 1);
    return byte;
}

/* It writes breakpoints when it lets the program go on. */
static void await_byte(uintptr_t at, unsigned char byte)
{
    AWAIT(byte_at(at) == byte, "byte 0x%02x at 0x%lx", byte, (unsigned long)at);
}

static void gdb_end(pid_t gdb)
{
    assert_int_equal(kill(gdb, SIGINT), 0);
    await_end(gdb);
}

static void break_at(uintptr_t at, char *text, size_t size)
{
    snprintf(text, size, "dprintf *0x%lx,\"\"", (unsigned long)at);
}

static void a_breakpoint_of_gdb_before_the_load_is_refused(void **state)
{
    char at_second[64];
    uintptr_t at;
    pid_t gdb;

    (void)state;
    if (sanitized() || !have("gdb"))
        skip();
    start("entries");
    at = plant_address(host, "second");
    break_at(at, at_second, sizeof(at_second));
    host_listen(host); /* gdb stops the program at a signal */
    gdb = gdb_start(at_second, NULL);
    await_byte(at, 0xcc);
    assert_string_equal(replace("second", "two"), "HP-BREAKPOINT");
    host_expect(host, "second", "10");
    gdb_end(gdb);
    must_replace("second", "two");
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    host_expect(host, "second", "10");
    finish();
}

/* gdb saves the jump, steps over it, and puts it back when it leaves. */
static void a_breakpoint_of_gdb_on_an_armed_entry_comes_and_goes(void **state)
{
    char at_second[64];
    uintptr_t at;
    pid_t gdb;

    (void)state;
    if (sanitized() || !have("gdb"))
        skip();
    start("entries");
    at = plant_address(host, "second");
    must_replace("second", "two");
    break_at(at, at_second, sizeof(at_second));
    gdb = gdb_start(at_second, NULL);
    await_byte(at, 0xcc);
    assert_damaged("second", "breakpoint");
    host_expect(host, "second", "2");
    assert_string_equal(replace("second", "nine"), "HP-BREAKPOINT");
    assert_string_equal(outcome(host, "reload"), "HP-BREAKPOINT");
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    host_expect(host, "second", "10");
    gdb_end(gdb);
    assert_string_equal(said_of("second", "damaged"), "false");
    must_replace("second", "nine");
    host_expect(host, "second", "9");
    must_apply(host, "revert all");
    finish();
}

static void a_hardware_watch_of_gdb_does_not_matter(void **state)
{
    char watch[64];
    uintptr_t at;
    pid_t gdb;

    (void)state;
    if (sanitized() || !have("gdb"))
        skip();
    start("entries");
    at = plant_address(host, "second");
    snprintf(watch, sizeof(watch), "watch -l *(int *)0x%lx", (unsigned long)at);
    gdb = gdb_start("set can-use-hw-watchpoints 1", watch);
    must_replace("hooked", "two");
    assert_string_equal(ask_shape("hooked"), "2");
    assert_sound("hooked");
    must_apply(host, "revert all");
    assert_string_equal(ask_shape("hooked"), "1");
    gdb_end(gdb);
    must_replace("second", "two");
    host_expect(host, "second", "2");
    must_apply(host, "revert all");
    finish();
}

/* ---- a hook in the program ---- */

static const char *hooked; /* the function */

static void hook(const char *how)
{
    char question[40];

    snprintf(question, sizeof(question), "%s%s", how, strcmp(hooked, "hooked") == 0 ? "" : " wide");
    host_expect(host, strcmp(how, "unhook") == 0 ? how : question,
                strcmp(how, "unhook") == 0 ? "unhooked" : "hooked");
}

/* Armed, hooked, switched, unhooked, reverted. */
static void hook_over_an_armed_entry(const char *how)
{
    start("entries");
    must_replace(hooked, "two");
    assert_sound(hooked);
    hook(how);
    assert_string_equal(ask_shape(hooked), "102");
    assert_damaged(hooked, "jump");
    assert_string_equal(replace(hooked, "nine"), "HP-BREAKPOINT");
    assert_string_equal(outcome(host, "reload"), "HP-BREAKPOINT");
    assert_string_equal(ask_shape(hooked), "102");
    hook("unhook");
    assert_sound(hooked);
    assert_string_equal(ask_shape(hooked), "2");
    must_replace(hooked, "nine");
    assert_string_equal(ask_shape(hooked), "9");
    must_apply(host, "revert all");
    assert_string_equal(ask_shape(hooked), "1");
    finish();
}

/* Armed, hooked, reverted while hooked, unhooked. */
static void revert_below_a_hook(const char *how)
{
    start("entries");
    must_replace(hooked, "two");
    hook(how);
    must_apply(host, "revert all");
    assert_string_equal(ask_shape(hooked), "101");
    assert_string_equal(replace(hooked, "two"), "HP-BREAKPOINT");
    assert_string_equal(ask_shape(hooked), "101");
    hook("unhook");
    assert_string_equal(ask_shape(hooked), "1");
    must_replace(hooked, "three");
    assert_sound(hooked);
    assert_string_equal(ask_shape(hooked), "3");
    must_apply(host, "revert all");
    finish();
}

/* Hooked, refused, unhooked, armed, reverted, hooked again over what is armed and switched off. */
static void arm_below_a_hook(const char *how)
{
    start("entries");
    hook(how);
    assert_string_equal(replace(hooked, "two"), "HP-BREAKPOINT");
    assert_string_equal(ask_shape(hooked), "101");
    must_apply(host, "reload");
    hook("unhook");
    must_replace(hooked, "two");
    assert_string_equal(ask_shape(hooked), "2");
    must_apply(host, "revert all");
    hook(how);
    assert_string_equal(ask_shape(hooked), "101");
    assert_string_equal(replace(hooked, "nine"), "HP-BREAKPOINT");
    hook("unhook");
    assert_string_equal(ask_shape(hooked), "1");
    must_replace(hooked, "nine");
    assert_string_equal(ask_shape(hooked), "9");
    must_apply(host, "revert all");
    finish();
}

static void in_each_order(const char *function, const char *how)
{
    hooked = function;
    hook_over_an_armed_entry(how);
    revert_below_a_hook(how);
    arm_below_a_hook(how);
}

static void a_near_hook_in_each_order(void **state)
{
    (void)state;
    in_each_order("hooked", "hook-near");
    in_each_order("hooked_wide", "hook-near");
}

static void a_far_hook_in_each_order(void **state)
{
    (void)state;
    in_each_order("hooked", "hook-far");
    in_each_order("hooked_wide", "hook-far");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_restored_first_byte_is_shown_survived_and_repaired),
        LIVE(all_of_the_files_bytes_back_are_repaired),
        LIVE(the_doorbell_repairs_too),
        LIVE(what_can_be_repaired_is_beside_what_cannot),
        LIVE(threads_go_on_while_a_probe_comes_and_goes),
        LIVE(the_command_says_damaged_and_not_live),
        LIVE(a_commit_warns_of_damaged_entries),
        LIVE(a_uprobe_on_an_armed_entry_leaves_the_old_code),
        LIVE(a_function_with_a_uprobe_is_refused_until_it_is_removed),
        LIVE(a_breakpoint_of_gdb_before_the_load_is_refused),
        LIVE(a_breakpoint_of_gdb_on_an_armed_entry_comes_and_goes),
        LIVE(a_hardware_watch_of_gdb_does_not_matter),
        LIVE(a_near_hook_in_each_order),
        LIVE(a_far_hook_in_each_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
