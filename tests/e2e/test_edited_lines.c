/*
 * test_edited_lines.c - gdb shows the lines of the edited file in new code, in hunks that add lines and behind them; __LINE__ and
 * __FILE__ stay what they are.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/directory.h"
#include "tests/support/harness.h"
#include "tests/support/talker.h"

static const char main_c[] = "#include <hosts/loop.h>\n"
                             "int step(int n);\n"
                             "int note(int n);\n"
                             "int note(int n) { return n; }\n"
                             "static void command(const char *word, char *rest)\n"
                             "{\n"
                             "    (void)word, (void)rest;\n"
                             "    say(\"%d\", step(5));\n"
                             "}\n"
                             "int main(void) { return loop(); }\n";

static const char before_c[] = "int note(int n);\n"
                               "static int count;\n"
                               "int deeper(int n);\n"
                               "__attribute__((noinline)) int deeper(int n)\n"
                               "{\n"
                               "    count++;\n"
                               "    return note(n) + 1;\n"
                               "}\n"
                               "int step(int n);\n"
                               "int step(int n)\n"
                               "{\n"
                               "    int inner = deeper(n);\n"
                               "    inner += note(n);\n"
                               "    return inner;\n"
                               "}\n"
                               "int last(void);\n"
                               "int last(void)\n"
                               "{\n"
                               "    return __LINE__;\n"
                               "}\n";

static const char after_c[] = "int note(int n);\n"
                              "static int count;\n"
                              "static int unused __attribute__((unused));\n"
                              "int deeper(int n);\n"
                              "__attribute__((noinline)) int deeper(int n)\n"
                              "{\n"
                              "    count++;\n"
                              "    /* Two lines\n"
                              "     * of text. */\n"
                              "    count += note(10);\n"
                              "    return note(n) + 1;\n"
                              "}\n"
                              "int step(int n);\n"
                              "int step(int n)\n"
                              "{\n"
                              "    int inner = deeper(n);\n"
                              "    inner += note(n * 10);\n"
                              "    inner += note(n * 100);\n"
                              "    inner += !__builtin_strcmp(__FILE__, __BASE_FILE__);\n"
                              "    inner += note(n);\n"
                              "    return inner;\n"
                              "}\n"
                              "int last(void);\n"
                              "int last(void)\n"
                              "{\n"
                              "    return __LINE__;\n"
                              "}\n";

#define OLD_ANSWER "11"  /* 6 + 5 */
#define NEW_ANSWER "562" /* 6 + 50 + 500 + 1 + 5 */

static void put(const char *name, const char *text)
{
    file_write(directory_path(name), text, strlen(text), 0644);
}

/* Return the number of the line of the edited file that has the text. */
static int line_of(const char *text)
{
    const char *at = strstr(after_c, text);
    int line = 1;

    assert_non_null(at);
    for (const char *p = after_c; p < at; p++)
        line += *p == '\n';
    return line;
}

static struct host *start(const char *compiler)
{
    put("main.c", main_c);
    put("step.c", before_c);
    run_in_directory("%s -O1 -g -I%s -Wl,--build-id -o host main.c step.c", compiler,
                     source_file("tests"));
    return host_start(directory_path("host"), NULL);
}

/* ---- gdb ---- */

struct debugged {
    struct host *host;
    pid_t gdb;
    char shown[256], attached[256];
};

/* Let gdb stop once in each line; it shows the frames there, and detaches. Return after it has let the program go on. */
static struct debugged debug(struct host *host, int first, int second)
{
    struct debugged debugged = {.host = host};
    char one[64], two[64], line[64], touch[300];

    snprintf(debugged.shown, sizeof(debugged.shown), "%s", host_path(host, "shown"));
    snprintf(debugged.attached, sizeof(debugged.attached), "%s", host_path(host, "attached"));
    snprintf(one, sizeof(one), "tbreak step.c:%d", first);
    snprintf(two, sizeof(two), "tbreak step.c:%d", second);
    snprintf(line, sizeof(line), "info line step.c:%d", second);
    snprintf(touch, sizeof(touch), "shell touch %s", debugged.attached);
    await_read(host->pid);
    debugged.gdb = fork();
    if (debugged.gdb == 0) {
        int out = open(debugged.shown, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        dup2(open("/dev/null", O_RDONLY), 0);
        dup2(out, 1);
        dup2(out, 2);
        execlp("gdb", "gdb", "-nx", "-batch", "-d", directory, "-p", pid_text(host->pid), "-ex",
               one, "-ex", two, "-ex", line, "-ex", touch, "-ex", "continue", "-ex", "bt", "-ex",
               "continue", "-ex", "bt", "-ex", "detach", (char *)NULL);
        _exit(127);
    }
    assert_true(debugged.gdb > 0);
    await_file(debugged.attached);
    return debugged;
}

/* Return what gdb has shown. */
static char *debug_end(struct debugged *debugged)
{
    char *text;
    int status;

    assert_int_equal(waitpid(debugged->gdb, &status, 0), debugged->gdb);
    text = file_text(debugged->shown);
    unlink(debugged->shown);
    unlink(debugged->attached);
    return text;
}

/* Require that gdb stopped in the function, at this line of the edited file, and showed it. */
static void must_stop(const char *text, const char *function, const char *words)
{
    char at[64], source[128];

    snprintf(at, sizeof(at), "step.c:%d\n", line_of(words));
    snprintf(source, sizeof(source), "\n%d\t%s", line_of(words), words);
    if (!strstr(text, function) || !strstr(text, at) || !strstr(text, source))
        fail_msg("gdb does not stop in %s, step.c:%d:\n%s", function, line_of(words), text);
}

static void see_lines(struct host *host)
{
    struct debugged debugged =
        debug(host, line_of("    inner += note(n * 100)"), line_of("    inner += note(n);"));
    char *text, caller[64];

    host_say(host, "step");
    text = debug_end(&debugged);
    assert_string_equal(host_hear(host), NEW_ANSWER);
    must_stop(text, "step (n=", "    inner += note(n * 100)");
    must_stop(text, "step (n=", "    inner += note(n);");
    free(text);
    debugged = debug(host, line_of("    count += note(10)"), line_of("    return note(n) + 1"));
    host_say(host, "step");
    text = debug_end(&debugged);
    host_hear(host);
    must_stop(text, "deeper (n=", "    count += note(10)");
    must_stop(text, "deeper (n=", "    return note(n) + 1");
    snprintf(caller, sizeof(caller), "step.c:%d\n", line_of("    int inner"));
    if (!strstr(text, caller) || strstr(text, "hunk"))
        fail_msg("not called from %s%s", caller, text);
    free(text);
}

/* ---- tests ---- */

static void build_and_see(const char *compiler)
{
    struct host *host = start(compiler);

    put("after.c", after_c);
    run_in_directory("mkdir -p a b && cp step.c a && cp after.c b/step.c;"
                     "diff -u a/step.c b/step.c >fix.diff;"
                     "XDG_CACHE_HOME=%s %s build --target host --cc '%s -O1 -g' step.c fix.diff "
                     "-o fix.hpo",
                     directory, built("hotpatch"), compiler);
    put("step.c", after_c);
    host_expect(host, "step", OLD_ANSWER);
    output_must(hotpatch(host, "load", pid_text(host->pid), directory_path("fix.hpo"), NULL), 0,
                "2 slots", NULL); /* not last(), whose __LINE__ is the same */
    host_expect(host, "step", NEW_ANSWER);
    see_lines(host);
    host_stop(host);
}

static void gdb_shows_the_edited_lines_after_a_build(void **state)
{
    (void)state;
    if (sanitized())
        skip();
    need_program("gdb");
    build_and_see("gcc");
    need_program("clang");
    build_and_see("clang");
}

static void gdb_shows_the_edited_lines_after_a_save(void **state)
{
    static struct talker watch;
    struct host *host;

    (void)state;
    if (sanitized())
        skip();
    need_program("gdb");
    host = start("gcc");
    talker_start(&watch, host->directory,
                 (const char *[]){"watch", pid_text(host->pid), "--cc", "gcc -O1 -g",
                                  directory_path("step.c"), NULL});
    talker_await(&watch, "ready in ");
    put("step.c", after_c);
    talker_await(&watch, "step.c: live in ");
    see_lines(host);
    talker_stop(&watch);
    host_stop(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gdb_shows_the_edited_lines_after_a_build),
        cmocka_unit_test(gdb_shows_the_edited_lines_after_a_save),
    };

    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
