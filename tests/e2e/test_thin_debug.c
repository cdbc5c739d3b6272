/*
 * test_thin_debug.c - what debuggers, profilers and unwinders see of code that a thin object has placed.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/directory.h"
#include "tests/support/harness.h"
#include "tests/support/thin_made.h"

static const char frames_c[] =
    "#include <execinfo.h>\n"
    "#include <unistd.h>\n"
    "#include <stdio.h>\n"
    "#ifdef UNWIND\n"
    "#define UNW_LOCAL_ONLY\n"
    "#include <libunwind.h>\n"
    "#endif\n"
    "#ifndef VERSION\n"
    "#define VERSION 0\n"
    "#endif\n"
    "#ifdef __cplusplus\n"
    "extern \"C\" {\n"
    "#endif\n"
    "int frames(int depth);\n"
    "int through(int depth, int (*call)(int));\n"
    "int thrown(int depth);\n"
    "int counted = 40;\n"
    "static int calls;\n"
    "__attribute__((noinline, noclone)) int frames(int depth)\n"
    "{\n"
    "    int count = 0;\n"
    "#ifdef UNWIND\n"
    "    unw_context_t context; unw_cursor_t cursor;\n"
    "    unw_getcontext(&context); unw_init_local(&cursor, &context);\n"
    "    while (unw_step(&cursor) > 0) count++;\n"
    "#else\n"
    "    void *list[64];\n"
    "    count = backtrace(list, 64);\n"
    "#endif\n"
    "    return count + 0 * depth;\n"
    "}\n"
    "__attribute__((noinline, noclone)) int through(int depth, int (*call)(int))\n"
    "{\n"
    "    volatile char room[32 + VERSION * 16];\n"
    "    int result;\n"
    "    room[0] = (char)depth;\n"
    "    calls++;\n"
    "    result = depth > 0 ? through(depth - 1, call) : call(room[0]);\n"
    "    return result + 1000 * (VERSION > 0) * (depth == 3);\n"
    "}\n"
    "#ifdef __cplusplus\n"
    "}\n"
    "#endif\n";

static const char frames_program_c[] = "#include <hosts/loop.h>\n"
                                       "int frames(int depth);\n"
                                       "int through(int depth, int (*call)(int));\n"
                                       "static void command(const char *word, char *rest)\n"
                                       "{\n"
                                       "    (void)word, (void)rest;\n"
                                       "    say(\"%d\", through(3, frames));\n"
                                       "}\n"
                                       "int main(void) { return loop(); }\n";

static const char throwing_cc[] =
    "#include <hosts/loop.h>\n"
    "extern \"C\" int through(int depth, int (*call)(int));\n"
    "static __attribute__((noinline)) int thrower(int n) { throw n + 42; }\n"
    "static void command(const char *, char *)\n"
    "{\n"
    "    try { through(3, thrower); say(\"nothing\"); }\n"
    "    catch (int n) { say(\"caught %d\", n); }\n"
    "}\n"
    "int main() { return loop(); }\n";

static const char *const only_through[] = {"through", NULL};
static const char *const both_frames[] = {"through", "frames", NULL};

static void write_source_text(const char *name, const char *text)
{
    file_write(directory_path(name), text, strlen(text), 0644);
}

static int build(void **state)
{
    if (directory_make(state) != 0)
        return -1;
    write_source_text("frames.c", frames_c);
    write_source_text("program.c", frames_program_c);
    write_source_text("throwing.cc", throwing_cc);
    return 0;
}

/* Build HOST of program.c or throwing.cc and frames.c, and HOST.hpo, which replaces the functions. */
static void make_host(const char *host, const char *compile, const char *source, const char *flags,
                      const char *libraries, const char *const *functions)
{
    char object[300], out[300];

    run_in_directory(
        "gcc -O2 -g %s -c -o %s-frames.o frames.c && "
        "gcc -O2 -g %s -ffunction-sections -fdata-sections -DVERSION=1 -c -o %s-new.o frames.c",
        flags, host, flags, host);
    run_in_directory("%s -O2 -g -I%s -Wl,--build-id -o %s %s %s-frames.o %s", compile,
                     source_file("tests"), host, source, host, libraries);
    snprintf(object, sizeof(object), "%s/%s-new.o", directory, host);
    snprintf(out, sizeof(out), "%s/%s.hpo", directory, host);
    thin_make(out, host, directory_path(host), object, functions);
}

static void the_frames_are_counted(const char *name, const char *flags, const char *libraries)
{
    struct host *host;
    char path[300], before[16], after[16];
    int frames;

    make_host(name, "gcc", "program.c", flags, libraries, both_frames);
    host = host_start(directory_path(name), NULL);
    frames = atoi(host_ask(host, "count"));
    assert_true(frames >= 5);
    snprintf(before, sizeof(before), "%d", frames);
    snprintf(after, sizeof(after), "%d", frames + 1000);
    snprintf(path, sizeof(path), "%s/%s.hpo", directory, name);
    must_apply(host, "load %s", path);
    host_expect(host, "count", after);
    must_apply(host, "revert last");
    host_expect(host, "count", before);
    host_stop(host);
}

static void backtrace_passes_through_new_code(void **state)
{
    (void)state;
    the_frames_are_counted("plain", "-O1", "");
    the_frames_are_counted("static-libgcc", "-O1", "-static-libgcc");
}

static void libunwind_passes_through_new_code(void **state)
{
    (void)state;
    the_frames_are_counted("libunwind", "-O1 -DUNWIND", "-lunwind");
}

static void exceptions_pass_through_new_code(void **state)
{
    static const char *const libraries[] = {"", "-static-libgcc",
                                            "-static-libgcc -static-libstdc++"};

    (void)state;
    /* A sanitizer's runtime stands before __cxa_throw, and finds none behind it in a program that has its own. */
    for (size_t i = 0; i < (sanitized() ? 1 : sizeof(libraries) / sizeof(*libraries)); i++) {
        char name[16];
        struct host *host;

        snprintf(name, sizeof(name), "throws%zu", i);
        make_host(name, "g++", "throwing.cc", "", libraries[i], only_through);
        host = host_start(directory_path(name), NULL);
        host_expect(host, "throw", "caught 42");
        must_apply(host, "load %s.hpo", directory_path(name));
        host_expect(host, "throw", "caught 42");
        host_expect(host, "throw", "caught 42");
        must_apply(host, "revert last");
        host_expect(host, "throw", "caught 42");
        host_stop(host);
    }
}

/* ---- debuggers ---- */

/* Return the number of the line of frames.c that has the text. */
static int line_of(const char *text)
{
    int line = 1;

    for (const char *p = frames_c; p < strstr(frames_c, text); p++)
        line += *p == '\n';
    return line;
}

/* Attach gdb, which stops at the line, shows what is asked and detaches; its output is written to `shown`. Return after
 * it has let the program go on. */
static pid_t attach(struct host *host, const char *line, const char *shown)
{
    char touch[300];
    pid_t gdb;

    snprintf(touch, sizeof(touch), "shell touch %s", host_path(host, "attached"));
    gdb = fork();
    if (gdb == 0) {
        int out = open(shown, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        dup2(open("/dev/null", O_RDONLY), 0);
        dup2(out, 1);
        dup2(out, 2);
        execlp("gdb", "gdb", "-nx", "-batch", "-p", pid_text(host->pid), "-ex", line, "-ex", touch,
               "-ex", "continue", "-ex", "info args", "-ex", "print calls", "-ex", "print counted",
               "-ex", "bt", "-ex", "info symbol $pc", "-ex", "detach", (char *)NULL);
        _exit(127);
    }
    assert_true(gdb > 0);
    await_file(host_path(host, "attached"));
    return gdb;
}

static void must_show(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("gdb does not show \"%s\":\n%s", wanted, text);
}

static void gdb_shows_file_line_arguments_and_variables(void **state)
{
    char line[64], at[64], path[256];
    struct host *host;
    char *text;
    int status;
    pid_t gdb;

    (void)state;
    if (sanitized())
        skip();
    need_program("gdb");
    make_host("debugged", "gcc", "program.c", "-Og", "", both_frames);
    host = host_start(directory_path("debugged"), NULL);
    must_apply(host, "load %s", directory_path("debugged.hpo"));
    await_read(host->pid);
    snprintf(line, sizeof(line), "tbreak frames.c:%d", line_of("    result = depth"));
    snprintf(at, sizeof(at), "frames.c:%d", line_of("    result = depth"));
    snprintf(path, sizeof(path), "%s", host_path(host, "shown"));
    gdb = attach(host, line, path);
    host_say(host, "count");
    assert_int_equal(waitpid(gdb, &status, 0), gdb);
    host_hear(host);
    text = file_text(path);
    must_show(text, "hit Temporary breakpoint");
    must_show(text, at);
    must_show(text, "depth = 3");
    must_show(text, "$1 = 1\n");  /* of the program: one call */
    must_show(text, "$2 = 40\n"); /* of the program */
    must_show(text, "in command (");
    must_show(text, "through + ");
    must_show(text, ".so"); /* not the program's own */
    free(text);
    unlink(path);
    unlink(host_path(host, "attached"));
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backtrace_passes_through_new_code),
        cmocka_unit_test(libunwind_passes_through_new_code),
        cmocka_unit_test(exceptions_pass_through_new_code),
        cmocka_unit_test(gdb_shows_file_line_arguments_and_variables),
    };

    return cmocka_run_group_tests(tests, build, directory_remove);
}
