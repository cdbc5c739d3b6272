/*
 * test_watch.c - hotpatch watch: a save is live, however an editor makes it; what cannot be live is said, and the old
 * code stays.
 *
 * The program is built in the suite's directory by a user's tools. It answers the lines of its input.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/directory.h"
#include "tests/support/harness.h"
#include "tests/support/talker.h"

/* A name that no other process has. */
static char at_program[32] = "@w", *program = at_program + 1;

struct world {
    struct host *host;
    struct talker watch;
};

/* ---- the program ---- */

static const char step_h[] = "#define STEP 1\nint step(void);\nint other(void);\n"
                             "const char *word(void);\n";
static const char step_c[] = "#include \"step.h\"\n"
                             "static int count;\n"
                             "int step(void) { count += STEP; return count; }\n"
                             "const char *word(void) { return \"one\"; }\n";
static const char other_c[] = "#include \"step.h\"\nint other(void) { return STEP * 10; }\n";
static const char main_c[] = "#include <stdio.h>\n"
                             "#include <string.h>\n"
                             "#include \"step.h\"\n"
                             "int main(void)\n"
                             "{\n"
                             "    char line[64];\n"
                             "    setvbuf(stdout, NULL, _IOLBF, 0);\n"
                             "    puts(\"ready\");\n"
                             "    while (fgets(line, sizeof(line), stdin)) {\n"
                             "        if (!strcmp(line, \"step\\n\"))\n"
                             "            printf(\"%d\\n\", step());\n"
                             "        else if (!strcmp(line, \"word\\n\"))\n"
                             "            puts(word());\n"
                             "        else if (!strcmp(line, \"spin\\n\"))\n"
                             "            for (volatile int n = puts(\"spinning\");; n++)\n"
                             "                ;\n"
                             "        else if (!strncmp(line, \"exit \", 5))\n"
                             "            return line[5] - '0';\n"
                             "        else\n"
                             "            printf(\"%d\\n\", other());\n"
                             "    }\n"
                             "    return 0;\n"
                             "}\n";

static void put(const char *name, const char *text)
{
    int fd = open(directory_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(close(fd), 0);
}

/* Save the text with the first `from` in it replaced by `to`. */
static void save(const char *name, const char *text, const char *from, const char *to)
{
    char edited[4096];
    const char *at = strstr(text, from);

    assert_non_null(at);
    snprintf(edited, sizeof(edited), "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    put(name, edited);
}

static void put_sources(void)
{
    put("step.h", step_h);
    put("step.c", step_c);
    put("other.c", other_c);
    put("main.c", main_c);
}

static void put_commands_of(const char *flags, int files)
{
    static const char *const names[] = {"step", "other", "main", "more"};
    char text[4096] = "[";
    size_t length = 1;

    for (int i = 0; i < files; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "%s{\"directory\": \"%s\", \"file\": \"%s.c\","
                                   " \"command\": \"gcc %s -c -o %s.o %s.c\"}",
                                   i ? ",\n" : "", directory, names[i], flags, names[i], names[i]);
    snprintf(text + length, sizeof(text) - length, "]\n");
    put("compile_commands.json", text);
}

static void put_commands(const char *flags)
{
    put_commands_of(flags, 3);
}

static void build_program(void)
{
    char command[512];

    snprintf(command, sizeof(command),
             "cd %s && for f in step other main; do gcc -O2 -g -c -o $f.o $f.c || exit 1; done && "
             "gcc -g -o app.new step.o other.o main.o && mv app.new %s",
             directory, program);
    run_shell(command);
}

static int start(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    *state = world;
    put_sources();
    put_commands("-O2 -g");
    build_program();
    world->host = host_start(directory_path(program), NULL);
    return 0;
}

static int stop(void **state)
{
    struct world *world = *state;

    if (getenv("WATCH_SHOW"))
        print_message("%s\n", world->watch.text);
    talker_stop(&world->watch);
    if (world->host)
        host_kill(world->host);
    free(world);
    return 0;
}

static void watch(struct world *world, const char *target, const char *option)
{
    const char *argv[] = {"watch", target, "--build-dir", directory, option, NULL};

    talker_start(&world->watch, world->host->directory, argv);
    talker_await(&world->watch, "ready in ");
}

static void watch_host(struct world *world)
{
    watch(world, pid_text(world->host->pid), NULL);
}

/* ---- saves ---- */

static void a_save_is_live_and_statics_keep_their_values(void **state)
{
    struct world *world = *state;

    host_expect(world->host, "step", "1");
    watch_host(world);
    save("step.c", step_c, "count += STEP", "count += STEP * 100");
    talker_await(&world->watch, "step.c: live in ");
    talker_await(&world->watch, "ms (noticed ");
    talker_await(&world->watch, ": step\n");
    host_expect(world->host, "step", "101");
    host_expect(world->host, "word", "one");
}

static void editing_back_reverts(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "two");
    put("step.c", step_c);
    talker_await(&world->watch, "step.c: reverted in ");
    host_expect(world->host, "word", "one");
}

static void each_save_states_the_whole_difference(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    save("other.c", other_c, "* 10", "* 20");
    talker_await(&world->watch, "other.c: live in ");
    host_expect(world->host, "word", "two");
    host_expect(world->host, "other", "20");
    put("step.c", step_c);
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "one");
    host_expect(world->host, "other", "20");
}

static void a_header_changes_every_file_that_includes_it(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("step.h", step_h, "STEP 1", "STEP 7");
    talker_await(&world->watch, "step.h: live in ");
    host_expect(world->host, "step", "7");
    host_expect(world->host, "other", "70");
}

static void several_files_saved_at_once_are_one_step(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("step.c", step_c, "\"one\"", "\"two\"");
    save("other.c", other_c, "* 10", "* 20");
    talker_await(&world->watch, "live in ");
    host_expect(world->host, "word", "two");
    host_expect(world->host, "other", "20");
}

static void a_new_header_is_watched_too(void **state)
{
    struct world *world = *state;

    watch_host(world);
    put("new.h", "#define WORD \"new\"\n");
    save("step.c", step_c, "count;", "count;\n#include \"new.h\"\n#undef STEP\n#define STEP 3\n");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "step", "3");
    put("new.h",
        "#undef STEP\n#define WORD \"newer\"\nstatic inline int more(void) { return 9; }\n");
    save("step.c", step_c, "count;\nint step(void) { count += STEP",
         "count;\n#include \"new.h\"\nint step(void) { count += more()");
    talker_await(&world->watch, "live in ");
    host_expect(world->host, "step", "12");
    put("new.h", "#define STEP 1\nstatic inline int more(void) { return 30; }\n");
    talker_await(&world->watch, "new.h: live in ");
    host_expect(world->host, "step", "42");
}

/* ---- editors ---- */

static void a_file_renamed_over_is_a_save(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("step.c.tmp", step_c, "\"one\"", "\"two\"");
    assert_int_equal(rename(directory_path("step.c.tmp"), directory_path("step.c")), 0);
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "two");
}

/* As vim does with 'backup', and emacs at the first save. */
static void a_file_moved_away_and_written_anew_is_a_save(void **state)
{
    struct world *world = *state;

    watch_host(world);
    assert_int_equal(rename(directory_path("step.c"), directory_path("step.c~")), 0);
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "two");
}

static void sed_saves(void **state)
{
    struct world *world = *state;
    char command[256];

    watch_host(world);
    snprintf(command, sizeof(command), "sed -i s/one/two/ %s/step.c", directory);
    run_shell(command);
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "two");
}

static void what_is_half_written_is_not_compiled(void **state)
{
    struct world *world = *state;
    static const char half[] = "#include \"step.h\"\nstatic int count;\n"
                               "int step(void) { count += STEP; return count; }\n";
    static const char rest[] = "const char *word(void) { return \"two\"; }\n";
    int fd;

    watch_host(world);
    fd = open(directory_path("step.c"), O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, half, strlen(half)), (ssize_t)strlen(half));
    save("other.c", other_c, "* 10", "* 20");
    talker_await(&world->watch, "waiting until ");
    assert_int_equal(write(fd, rest, strlen(rest)), (ssize_t)strlen(rest));
    assert_int_equal(close(fd), 0);
    talker_await(&world->watch, "live in ");
    host_expect(world->host, "word", "two");
    host_expect(world->host, "step", "1");
}

static void two_saves_of_one_time_and_size_are_both_live(void **state)
{
    struct world *world = *state;
    const struct timespec times[2] = {{1000000000, 0}, {1000000000, 0}};

    watch_host(world);
    save("step.c", step_c, "\"one\"", "\"two\"");
    utimensat(AT_FDCWD, directory_path("step.c"), times, 0);
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "two");
    save("step.c", step_c, "\"one\"", "\"six\"");
    utimensat(AT_FDCWD, directory_path("step.c"), times, 0);
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "six");
}

static void the_last_of_many_saves_is_live(void **state)
{
    struct world *world = *state;
    char word[16];

    watch_host(world);
    for (int i = 0; i < 50; i++) {
        snprintf(word, sizeof(word), "\"n%d\"", i);
        save("step.c", step_c, "\"one\"", word);
    }
    do
        talker_await(&world->watch, "live in ");
    while (strcmp(host_ask(world->host, "word"), "n49") != 0);
}

static void contents_that_are_the_same_again_are_no_save(void **state)
{
    struct world *world = *state;

    watch_host(world);
    put("step.c", step_c);
    save("other.c", other_c, "* 10", "* 20");
    talker_await(&world->watch, "other.c: live in ");
    assert_null(strstr(world->watch.text, "step.c: "));
}

/* ---- refusals ---- */

static void a_failed_compile_shows_the_compilers_words_and_the_old_code_stays(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    save("step.c", step_c, "return \"one\"", "retrun \"three\"");
    talker_await(&world->watch, "retrun");
    talker_await(&world->watch, "HP-COMPILE");
    talker_await(&world->watch, "the old code stays live");
    host_expect(world->host, "word", "two");
    save("step.c", step_c, "\"one\"", "\"four\"");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "four");
}

static void an_edit_that_changes_no_code_is_said_and_changes_nothing(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("step.c", step_c, "static int count;", "static int count; /* of steps */\n\n");
    talker_await(&world->watch, "step.c: ");
    host_expect(world->host, "step", "1");
    assert_false(talker_said(&world->watch, "live"));
}

static void a_refused_edit_says_why_and_the_next_one_is_live(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("step.c", step_c, "static int count;", "static __thread int fresh; static long count;");
    talker_await(&world->watch, "HP-");
    talker_await(&world->watch, "the old code stays live");
    host_expect(world->host, "step", "1");
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "two");
}

static void sources_that_are_not_the_programs_are_refused(void **state)
{
    struct world *world = *state;

    save("step.c", step_c, "count += STEP", "count += STEP + 1");
    watch_host(world);
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "HP-BASELINE");
    host_expect(world->host, "word", "one");
}

static void changed_compile_commands_are_read_again(void **state)
{
    struct world *world = *state;

    watch_host(world);
    put_commands("-O2 -g -DUNUSED");
    talker_await(&world->watch, "compile_commands.json has changed: read again");
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "two");
}

static void
changed_commands_of_a_build_directory_that_is_named_from_here_are_read_again(void **state)
{
    struct world *world = *state;
    const char *argv[] = {"watch", pid_text(world->host->pid), "--build-dir", ".", NULL};
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_int_equal(chdir(directory), 0);
    talker_start(&world->watch, world->host->directory, argv);
    assert_int_equal(fchdir(here), 0);
    close(here);
    talker_await(&world->watch, "ready in ");
    put_commands("-O2 -g -DUNUSED");
    talker_await(&world->watch, "compile_commands.json has changed: read again");
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "two");
}

static void a_refusal_of_the_process_names_the_source_and_no_file_of_the_command(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("step.c", step_c, "int step(void) { count += STEP",
         "int nowhere(void);\nint step(void) { count += nowhere()");
    talker_await(&world->watch, "step.c: not live in process ");
    talker_await(&world->watch, "HP-UNDEFINED: nothing in the process defines nowhere\n");
    host_expect(world->host, "step", "1");
}

/* The program opens its library when it is asked for "other". */
static void a_library_that_is_opened_later_is_watched(void **state)
{
    static const char plugin_c[] = "static int calls;\nint plugin(void);\n"
                                   "int plugin(void) { return 500 + ++calls; }\n";
    struct world *world = *state;
    char text[4096], command[512];

    host_kill(world->host);
    put("more.c", plugin_c);
    snprintf(text, sizeof(text),
             "#include <dlfcn.h>\n#include \"step.h\"\n"
             "int other(void) { static int (*plugin)(void); if (!plugin)\n"
             "plugin = (int (*)(void))dlsym(dlopen(\"%s/plugin.so\", RTLD_NOW), \"plugin\");\n"
             "return plugin(); }\n",
             directory);
    put("other.c", text);
    put_commands_of("-O2 -g -fPIC", 4);
    snprintf(command, sizeof(command),
             "cd %s && for f in step other main more; do gcc -O2 -g -fPIC -c -o $f.o $f.c || "
             "exit 1; done && gcc -shared -o plugin.so more.o && "
             "gcc -g -o app.new step.o other.o main.o && mv app.new %s",
             directory, program);
    run_shell(command);
    world->host = host_start(directory_path(program), NULL);
    watch_host(world);
    host_expect(world->host, "other", "501");
    talker_await(&world->watch, "plugin.so is patched from now on");
    save("more.c", plugin_c, "500", "700");
    talker_await(&world->watch, "more.c: live in ");
    host_expect(world->host, "other", "702");
    unlink(directory_path("more.c"));
}

static void a_header_that_comes_after_its_include_is_waited_for(void **state)
{
    struct world *world = *state;

    watch_host(world);
    unlink(directory_path("late.h"));
    save("step.c", step_c, "static int count;", "#include \"late.h\"\nstatic int count;");
    talker_await(&world->watch, "late.h");
    talker_await(&world->watch, "the old code stays live");
    put("late.h", "#undef STEP\n#define STEP 5\n");
    talker_await(&world->watch, "live in ");
    host_expect(world->host, "step", "5");
}

/* main() does not return: its loop stays. */
static void a_call_that_does_not_return_is_named_with_its_thread(void **state)
{
    struct world *world = *state;

    watch_host(world);
    save("main.c", main_c, "printf(\"%d\\n\", other())", "printf(\"%d\\n\", other() + 1)");
    talker_await(&world->watch, "main.c: live in ");
    talker_await(&world->watch, "main: thread ");
    talker_await(&world->watch, "still runs the old code; its call has not returned since 2");
    host_expect(world->host, "other", "10");
}

/* gcc makes serve.constprop.0 of serve(), and main() jumps to it: no frame of main() is left. */
static const char clone_c[] =
    "#include <stdio.h>\n"
    "#include \"step.h\"\n"
    "__attribute__((noinline)) static int serve(int count, const char *word)\n"
    "{\n"
    "    char line[64];\n"
    "    puts(\"ready\");\n"
    "    fflush(stdout);\n"
    "    while (fgets(line, sizeof(line), stdin)) {\n"
    "        count += 2;\n"
    "        printf(\"%d %s %d\\n\", count, word, other());\n"
    "        fflush(stdout);\n"
    "    }\n"
    "    return count + step();\n"
    "}\n"
    "int main(int argc, char **argv) { return serve(argc + !argv[0], \"it\"); }\n";

/* Read from status since when the code of the clone is old. */
static void read_since(const struct world *world, char *since, size_t size)
{
    struct output *output = hotpatch(world->host, "status", pid_text(world->host->pid), NULL);
    const char *text = strstr(output->out, "serve.constprop.0: thread ");

    assert_non_null(text);
    text = strstr(text, "led to it has not returned since ");
    assert_non_null(text);
    snprintf(since, size, "%.*s", (int)strcspn(text, "\n"), text);
    output_free(output);
}

static void a_thread_in_a_clone_is_named_with_the_time_of_the_first_save(void **state)
{
    struct world *world = *state;
    char since[128], again[128];

    host_kill(world->host);
    put("main.c", clone_c);
    build_program();
    world->host = host_start(directory_path(program), NULL);
    watch_host(world);
    save("main.c", clone_c, "count += 2", "count += 3");
    talker_await(&world->watch, "main.c: live in ");
    talker_await(&world->watch, "serve.constprop.0: thread ");
    talker_await(&world->watch, "the old code; a call that led to it has not returned since 2");
    host_expect(world->host, "x", "3 it 10");
    await_read(world->host->pid);
    read_since(world, since, sizeof(since));
    save("main.c", clone_c, "count += 2", "count += 4");
    talker_await(&world->watch, "main.c: live in ");
    read_since(world, again, sizeof(again));
    assert_string_equal(since, again);
    host_expect(world->host, "x", "5 it 10");
}

static void two_watches_of_a_process_are_told_of_each_other(void **state)
{
    struct world *world = *state;
    const char *argv[] = {"watch", pid_text(world->host->pid), "--build-dir", directory, NULL};
    struct talker second = {0};

    watch_host(world);
    talker_start(&second, world->host->directory, argv);
    talker_await(&second, "has another hotpatch watch, too (process ");
    talker_await(&second, "ready in ");
    talker_await(&world->watch, "has another hotpatch watch, too (process ");
    assert_null(
        strstr(strstr(world->watch.text, "another hotpatch watch") + 1, "another hotpatch"));
    talker_stop(&second);
}

static void a_thread_that_never_sleeps_is_named_as_one_that_cannot_be_looked_at(void **state)
{
    struct world *world = *state;

    watch_host(world);
    host_expect(world->host, "spin", "spinning");
    save("main.c", main_c, "printf(\"%d\\n\", other())", "printf(\"%d\\n\", other() + 1)");
    talker_await(&world->watch, "main.c: live in ");
    talker_await(&world->watch, "ran whenever it was looked at: whether it still runs old code");
}

static void a_source_that_is_new_in_the_compile_commands_becomes_part_of_the_program(void **state)
{
    struct world *world = *state;

    watch_host(world);
    put("more.c", "static int calls;\nint more(void);\n"
                  "int more(void) { return 40 + ++calls; }\n");
    put_commands_of("-O2 -g", 4);
    talker_await(&world->watch, "compile_commands.json has changed: read again");
    save("step.c", step_c, "int step(void) { count += STEP",
         "int more(void);\nint step(void) { count += more()");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "step", "41");
    put("more.c", "static int calls;\nint more(void);\n"
                  "int more(void) { return 1000 + ++calls; }\n");
    talker_await(&world->watch, "more.c: live in ");
    host_expect(world->host, "step", "1043");
    unlink(directory_path("more.c"));
}

/* ---- processes ---- */

static void the_watch_ends_with_the_process(void **state)
{
    struct world *world = *state;

    watch_host(world);
    host_say(world->host, "exit 0");
    talker_await(&world->watch, "has ended");
    assert_int_equal(talker_wait(&world->watch), 0);
}

static struct host *second_host(struct world *world)
{
    char runtime[300];
    const char *const environment[] = {runtime, NULL};

    snprintf(runtime, sizeof(runtime), "HOTPATCH_DIR=%s", world->host->directory);
    return host_start(directory_path(program), environment);
}

static void two_processes_of_one_program_are_both_patched(void **state)
{
    struct world *world = *state;
    struct host *second = second_host(world);

    watch(world, at_program, NULL);
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, " in 2 processes: word");
    host_expect(world->host, "word", "two");
    host_expect(second, "word", "two");
    host_kill(second);
}

static void of_two_processes_one_that_does_not_answer_is_named(void **state)
{
    struct world *world = *state;
    struct host *second = second_host(world);
    char failed[64];

    watch(world, at_program, NULL);
    kill(second->pid, SIGSTOP);
    save("step.c", step_c, "\"one\"", "\"two\"");
    snprintf(failed, sizeof(failed), "not live in process %d: HP-", (int)second->pid);
    talker_await(&world->watch, failed);
    host_expect(world->host, "word", "two");
    kill(second->pid, SIGCONT);
    save("step.c", step_c, "\"one\"", "\"three\"");
    talker_await(&world->watch, " in 2 processes: word");
    host_expect(world->host, "word", "three");
    host_expect(second, "word", "three");
    host_kill(second);
}

static void a_restarted_program_is_patched_again(void **state)
{
    struct world *world = *state;
    struct host *second;

    watch(world, at_program, NULL);
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    second = second_host(world);
    talker_await(&world->watch, "live in ");
    host_expect(second, "word", "two");
    host_kill(second);
}

static void a_program_built_from_the_edited_sources_needs_no_patch(void **state)
{
    struct world *world = *state;
    struct host *second;

    watch(world, at_program, NULL);
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    build_program();
    second = second_host(world);
    talker_await(&world->watch, "is patched from now on");
    host_expect(second, "word", "two");
    save("step.c", step_c, "\"one\"", "\"three\"");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(second, "word", "three");
    host_expect(world->host, "word", "three");
    put("step.c", step_c);
    talker_await(&world->watch, "step.c: ");
    talker_await(&world->watch, "live in ");
    host_expect(second, "word", "one");
    host_expect(world->host, "word", "one");
    host_kill(second);
}

/* ---- the end ---- */

static void the_patches_stay_and_how_to_revert_is_said(void **state)
{
    struct world *world = *state;
    struct output *output;

    watch_host(world);
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    assert_int_equal(talker_interrupt(&world->watch), 0);
    assert_true(talker_said(&world->watch, "the patch stays; hotpatch revert "));
    host_expect(world->host, "word", "two");
    output = hotpatch(world->host, "revert", pid_text(world->host->pid), "watch", NULL);
    output_must(output, 0, "reverted watch", NULL);
    host_expect(world->host, "word", "one");
}

static void the_patches_are_reverted_at_exit_if_asked(void **state)
{
    struct world *world = *state;

    watch(world, pid_text(world->host->pid), "--revert-at-exit");
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    assert_int_equal(talker_interrupt(&world->watch), 0);
    host_expect(world->host, "word", "one");
}

static void events_are_json_lines_if_asked(void **state)
{
    struct world *world = *state;
    const char *argv[] = {"watch", pid_text(world->host->pid), "--build-dir", directory, "--json",
                          NULL};

    talker_start(&world->watch, world->host->directory, argv);
    talker_await(&world->watch, "\"event\":\"ready\"");
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "\"event\":\"live\"");
    talker_await(&world->watch, "\"milliseconds\":{");
    talker_await(&world->watch, "\"name\":\"word\"");
    put("step.c", step_c);
    talker_await(&world->watch, "\"event\":\"reverted\"");
}

/* Save a source that includes a FIFO. Return the end for writing, when the compiler reads the other one. */
static int save_what_hangs(void)
{
    int fifo;

    assert_int_equal(mkfifo(directory_path("endless.h"), 0600), 0);
    save("step.c", step_c, "#include \"step.h\"\n",
         "#include \"step.h\"\n#include \"endless.h\"\n");
    fifo = open(directory_path("endless.h"), O_WRONLY | O_CLOEXEC);
    assert_true(fifo >= 0);
    assert_int_equal(unlink(directory_path("endless.h")), 0);
    return fifo;
}

/* Wait until nobody reads the FIFO. */
static void await_no_reader(int fifo)
{
    struct pollfd event = {.fd = fifo};

    assert_int_equal(poll(&event, 1, 10000), 1);
    assert_true(event.revents & POLLERR);
    close(fifo);
}

static void a_compiler_that_does_not_end_is_ended_with_the_watch(void **state)
{
    struct world *world = *state;
    int fifo;

    watch_host(world);
    fifo = save_what_hangs();
    assert_int_equal(talker_interrupt(&world->watch), 0);
    await_no_reader(fifo);
    host_expect(world->host, "word", "one");
}

static void no_compiler_outlives_a_watch_that_is_killed(void **state)
{
    struct world *world = *state;
    int fifo;

    watch_host(world);
    fifo = save_what_hangs();
    talker_stop(&world->watch);
    await_no_reader(fifo);
}

/* Wait until the doorbell of a stopped process has been rung. */
static void await_ring(const struct host *host)
{
    char command[256];

    snprintf(command, sizeof(command),
             "n=0; until grep -E '^(SigPnd|ShdPnd)' /proc/%d/status | grep -q '[1-9a-f]0*$'; do "
             "sleep 0.01; n=$((n + 1)); [ $n -lt 3000 ] || exit 1; done",
             (int)host->pid);
    run_shell(command);
}

static void a_watch_that_waits_for_a_stopped_process_can_be_interrupted(void **state)
{
    struct world *world = *state;
    const char *listen = getenv("HOTPATCH_LISTEN");

    if (listen && strcmp(listen, "start") == 0)
        skip(); /* a process whose threads listen is not rung */
    watch_host(world);
    kill(world->host->pid, SIGSTOP);
    save("step.c", step_c, "\"one\"", "\"two\"");
    await_ring(world->host);
    assert_int_equal(talker_interrupt(&world->watch), 0);
    assert_false(talker_said(&world->watch, "step.c: live in "));
    kill(world->host->pid, SIGCONT);
}

/* ---- a program that the command starts ---- */

static void a_program_is_started_and_its_exit_status_is_returned(void **state)
{
    struct world *world = *state;
    char command[1024];
    struct output *output;

    snprintf(command, sizeof(command),
             "cd %s || exit 1; rm -f in log; mkfifo in; : >log; "
             "(%s watch --log log --build-dir . -- ./%s <in; echo status $?) >out & exec 3>in; "
             "until grep -q 'ready in' log; do sleep 0.05; done; sed -i s/one/two/ step.c; "
             "until grep -q 'live in' log; do sleep 0.05; done; "
             "echo word >&3; echo exit 7 >&3; wait; cat out log",
             directory, built("hotpatch"), program);
    output = run_program(world->host, (const char *const[]){"sh", "-c", command, NULL});
    assert_non_null(strstr(output->out, "two\n"));
    output_must(output, 0, "status 7", "one\n");
}

static void a_program_that_is_not_built_from_the_sources_is_ended_and_refused(void **state)
{
    struct world *world = *state;
    struct output *output =
        hotpatch(world->host, "watch", "--build-dir", directory, "--", "sleep", "1000", NULL);

    output_must(output, 1, "sleep has no symbol table", NULL);
}

static void a_program_that_cannot_be_patched_is_not_started(void **state)
{
    struct world *world = *state;
    struct output *output = hotpatch(world->host, "watch", "--build-dir", directory, "--",
                                     built("hosts/host-static"), NULL);

    output_must(output, 1, "HP-STATIC", "HP-NO-PROCESS");
}

static void the_reader_of_the_lines_has_ended(void **state)
{
    struct world *world = *state;
    char command[512];

    snprintf(command, sizeof(command), "%s watch %d --build-dir %s | head -n 1", built("hotpatch"),
             (int)world->host->pid, directory);
    output_must(run_program(world->host, (const char *const[]){"sh", "-c", command, NULL}), 0,
                "ready in", NULL);
    host_expect(world->host, "word", "one");
}

static void a_program_without_build_commands_is_watched_by_its_files(void **state)
{
    struct world *world = *state;
    char files[3][128];
    const char *argv[] = {
        "watch", pid_text(world->host->pid), "--cc", "gcc -O2 -g", files[0], files[1], files[2],
        NULL};

    for (int i = 0; i < 3; i++)
        snprintf(files[i], sizeof(files[i]), "%s/%s", directory,
                 (const char *const[]){"step.c", "other.c", "main.c"}[i]);
    talker_start(&world->watch, world->host->directory, argv);
    talker_await(&world->watch, "ready in ");
    save("step.c", step_c, "\"one\"", "\"two\"");
    talker_await(&world->watch, "step.c: live in ");
    host_expect(world->host, "word", "two");
}

static void bad_usage_is_refused(void **state)
{
    struct world *world = *state;
    struct output *output = hotpatch(world->host, "watch", NULL);

    output_must(output, 2, "HP-USAGE", NULL);
    output = hotpatch(world->host, "watch", pid_text(world->host->pid), NULL);
    output_must(output, 2, "--build-dir", NULL);
    output = hotpatch(world->host, "watch", pid_text(world->host->pid), "--build-dir", "/", NULL);
    output_must(output, 1, "HP-COMMANDS", NULL);
    output = hotpatch(world->host, "watch", "./app", "--build-dir", directory, NULL);
    output_must(output, 2, "neither a PID nor @NAME", NULL);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(a_save_is_live_and_statics_keep_their_values),
        TEST(editing_back_reverts),
        TEST(each_save_states_the_whole_difference),
        TEST(a_header_changes_every_file_that_includes_it),
        TEST(several_files_saved_at_once_are_one_step),
        TEST(a_new_header_is_watched_too),
        TEST(a_file_renamed_over_is_a_save),
        TEST(a_file_moved_away_and_written_anew_is_a_save),
        TEST(sed_saves),
        TEST(what_is_half_written_is_not_compiled),
        TEST(two_saves_of_one_time_and_size_are_both_live),
        TEST(the_last_of_many_saves_is_live),
        TEST(contents_that_are_the_same_again_are_no_save),
        TEST(a_failed_compile_shows_the_compilers_words_and_the_old_code_stays),
        TEST(an_edit_that_changes_no_code_is_said_and_changes_nothing),
        TEST(a_refused_edit_says_why_and_the_next_one_is_live),
        TEST(sources_that_are_not_the_programs_are_refused),
        TEST(a_refusal_of_the_process_names_the_source_and_no_file_of_the_command),
        TEST(a_library_that_is_opened_later_is_watched),
        TEST(changed_compile_commands_are_read_again),
        TEST(changed_commands_of_a_build_directory_that_is_named_from_here_are_read_again),
        TEST(a_header_that_comes_after_its_include_is_waited_for),
        TEST(a_call_that_does_not_return_is_named_with_its_thread),
        TEST(a_thread_in_a_clone_is_named_with_the_time_of_the_first_save),
        TEST(two_watches_of_a_process_are_told_of_each_other),
        TEST(a_thread_that_never_sleeps_is_named_as_one_that_cannot_be_looked_at),
        TEST(the_watch_ends_with_the_process),
        TEST(two_processes_of_one_program_are_both_patched),
        TEST(a_source_that_is_new_in_the_compile_commands_becomes_part_of_the_program),
        TEST(of_two_processes_one_that_does_not_answer_is_named),
        TEST(a_restarted_program_is_patched_again),
        TEST(a_program_built_from_the_edited_sources_needs_no_patch),
        TEST(the_patches_stay_and_how_to_revert_is_said),
        TEST(the_patches_are_reverted_at_exit_if_asked),
        TEST(events_are_json_lines_if_asked),
        TEST(a_compiler_that_does_not_end_is_ended_with_the_watch),
        TEST(no_compiler_outlives_a_watch_that_is_killed),
        TEST(a_watch_that_waits_for_a_stopped_process_can_be_interrupted),
        TEST(a_program_is_started_and_its_exit_status_is_returned),
        TEST(a_program_that_is_not_built_from_the_sources_is_ended_and_refused),
        TEST(a_program_that_cannot_be_patched_is_not_started),
        TEST(the_reader_of_the_lines_has_ended),
        TEST(a_program_without_build_commands_is_watched_by_its_files),
        TEST(bad_usage_is_refused),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    snprintf(at_program, sizeof(at_program), "@w%d", (int)getpid());
    return cmocka_run_group_tests(tests, directory_make, directory_remove);
}
