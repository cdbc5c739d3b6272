/*
 * test_entry_debug.c - the command and names that only debug information has, in live processes that
 * nobody prepared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/harness.h"
#include "tests/support/made.h"

static void a_static_name_is_found_in_the_file_given(void **state)
{
    struct host *host = made_start("bare");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "answer=two",
                         patch_file("entry_plain"), NULL),
                1, "HP-NO-TARGET", NULL);
    host_expect(host, "answer", "1");
    made_must_switch(host, "answer=two", made_path("elsewhere.debug"), "answer", "1");
    made_must_switch(host, "exe:answer=two", made_path("elsewhere.debug"), "answer", "1");
    host_stop(host);
}

static void a_static_name_is_found_in_the_file_of_the_link(void **state)
{
    struct host *host = made_start("near/linked");

    (void)state;
    made_must_switch(host, "answer=two", NULL, "answer", "1");
    host_stop(host);
}

static void a_static_name_is_found_in_the_compressed_section(void **state)
{
    struct host *host = made_start("mini");

    (void)state;
    made_must_switch(host, "answer=two", NULL, "answer", "1");
    host_stop(host);
}

static void a_name_that_only_dwarf_has_is_found(void **state)
{
    struct host *host = made_start("nameless");

    (void)state;
    made_must_switch(host, "answer=two", NULL, "answer", "1");
    host_stop(host);
}

static bool can_unshare(void)
{
    return geteuid() == 0 && system("unshare -m true 2>/dev/null") == 0;
}

/* In a mount name space of its own, with such a directory; the patch is copied over then. */
static void a_static_name_is_found_by_build_id(void **state)
{
    static const char script[] =
        "mount --make-rprivate / && mount -t tmpfs none /usr/lib/debug && "
        "id=$(readelf -n \"$3\" | sed -n 's/ *Build ID: //p') && "
        "mkdir -p /usr/lib/debug/.build-id/${id%\"${id#??}\"} && "
        "cp \"$3\" /usr/lib/debug/.build-id/${id%\"${id#??}\"}/${id#??}.debug && "
        "exec \"$0\" load \"$1\" --replace answer=two \"$2\"";
    struct host *host;

    (void)state;
    if (!can_unshare() || access("/usr/lib/debug", F_OK) != 0)
        skip();
    host = made_start("bare");
    output_must(run_program(host, (const char *const[]){"unshare", "-m", "sh", "-c", script,
                                                        built("hotpatch"), pid_text(host->pid),
                                                        patch_file("entry_plain"),
                                                        made_path("elsewhere.debug"), NULL}),
                0, "1 slot in PID", NULL);
    host_expect(host, "answer", "2");
    host_kill(host);
}

/* Its path leads elsewhere outside: to another program, without a debug file beside it. */
static void a_process_in_another_mount_name_space_is_looked_at_there(void **state)
{
    char script[512];
    struct host *host;

    (void)state;
    if (!can_unshare())
        skip();
    made_run("mkdir -p apart && cp cxx apart/linked");
    snprintf(script, sizeof(script),
             "#!/bin/sh\nexec unshare -m sh -c 'mount --make-rprivate / && "
             "mount --bind %s %s && exec %s/linked'\n",
             made_path("near"), made_path("apart"), made_path("apart"));
    file_write(made_path("apart.sh"), script, strlen(script), 0755);
    host = made_start("apart.sh");
    made_must_switch(host, "answer=two", NULL, "answer", "1");
    output_must(hotpatch(host, "slots", pid_text(host->pid), "with_symbol", NULL), 0, "NAME", NULL);
    host_kill(host);
}

/* The debug file's name is a FIFO, another file, a link out of everything: as if there were none. */
static void what_lies_in_the_place_of_a_debug_file_holds_nobody_up(void **state)
{
    static const char *const places[] = {"mkfifo", "cp program.c", "ln -s /dev/zero",
                                         "mkdir",  "cp cxx",       "ln -s linked.debug"};
    struct host *host;

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        char command[256];

        snprintf(command, sizeof(command),
                 "rm -rf odd && mkdir odd && cp near/linked odd/ && %s odd/linked.debug",
                 places[i]);
        made_run(command);
        host = made_start("odd/linked");
        output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "answer=two",
                             patch_file("entry_plain"), NULL),
                    1, "HP-NO-TARGET", NULL);
        host_expect(host, "answer", "1");
        host_stop(host);
    }
}

/* An object without a build-id is held against the debug file's checksum. */
static void a_debug_file_without_build_id_is_told_by_its_checksum(void **state)
{
    struct host *host;

    (void)state;
    made_run(
        "rm -rf sums && mkdir sums && gcc -g -O1 -Wl,--build-id=none -I$PWD -o sums/host "
        "$(cat flags) && cd sums && objcopy --only-keep-debug host host.debug && strip host && "
        "objcopy --add-gnu-debuglink=host.debug host");
    host = made_start("sums/host");
    made_must_switch(host, "answer=two", NULL, "answer", "1");
    made_run("echo >> sums/host.debug");
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "answer=two",
                         patch_file("entry_plain"), NULL),
                1, "HP-NO-TARGET", NULL);
    host_stop(host);
}

static void debug_information_of_another_build_changes_nothing(void **state)
{
    struct host *host = made_start("bare");

    (void)state;
    made_run("echo 'int main(void) { return 0; }' | gcc -g -Wl,--build-id -x c -o other -");
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "answer=two", "--debug",
                         made_path("other"), patch_file("entry_plain"), NULL),
                1, "HP-BUILD-ID", NULL);
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void what_is_no_debug_file_is_refused_at_once(void **state)
{
    static const struct {
        const char *path, *code;
    } files[] = {{"/dev/zero", "HP-NOT-REGULAR"},
                 {"/tmp", "HP-NOT-REGULAR"},
                 {"/nonexistent", "HP-OPEN"},
                 {"fifo", "HP-NOT-REGULAR"},
                 {"program.c", "HP-NOT-ELF"},
                 {"cut", "HP-NO-TARGET"}, /* its build-id is there, and no name is */
                 {"sparse", "HP-NOT-ELF"}};
    struct host *host = made_start("bare");

    (void)state;
    made_run("mkfifo fifo; truncate -s 10G sparse; head -c 5000 elsewhere.debug > cut");
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        const char *path = *files[i].path == '/' ? files[i].path : made_path(files[i].path);

        output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "answer=two",
                             "--debug", path, patch_file("entry_plain"), NULL),
                    1, files[i].code, NULL);
    }
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void two_statics_of_one_name_are_told_apart_by_their_files(void **state)
{
    struct host *host = made_start("bare");
    const char *debug = made_path("elsewhere.debug");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "twin=two", "--debug",
                         debug, patch_file("entry_plain"), NULL),
                1, "HP-AMBIGUOUS", NULL);
    made_must_switch(host, "twin@entries_twin.c=two", debug, "other", "20");
    made_must_switch(host, "twin@program.c=two", debug, "twin", "10");
    host_stop(host);
}

static void a_static_function_comes_before_a_librarys_of_its_name(void **state)
{
    struct host *host = made_start("bare");

    (void)state;
    made_must_switch(host, "error=two", made_path("elsewhere.debug"), "error", "80");
    host_stop(host);
}

static void a_cxx_name_is_taken_as_it_is_typed(void **state)
{
    struct host *host = made_start("cxx");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "ns::queue::push=two",
                         patch_file("entry_plain"), NULL),
                1, "HP-AMBIGUOUS", NULL);
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace",
                         "ns::queue::push(int) const=two", patch_file("entry_plain"), NULL),
                0, "1 slot", NULL);
    host_expect(host, "push", "2 98");
    output_must(hotpatch(host, "slots", pid_text(host->pid), "ns::queue::*", NULL), 0,
                "ns::queue::push(char) const", "_ZNK");
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0,
                "ns::queue::push(int) const: entry", NULL);
    output_must(hotpatch(host, "slots", made_path("cxx"), "*push(c*", NULL), 0,
                "ns::queue::push(char) const", "push(int)");
    host_stop(host);
}

static void a_place_is_a_name_too(void **state)
{
    struct host *host = made_start("whole");
    char command[256], replace[64], line[64] = "";
    FILE *nm;

    (void)state;
    snprintf(command, sizeof(command), "nm %s | sed -n 's/ t answer$//p'", made_path("whole"));
    nm = popen(command, "r");
    assert_non_null(fgets(line, sizeof(line), nm));
    pclose(nm);
    snprintf(replace, sizeof(replace), "exe+0x%lx=two", strtoul(line, NULL, 16));
    made_must_switch(host, replace, NULL, "answer", "1");
    host_stop(host);
}

static void a_function_is_called_as_it_was_looked_up(void **state)
{
    struct host *host = made_start("bare");

    (void)state;
    output_must(hotpatch(host, "load", pid_text(host->pid), "--replace", "twin@program.c=two",
                         "--debug", made_path("elsewhere.debug"), patch_file("entry_plain"), NULL),
                0, NULL, NULL);
    output_must(hotpatch(host, "status", pid_text(host->pid), NULL), 0, "twin: entry slot of bare",
                NULL);
    output_must(hotpatch(host, "slots", pid_text(host->pid), "twin", NULL), 0, "twin@program.c",
                NULL);
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_static_name_is_found_in_the_file_given),
        cmocka_unit_test(a_static_name_is_found_in_the_file_of_the_link),
        cmocka_unit_test(a_static_name_is_found_in_the_compressed_section),
        cmocka_unit_test(a_name_that_only_dwarf_has_is_found),
        cmocka_unit_test(a_static_name_is_found_by_build_id),
        cmocka_unit_test(a_process_in_another_mount_name_space_is_looked_at_there),
        cmocka_unit_test(what_lies_in_the_place_of_a_debug_file_holds_nobody_up),
        cmocka_unit_test(a_debug_file_without_build_id_is_told_by_its_checksum),
        cmocka_unit_test(debug_information_of_another_build_changes_nothing),
        cmocka_unit_test(what_is_no_debug_file_is_refused_at_once),
        cmocka_unit_test(two_statics_of_one_name_are_told_apart_by_their_files),
        cmocka_unit_test(a_static_function_comes_before_a_librarys_of_its_name),
        cmocka_unit_test(a_cxx_name_is_taken_as_it_is_typed),
        cmocka_unit_test(a_place_is_a_name_too),
        cmocka_unit_test(a_function_is_called_as_it_was_looked_up),
    };
    return cmocka_run_group_tests(tests, made_build, made_clean);
}
