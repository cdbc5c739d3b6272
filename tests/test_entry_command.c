/*
 * test_entry_command.c - the command and functions that nobody prepared, in live processes: names
 * that only debug information has, what status, slots and check say of them.
 */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

/* `answer` and both `twin` are static; `tiny` is too short for a jump. */
static const char program_c[] =
    "#include <hosts/loop.h>\n"
    "#include <unistd.h>\n"
    "#include <hosts/parts/entries_twin.h>\n"
    "static OPAQUE int answer(void) { return 1; }\n"
    "static OPAQUE int twin(void) { return 10; }\n"
    "OPAQUE int with_symbol(void) { return 40; }\n"
    "static inline __attribute__((always_inline)) int small(void) { return getpid() > 0 ? 60 : 0; "
    "}\n"
    "int (*volatile kept)(void) = small;\n"
    "static inline __attribute__((always_inline)) int gone(void) { return getpid() > 0 ? 70 : 0; "
    "}\n"
    "void tiny(void);\n"
    "__asm__(\".globl tiny\\n.type tiny, @function\\ntiny: ret\\n.size tiny, 1\\nhlt\\n\");\n"
    "static OPAQUE void command(const char *word, char *rest)\n"
    "{\n"
    "    tiny();\n"
    "    if (!strcmp(word, \"answer\"))\n"
    "        say(\"%d\", answer());\n"
    "    else if (!strcmp(word, \"twin\"))\n"
    "        say(\"%d\", twin());\n"
    "    else if (!strcmp(word, \"other\"))\n"
    "        say(\"%d\", call_second_twin());\n"
    "    else if (!strcmp(word, \"small\"))\n"
    "        say(\"%d\", *rest ? kept() : small());\n" /* line 22 */
    "    else\n"
    "        say(\"%d\", with_symbol() + gone());\n"
    "}\n"
    "int main(void) { return loop(); }\n";

static const char cxx_cc[] =
    "#include <hosts/loop.h>\n"
    "#include <unistd.h>\n"
    "namespace ns { struct queue { int push(int) const; int push(char) const; }; }\n"
    "int __attribute__((noipa)) ns::queue::push(int n) const { return getpid() ? n : 0; }\n"
    "int __attribute__((noipa)) ns::queue::push(char n) const { return getpid() ? n + 1 : 0; }\n"
    "static void command(const char *, char *)\n"
    "{ ns::queue q; say(\"%d %d\", q.push(5), q.push('a')); }\n"
    "int main() { return loop(); }\n";

/* gcc makes work.constprop.0 of it, and nothing else. */
static const char clones_c[] =
    "#include <hosts/loop.h>\n"
    "#include <unistd.h>\n"
    "static __attribute__((noinline)) int work(int *p, int mode)\n"
    "{ if (mode == 3) { getpid(); return *p; } return *p + mode + getppid(); }\n"
    "static void command(const char *word, char *rest)\n"
    "{ int n = (int)strlen(word) + !rest; say(\"%d\", work(&n, 3)); }\n"
    "int main(void) { return loop(); }\n";

/* What takes the place of functions is in entry_plain.so: two, three, nine. */
static const char short_c[] = "#include <hotpatch.h>\n"
                              "HOTPATCH_MODULE(\"short\", \"1\");\n"
                              "HOTPATCH_REPLACE(void, tiny, (void)) { }\n";

static char directory[64];

static const char *in_directory(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, 128, "%s/%s", directory, name);
    return path;
}

static void run(const char *command)
{
    char whole[2048];

    snprintf(whole, sizeof(whole), "cd %s && { %s; }", directory, command);
    if (system(whole) != 0)
        fail_msg("%s", command);
}

static void write_source(const char *name, const char *text)
{
    file_write(in_directory(name), text, strlen(text), 0644);
}

/* whole: with everything; bare: stripped, its debug information in elsewhere.debug alone; near/linked:
 * stripped, its debug file beside it; mini: stripped, with .gnu_debugdata; nameless: DWARF without
 * the symbol. */
static int build(void **state)
{
    char command[2048];

    (void)state;
    strcpy(directory, "/tmp/hotpatch-entry-XXXXXX");
    assert_non_null(mkdtemp(directory));
    write_source("program.c", program_c);
    write_source("cxx.cc", cxx_cc);
    write_source("short.c", short_c);
    write_source("clones.c", clones_c);
    snprintf(command, sizeof(command),
             "gcc -g -O1 -I%s -I%s -Wl,--build-id -o whole program.c %s && "
             "g++ -g -O1 -I%s -Wl,--build-id -o cxx cxx.cc && "
             "gcc -g -O2 -I%s -o clones clones.c && "
             "gcc -I%s -shared -fPIC -o short.so short.c && sed s/tiny/gone/ short.c > gone.c && "
             "gcc -I%s -shared -fPIC -o gone.so gone.c",
             source_file("tests"), source_file("include"),
             source_file("tests/hosts/parts/entries_twin.c"), source_file("tests"),
             source_file("tests"), source_file("include"), source_file("include"));
    run(command);
    snprintf(command, sizeof(command), "echo -I%s program.c %s > flags", source_file("tests"),
             source_file("tests/hosts/parts/entries_twin.c"));
    run(command);
    run("objcopy --only-keep-debug whole elsewhere.debug && strip -o bare whole && mkdir near && "
        "objcopy --only-keep-debug whole near/linked.debug && cp bare near/linked && "
        "cd near && objcopy --add-gnu-debuglink=linked.debug linked");
    run("objcopy -S --remove-section='.debug*' --keep-symbol=answer whole mini.debug && "
        "xz -k mini.debug && objcopy --add-section .gnu_debugdata=mini.debug.xz bare mini");
    run("objcopy --strip-symbol=answer whole nameless");
    return 0;
}

static int clean(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static char *pid_of(struct host *host)
{
    static char text[16];

    snprintf(text, sizeof(text), "%d", (int)host->pid);
    return text;
}

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in:\n%s", part, text);
}

static void assert_has_not(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is in:\n%s", part, text);
}

/* Of what the command said on both of its streams. */
static void must_exit(struct output *output, int status, const char *said, const char *not_said)
{
    char both[65536];

    snprintf(both, sizeof(both), "%s%s", output->out, output->error);
    if (output->status != status)
        fail_msg("exit %d, expected %d\n%s", output->status, status, both);
    if (said)
        assert_has(both, said);
    if (not_said)
        assert_has_not(both, not_said);
    output_free(output);
}

static struct host *start(const char *name)
{
    return host_start(in_directory(name), NULL);
}

/* `question` is answered by `before`, by 2 while a patch is loaded, and by `before` again. */
static void must_switch(struct host *host, const char *replace, const char *debug,
                        const char *question, const char *before)
{
    host_expect(host, question, before);
    must_exit(debug ? hotpatch(host, "load", pid_of(host), "--replace", replace, "--debug", debug,
                               patch_file("entry_plain"), NULL)
                    : hotpatch(host, "load", pid_of(host), "--replace", replace,
                               patch_file("entry_plain"), NULL),
              0, "1 slot in PID", NULL);
    host_expect(host, question, "2");
    must_exit(hotpatch(host, "revert", pid_of(host), "all", NULL), 0, "reverted", NULL);
    host_expect(host, question, before);
}

/* ---- debug information ---- */

static void a_static_name_is_found_in_the_file_given(void **state)
{
    struct host *host = start("bare");

    (void)state;
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "answer=two",
                       patch_file("entry_plain"), NULL),
              1, "HP-NO-TARGET", NULL);
    host_expect(host, "answer", "1");
    must_switch(host, "answer=two", in_directory("elsewhere.debug"), "answer", "1");
    must_switch(host, "exe:answer=two", in_directory("elsewhere.debug"), "answer", "1");
    host_stop(host);
}

static void a_static_name_is_found_in_the_file_of_the_link(void **state)
{
    struct host *host = start("near/linked");

    (void)state;
    must_switch(host, "answer=two", NULL, "answer", "1");
    host_stop(host);
}

static void a_static_name_is_found_in_the_compressed_section(void **state)
{
    struct host *host = start("mini");

    (void)state;
    must_switch(host, "answer=two", NULL, "answer", "1");
    host_stop(host);
}

static void a_name_that_only_dwarf_has_is_found(void **state)
{
    struct host *host = start("nameless");

    (void)state;
    must_switch(host, "answer=two", NULL, "answer", "1");
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
    host = start("bare");
    must_exit(run_program(host, (const char *const[]){"unshare", "-m", "sh", "-c", script,
                                                      built("hotpatch"), pid_of(host),
                                                      patch_file("entry_plain"),
                                                      in_directory("elsewhere.debug"), NULL}),
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
    run("mkdir -p apart && cp cxx apart/linked");
    snprintf(script, sizeof(script),
             "#!/bin/sh\nexec unshare -m sh -c 'mount --make-rprivate / && "
             "mount --bind %s %s && exec %s/linked'\n",
             in_directory("near"), in_directory("apart"), in_directory("apart"));
    file_write(in_directory("apart.sh"), script, strlen(script), 0755);
    host = start("apart.sh");
    must_switch(host, "answer=two", NULL, "answer", "1");
    must_exit(hotpatch(host, "slots", pid_of(host), "with_symbol", NULL), 0, "NAME", NULL);
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
        run(command);
        host = start("odd/linked");
        must_exit(hotpatch(host, "load", pid_of(host), "--replace", "answer=two",
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
    run("rm -rf sums && mkdir sums && gcc -g -O1 -Wl,--build-id=none -I$PWD -o sums/host "
        "$(cat flags) && cd sums && objcopy --only-keep-debug host host.debug && strip host && "
        "objcopy --add-gnu-debuglink=host.debug host");
    host = start("sums/host");
    must_switch(host, "answer=two", NULL, "answer", "1");
    run("echo >> sums/host.debug");
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "answer=two",
                       patch_file("entry_plain"), NULL),
              1, "HP-NO-TARGET", NULL);
    host_stop(host);
}

static void debug_information_of_another_build_changes_nothing(void **state)
{
    struct host *host = start("bare");

    (void)state;
    run("echo 'int main(void) { return 0; }' | gcc -g -Wl,--build-id -x c -o other -");
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "answer=two", "--debug",
                       in_directory("other"), patch_file("entry_plain"), NULL),
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
    struct host *host = start("bare");

    (void)state;
    run("mkfifo fifo; truncate -s 10G sparse; head -c 5000 elsewhere.debug > cut");
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        const char *path = *files[i].path == '/' ? files[i].path : in_directory(files[i].path);

        must_exit(hotpatch(host, "load", pid_of(host), "--replace", "answer=two", "--debug", path,
                           patch_file("entry_plain"), NULL),
                  1, files[i].code, NULL);
    }
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void two_statics_of_one_name_are_told_apart_by_their_files(void **state)
{
    struct host *host = start("bare");
    const char *debug = in_directory("elsewhere.debug");

    (void)state;
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "twin=two", "--debug", debug,
                       patch_file("entry_plain"), NULL),
              1, "HP-AMBIGUOUS", NULL);
    must_switch(host, "twin@entries_twin.c=two", debug, "other", "20");
    must_switch(host, "twin@program.c=two", debug, "twin", "10");
    host_stop(host);
}

static void a_cxx_name_is_taken_as_it_is_typed(void **state)
{
    struct host *host = start("cxx");

    (void)state;
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "ns::queue::push=two",
                       patch_file("entry_plain"), NULL),
              1, "HP-AMBIGUOUS", NULL);
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "ns::queue::push(int) const=two",
                       patch_file("entry_plain"), NULL),
              0, "1 slot", NULL);
    host_expect(host, "push", "2 98");
    must_exit(hotpatch(host, "slots", pid_of(host), "ns::queue::*", NULL), 0,
              "ns::queue::push(char) const", "_ZNK");
    must_exit(hotpatch(host, "status", pid_of(host), NULL), 0, "ns::queue::push(int) const: entry",
              NULL);
    must_exit(hotpatch(host, "slots", in_directory("cxx"), "*push(c*", NULL), 0,
              "ns::queue::push(char) const", "push(int)");
    host_stop(host);
}

static void a_place_is_a_name_too(void **state)
{
    struct host *host = start("whole");
    char command[256], replace[64], line[64] = "";
    FILE *nm;

    (void)state;
    snprintf(command, sizeof(command), "nm %s | sed -n 's/ t answer$//p'", in_directory("whole"));
    nm = popen(command, "r");
    assert_non_null(fgets(line, sizeof(line), nm));
    pclose(nm);
    snprintf(replace, sizeof(replace), "exe+0x%lx=two", strtoul(line, NULL, 16));
    must_switch(host, replace, NULL, "answer", "1");
    host_stop(host);
}

static void a_function_is_called_as_it_was_looked_up(void **state)
{
    struct host *host = start("bare");

    (void)state;
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "twin@program.c=two", "--debug",
                       in_directory("elsewhere.debug"), patch_file("entry_plain"), NULL),
              0, NULL, NULL);
    must_exit(hotpatch(host, "status", pid_of(host), NULL), 0, "twin: entry slot of bare", NULL);
    must_exit(hotpatch(host, "slots", pid_of(host), "twin", NULL), 0, "twin@program.c", NULL);
    host_stop(host);
}

/* ---- what is said ---- */

static void calls_that_keep_the_old_code_are_told(void **state)
{
    struct host *host = start("whole");

    (void)state;
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "small=two",
                       patch_file("entry_plain"), NULL),
              0, "small was inlined into: command (program.c:22); these keep the old code", NULL);
    host_expect(host, "small by-pointer", "2");
    host_expect(host, "small", "60");
    host_stop(host);
}

static void a_function_that_was_inlined_everywhere_is_told(void **state)
{
    static const char text[] =
        "gone has no code of its own: the compiler inlined it into command (program.c:24)";
    struct host *host = start("whole");

    (void)state;
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "gone=two",
                       patch_file("entry_plain"), NULL),
              1, text, NULL);
    must_exit(hotpatch(host, "check", in_directory("whole"), in_directory("gone.so"), NULL), 1,
              text, NULL);
    host_stop(host);
}

static void a_clone_is_not_taken_for_the_function(void **state)
{
    struct host *host = start("clones");

    (void)state;
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "work=two",
                       patch_file("entry_plain"), NULL),
              1, "work has no code of its own: there is work.constprop.0", NULL);
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "work.constprop.0=two",
                       patch_file("entry_plain"), NULL),
              0, "1 slot", NULL);
    host_expect(host, "hello", "2");
    host_stop(host);
}

static void what_is_never_patched_is_told(void **state)
{
    static const char *const names[] = {"ld-linux-x86-64.so.2:anything=two",
                                        "libhotpatch_engine.so:anything=two"};
    struct host *host = start("whole");

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        must_exit(hotpatch(host, "load", pid_of(host), "--replace", names[i],
                           patch_file("entry_plain"), NULL),
                  1, "are never patched", NULL);
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void the_running_main_is_told(void **state)
{
    struct host *host = start("whole");

    (void)state;
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "main=two",
                       patch_file("entry_plain"), NULL),
              0, "main has been entered already", NULL);
    host_expect(host, "answer", "1");
    host_stop(host);
}

static void status_tells_whether_the_new_code_was_entered(void **state)
{
    struct host *host = start("whole");

    (void)state;
    must_exit(hotpatch(host, "load", pid_of(host), "--replace", "answer=two",
                       patch_file("entry_plain"), NULL),
              0, NULL, NULL);
    must_exit(hotpatch(host, "status", pid_of(host), NULL), 0, "not entered since the switch",
              NULL);
    host_expect(host, "answer", "2");
    must_exit(hotpatch(host, "status", pid_of(host), NULL), 0, "  entered since the switch",
              "not entered");
    host_stop(host);
}

static void whether_it_was_entered_is_off_by_choice(void **state)
{
    struct host *host = start("whole");

    (void)state;
    must_exit(hotpatch(host, "load", "--no-seen", pid_of(host), "--replace", "answer=two",
                       patch_file("entry_plain"), NULL),
              0, NULL, NULL);
    host_expect(host, "answer", "2");
    must_exit(hotpatch(host, "status", pid_of(host), NULL), 0,
              "whether it has been entered is not noted", "since the switch");
    must_exit(hotpatch(host, "status", "--json", pid_of(host), NULL), 0, "\"entered\":null", NULL);
    host_stop(host);
}

static void slots_gives_the_reason_where_an_entry_cannot_be_patched(void **state)
{
    struct host *host = start("whole");

    (void)state;
    must_exit(hotpatch(host, "slots", pid_of(host), "tiny", NULL), 0,
              "no: the function is shorter than a jump", NULL);
    must_exit(hotpatch(host, "slots", in_directory("whole"), "tiny", NULL), 0,
              "no: the function is shorter than a jump", NULL);
    must_exit(hotpatch(host, "slots", "--kind=entry", in_directory("whole"), "answer", NULL), 0,
              "answer@program.c", "no:");
    host_stop(host);
}

static void doctor_tells_what_entries_need(void **state)
{
    struct host *host = start("whole");

    (void)state;
    must_exit(hotpatch(host, "doctor", pid_of(host), NULL), 0, "no thread blocks SIGTRAP", NULL);
    must_exit(hotpatch(host, "doctor", in_directory("whole"), NULL), 0,
              "can be replaced at their entries", " 0 of ");
    host_stop(host);
}

static void a_program_is_found_in_path(void **state)
{
    struct output *output;
    char path[256];

    (void)state;
    snprintf(path, sizeof(path), "PATH=%s", directory);
    output = run_program(NULL, (const char *const[]){"/usr/bin/env", path, built("hotpatch"),
                                                     "slots", "whole", "answer", NULL});
    must_exit(output, 0, "answer@program.c", NULL);
    output =
        run_program(NULL, (const char *const[]){"/usr/bin/env", path, built("hotpatch"), "check",
                                                "whole", in_directory("short.so"), NULL});
    must_exit(output, 1, "HP-NOT-PATCHABLE", NULL);
}

static void check_judges_a_function_as_the_load_does(void **state)
{
    struct host *host = start("whole");
    const char *patch = in_directory("short.so");

    (void)state;
    must_exit(hotpatch(host, "check", in_directory("whole"), patch, NULL), 1,
              "HP-NOT-PATCHABLE: ", "fits");
    must_exit(hotpatch(host, "check", in_directory("whole"), patch, NULL), 1,
              "tiny: the function is shorter than a jump", NULL);
    must_exit(hotpatch(host, "check", pid_of(host), patch, NULL), 1,
              "tiny: the function is shorter than a jump", NULL);
    must_exit(hotpatch(host, "load", pid_of(host), patch, NULL), 1,
              "tiny: the function is shorter than a jump", NULL);
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
        cmocka_unit_test(a_cxx_name_is_taken_as_it_is_typed),
        cmocka_unit_test(a_place_is_a_name_too),
        cmocka_unit_test(a_function_is_called_as_it_was_looked_up),
        cmocka_unit_test(calls_that_keep_the_old_code_are_told),
        cmocka_unit_test(a_function_that_was_inlined_everywhere_is_told),
        cmocka_unit_test(a_clone_is_not_taken_for_the_function),
        cmocka_unit_test(what_is_never_patched_is_told),
        cmocka_unit_test(the_running_main_is_told),
        cmocka_unit_test(status_tells_whether_the_new_code_was_entered),
        cmocka_unit_test(whether_it_was_entered_is_off_by_choice),
        cmocka_unit_test(slots_gives_the_reason_where_an_entry_cannot_be_patched),
        cmocka_unit_test(doctor_tells_what_entries_need),
        cmocka_unit_test(a_program_is_found_in_path),
        cmocka_unit_test(check_judges_a_function_as_the_load_does),
    };
    return cmocka_run_group_tests(tests, build, clean);
}
