/*
 * test_slots_large.c - the list of what can be patched in a program of 50,000 functions and 5,000 imports: all
 * of them are in it, it ends when its time is up, and it is left off when nobody waits for it.
 */
#include <json-c/json.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/directory.h"
#include "tests/support/harness.h"

enum { FUNCTIONS = 50000, IMPORTS = 5000, FEW = 40, TRIES = 20 };

static const char *host_program;

/* ---- the program ---- */

static FILE *begin(const char *name)
{
    FILE *file = fopen(directory_path(name), "w");

    assert_non_null(file);
    fprintf(file, ".text\n");
    return file;
}

static void write_function(FILE *file, const char *prefix, int i, const char *call)
{
    fprintf(file,
            ".globl %s%d\n.type %s%d, @function\n.p2align 4\n%s%d:\n.cfi_startproc\n"
            "push %%rbx\nmov %%edi, %%ebx\n%s\nlea %d(%%rbx), %%eax\npop %%rbx\nret\n"
            ".cfi_endproc\n.size %s%d, . - %s%d\n",
            prefix, i, prefix, i, prefix, i, call, i, prefix, i, prefix, i);
}

static void end(FILE *file)
{
    fprintf(file, ".section .note.GNU-stack, \"\", @progbits\n");
    assert_int_equal(fclose(file), 0);
}

static void write_sources(void)
{
    static const char main_c[] =
        "#include <hosts/loop.h>\n#include <sys/mman.h>\n#include <stdint.h>\n"
        "int work1(int), work2(int);\n"
        "static void spoil(unsigned char *code)\n"
        "{ mprotect((void *)((uintptr_t)code & -4096), 8192, PROT_READ | PROT_WRITE | PROT_EXEC);\n"
        "  *code = 0xcc; }\n"
        "static void command(const char *word, char *rest)\n"
        "{ if (!strcmp(word, \"spoil\")) spoil((unsigned char *)work2);\n"
        "  say(\"%d\", work1((int)strlen(word)) + !rest); }\n"
        "int main(void) { return loop(); }\n";
    static const char patch_c[] = "#include <hotpatch.h>\nHOTPATCH_MODULE(\"few\", \"1\");\n"
                                  "HOTPATCH_REPLACE(int, work1, (int n)) { return 2 * n; }\n";
    FILE *library = begin("library.s"), *program = begin("program.s"), *few = begin("few.s");

    for (int i = 0; i < IMPORTS; i++)
        write_function(library, "imported", i, "");
    for (int i = 0; i < FUNCTIONS; i++) {
        char call[64] = "";

        if (i < IMPORTS)
            snprintf(call, sizeof(call), "call imported%d@PLT", i);
        write_function(program, "work", i, call);
    }
    for (int i = 0; i < FEW; i++)
        write_function(few, "work", i, i == 3 ? "call puts@PLT" : "");
    end(library);
    end(program);
    end(few);
    file_write(directory_path("patch.c"), patch_c, strlen(patch_c), 0644);
    file_write(directory_path("main.c"), main_c, strlen(main_c), 0644);
}

static int build(void **state)
{
    char command[2048];

    if (directory_make(state) != 0)
        return -1;
    write_sources();
    snprintf(
        command, sizeof(command),
        "cd %s && gcc -shared -Wl,-soname,libmany.so -o libmany.so library.s && "
        "gcc -rdynamic -I%s -o many main.c program.s ./libmany.so -Wl,-rpath,%s && "
        "gcc -no-pie -I%s -Wl,--hash-style=sysv -o fixed main.c program.s ./libmany.so "
        "-Wl,-rpath,%s && "
        "gcc -rdynamic -I%s -o few main.c few.s && gcc -no-pie -s -I%s -o few-fixed main.c few.s "
        "&& gcc -shared -fPIC -I%s -o patch.so patch.c",
        directory, source_file("tests"), directory, source_file("tests"), directory,
        source_file("tests"), source_file("tests"), source_file("include"));
    return system(command);
}

/* ---- what is listed ---- */

static size_t count_named(json_object *slots, const char *kind, const char *prefix)
{
    size_t count = 0;

    for (size_t i = 0; i < json_object_array_length(slots); i++) {
        json_object *slot = json_object_array_get_idx(slots, i);

        count += strcmp(member_text(slot, "kind"), kind) == 0 &&
                 strncmp(member_text(slot, "name"), prefix, strlen(prefix)) == 0 &&
                 json_object_get_boolean(member(slot, "patchable"));
    }
    return count;
}

static void list_all_of(const char *program)
{
    struct host *host = host_start(directory_path(program), NULL);
    char pid[16];
    struct output *output;
    json_object *answer, *slots;

    snprintf(pid, sizeof(pid), "%d", host->pid);
    output = hotpatch(host, "slots", "--json", "--timeout=600000", pid, NULL);
    assert_int_equal(output->status, 0);
    answer = json_tokener_parse(output->out);
    slots = member(answer, "slots");
    assert_int_equal(count_named(slots, "entry", "work"), FUNCTIONS);
    assert_int_equal(count_named(slots, "import", "imported"), IMPORTS);
    json_object_put(answer);
    output_free(output);
    host_stop(host);
}

static void every_function_and_import_is_listed(void **state)
{
    (void)state;
    list_all_of("many");
}

static void so_are_those_of_a_fixed_program_with_the_old_hash_table(void **state)
{
    (void)state;
    list_all_of("fixed");
}

/* The functions of the program itself; `glob`: the process looks at them, else the command. */
static json_object *functions_of(struct host *host, const char *glob)
{
    char pid[16];
    struct output *output;
    json_object *answer, *slots, *list = json_object_new_array();

    snprintf(pid, sizeof(pid), "%d", host->pid);
    output = hotpatch(host, "slots", "--json", "--timeout=600000", pid, glob, NULL);
    assert_int_equal(output->status, 0);
    answer = json_tokener_parse(output->out);
    slots = member(answer, "slots");
    for (size_t i = 0; i < json_object_array_length(slots); i++) {
        json_object *slot = json_object_array_get_idx(slots, i);

        if (strcmp(member_text(slot, "kind"), "entry") == 0 &&
            strcmp(member_text(slot, "object_path"), host_program) == 0)
            json_object_array_add(list, json_object_get(slot));
    }
    json_object_put(answer);
    output_free(output);
    return list;
}

static void assert_same_list(struct host *host)
{
    json_object *by_command = functions_of(host, NULL), *by_process = functions_of(host, "*");

    assert_true(json_object_array_length(by_command) > 10);
    assert_int_equal(json_object_array_length(by_command), json_object_array_length(by_process));
    for (size_t i = 0; i < json_object_array_length(by_command); i++)
        assert_string_equal(json_object_to_json_string(json_object_array_get_idx(by_command, i)),
                            json_object_to_json_string(json_object_array_get_idx(by_process, i)));
    json_object_put(by_command);
    json_object_put(by_process);
}

static void list_alike(const char *program)
{
    struct host *host = host_start(program, NULL);

    host_program = program;
    assert_same_list(host);
    host_stop(host);
}

static void the_command_finds_what_the_process_does(void **state)
{
    (void)state;
    list_alike(directory_path("few"));
    list_alike(directory_path("few-fixed"));
}

/* Whatever the file says: what another tool has written into memory counts. */
static void code_that_was_changed_in_memory_is_looked_at_there(void **state)
{
    (void)state;
    struct host *host = host_start(directory_path("few"), NULL);
    json_object *list;

    host_program = directory_path("few");
    list = functions_of(host, NULL);
    assert_true(json_object_get_boolean(member(slot_named(list, "work2"), "patchable")));
    json_object_put(list);
    host_ask(host, "spoil"); /* work2 begins with a breakpoint from now on */
    list = functions_of(host, NULL);
    assert_false(json_object_get_boolean(member(slot_named(list, "work2"), "patchable")));
    json_object_put(list);
    host_stop(host);
}

static void so_is_what_a_patch_has_switched(void **state)
{
    (void)state;
    struct host *host = host_start(directory_path("few"), NULL);
    json_object *list;

    host_program = directory_path("few");
    must_apply(host, "load %s", directory_path("patch.so"));
    list = functions_of(host, NULL);
    assert_true(json_object_get_boolean(member(slot_named(list, "work1"), "armed")));
    json_object_put(list);
    assert_same_list(host);
    must_apply(host, "revert all");
    assert_same_list(host);
    must_apply(host, "load %s", directory_path("patch.so"));
    host_ask(host, "spoil");
    assert_same_list(host);
    must_apply(host, "revert all");
    host_stop(host);
}

static long private_kb(struct host *host)
{
    char name[64], line[256];
    long kb = 0;
    FILE *file;

    snprintf(name, sizeof(name), "/proc/%d/smaps_rollup", host->pid);
    file = fopen(name, "r");
    assert_non_null(file);
    while (kb == 0 && fgets(line, sizeof(line), file))
        if (sscanf(line, "Private_Dirty: %ld", &kb) != 1)
            kb = 0;
    fclose(file);
    return kb;
}

/* The indexes of 50,000 functions, and of who calls them, are twice as large. */
static void what_a_list_needs_is_given_back(void **state)
{
    (void)state;
    enum { KEPT_KB = 6144 };
    if (sanitized())
        skip();
    struct host *host = host_start(directory_path("many"), NULL);
    long before;

    must_apply(host, "slots functions=0"); /* the decoder and what is known of imports stay */
    before = private_kb(host);
    must_apply(host, "slots kind=entry");
    assert_true(private_kb(host) < before + KEPT_KB);
    host_stop(host);
}

/* ---- when its time is up ---- */

static void a_list_ends_when_its_time_is_up(void **state)
{
    (void)state;
    struct host *host = host_start(directory_path("many"), NULL);
    struct reply *reply = request(host, "slots timeout=0");

    assert_string_equal(reply->code, "HP-DEADLINE");
    assert_int_equal(reply->exit_code, 4);
    assert_false(json_object_object_get_ex(reply->json, "slots", NULL));
    reply_free(reply);
    must_apply(host, "ping");
    must_apply(host, "slots match=work49999 kind=entry");
    host_stop(host);
}

static void the_command_passes_its_timeout_on(void **state)
{
    (void)state;
    struct host *host = host_start(directory_path("many"), NULL);
    char pid[16];
    struct output *output;

    snprintf(pid, sizeof(pid), "%d", host->pid);
    output = hotpatch(host, "slots", "--timeout=0", pid, "*", NULL);
    assert_int_equal(output->status, 4);
    assert_non_null(strstr(output->error, "HP-DEADLINE"));
    assert_string_equal(output->out, "");
    output_free(output);
    output = hotpatch(host, "slots", "--timeout=soon", pid, NULL);
    assert_int_equal(output->status, 2);
    output_free(output);
    output = hotpatch(host, "slots", "--timeout=9", directory_path("many"), NULL);
    assert_int_equal(output->status, 2); /* no process makes it */
    output_free(output);
    host_stop(host);
}

/* ---- when nobody waits for it ---- */

/* Wait until the reply FIFO has been opened by both, or the writer has closed it. Equal events that nobody has read
 * are one, and what the command writes to the other FIFO may be told late: then the list ends unhindered. */
static void await_opened(int watch)
{
    char events[4096] __attribute__((aligned(8)));
    int opened = 0;
    bool closed = false;

    while (opened < 2 && !closed) {
        struct pollfd readable = {.fd = watch, .events = POLLIN};
        ssize_t size;

        assert_int_equal(poll(&readable, 1, HARNESS_TIMEOUT_MS), 1);
        size = read(watch, events, sizeof(events));
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const void *)(events + at);

            if (event->len && strstr(event->name, ".reply")) {
                opened += (event->mask & IN_OPEN) != 0;
                closed = closed || (event->mask & IN_CLOSE_WRITE);
            }
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
}

/* The command has opened its reply FIFO, and then the listener, which works on the list now. */
static void kill_a_list(struct host *host)
{
    char pid[16];
    int watch = inotify_init1(IN_CLOEXEC), status;
    pid_t command;

    snprintf(pid, sizeof(pid), "%d", host->pid);
    assert_true(inotify_add_watch(watch, host->directory, IN_OPEN | IN_MODIFY | IN_CLOSE_WRITE) >=
                0);
    command = fork();
    if (command == 0) {
        setenv("HOTPATCH_DIR", host->directory, 1);
        if (!freopen("/dev/null", "w", stdout))
            _exit(126);
        execl(built("hotpatch"), "hotpatch", "slots", "--timeout=600000", pid, "*", (char *)NULL);
        _exit(127);
    }
    await_opened(watch);
    kill(command, SIGKILL);
    assert_int_equal(waitpid(command, &status, 0), command);
    close(watch);
}

static bool was_left_off(struct host *host)
{
    struct reply *reply = request(host, "status");
    json_object *history = member(reply->json, "status.history");
    size_t count = json_object_array_length(history);
    bool left = false;

    for (size_t i = 0; i < count && !left; i++) {
        json_object *text = NULL;

        json_object_object_get_ex(json_object_array_get_idx(history, i), "text", &text);
        left = text && strstr(json_object_get_string(text), "nobody reads the reply");
    }
    reply_free(reply);
    return left;
}

/* On a busy machine the listener may end the list before the command is killed: then once more. */
static void a_list_whose_command_is_killed_is_left_off(void **state)
{
    (void)state;
    struct host *host = host_start(directory_path("many"), NULL);
    int tries = 0;

    host_listen(host);
    do {
        assert_true(tries++ < TRIES);
        kill_a_list(host);
    } while (!was_left_off(host));
    must_apply(host, "slots match=work49999 kind=entry");
    host_kill(host); /* the killed command's FIFOs are in its directory */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_and_import_is_listed),
        cmocka_unit_test(so_are_those_of_a_fixed_program_with_the_old_hash_table),
        cmocka_unit_test(the_command_finds_what_the_process_does),
        cmocka_unit_test(code_that_was_changed_in_memory_is_looked_at_there),
        cmocka_unit_test(so_is_what_a_patch_has_switched),
        cmocka_unit_test(what_a_list_needs_is_given_back),
        cmocka_unit_test(a_list_ends_when_its_time_is_up),
        cmocka_unit_test(the_command_passes_its_timeout_on),
        cmocka_unit_test(a_list_whose_command_is_killed_is_left_off),
    };

    return cmocka_run_group_tests_name("slots of a large program", tests, build, directory_remove);
}
