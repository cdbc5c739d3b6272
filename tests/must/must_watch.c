/*
 * must_watch.c - hotpatch watch: what a save must come to, and what the command must refuse. test_watch.c has the
 * ways of a save.
 */
#include "tests/must/must.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/talker.h"

static const char rules_h[] = "#define WORD \"old\"\nconst char *word(void);\n";
static const char rules_c[] = "#include \"rules.h\"\n"
                              "static int calls;\n"
                              "const char *word(void) { return calls++ < 9 ? WORD : \"late\"; }\n";
static const char main_c[] = "#include <stdio.h>\n"
                             "#include \"rules.h\"\n"
                             "int main(void)\n"
                             "{\n"
                             "    char line[64];\n"
                             "    setvbuf(stdout, NULL, _IOLBF, 0);\n"
                             "    puts(\"ready\");\n"
                             "    while (fgets(line, sizeof(line), stdin))\n"
                             "        puts(word());\n"
                             "    return 0;\n"
                             "}\n";

static void put(const char *directory, const char *name, const char *text)
{
    file_write(path_of(directory, name), text, strlen(text), 0644);
}

static void put_commands(const char *directory)
{
    char text[2048];

    snprintf(
        text, sizeof(text),
        "[{\"directory\": \"%s\", \"file\": \"rules.c\", \"command\": \"gcc -O2 -g -c rules.c\"},\n"
        "{\"directory\": \"%s\", \"file\": \"main.c\", \"command\": \"gcc -O2 -g -c main.c\"}]\n",
        directory, directory);
    put(directory, "compile_commands.json", text);
}

/* Build the program in the directory of the row's host, and start it. */
static struct host *watched_start(struct host *host)
{
    const char *directory = host->scratch;
    char command[512];

    put(directory, "rules.h", rules_h);
    put(directory, "rules.c", rules_c);
    put(directory, "main.c", main_c);
    put_commands(directory);
    snprintf(
        command, sizeof(command),
        "cd %s && gcc -O2 -g -c rules.c && gcc -O2 -g -c main.c && gcc -g -o app rules.o main.o",
        directory);
    output_must(run_program(NULL, (const char *const[]){"sh", "-c", command, NULL}), 0, NULL, NULL);
    return host_start(path_of(directory, "app"), NULL);
}

/* Return the code in the text, or `otherwise`. */
static const char *code_in(const char *text, const char *otherwise)
{
    static char code[32];
    const char *at = strstr(text, "HP-");

    if (!at)
        return otherwise;
    snprintf(code, sizeof(code), "%.*s", (int)strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"),
             at);
    return code;
}

/* Watch the program, save `text` as `name`, and return what came of it. */
static const char *saved(struct host *host, const char *name, const char *text, const char *answer)
{
    struct host *watched = watched_start(host);
    struct talker *watch = calloc(1, sizeof(*watch));
    const char *outcome;
    size_t heard;

    talker_start(watch, watched->directory,
                 (const char *[]){"watch", pid_text(watched->pid), "--json", "--build-dir",
                                  host->scratch, NULL});
    talker_await(watch, "\"ready\"");
    host_expect(watched, "word", "old");
    heard = watch->heard;
    put(host->scratch, name, text);
    talker_await(watch, "\"files\"");
    talker_await(watch, "}\n");
    outcome = code_in(watch->text + heard, "apply");
    host_expect(watched, "word", strcmp(outcome, "apply") == 0 ? answer : "old");
    talker_stop(watch);
    free(watch);
    host_kill(watched);
    return outcome;
}

static const char *watch_function(struct host *host)
{
    return saved(host, "rules.c",
                 "#include \"rules.h\"\n"
                 "static int calls;\n"
                 "const char *word(void) { return calls++ == 1 ? \"new\" : \"late\"; }\n",
                 "new");
}

static const char *watch_header(struct host *host)
{
    return saved(host, "rules.h", "#define WORD \"new\"\nconst char *word(void);\n", "new");
}

static const char *watch_new_static(struct host *host)
{
    return saved(
        host, "rules.c",
        "#include \"rules.h\"\n"
        "static int calls, fresh = 3;\n"
        "const char *word(void) { return calls++ < 9 && fresh++ == 3 ? \"new\" : \"late\"; }\n",
        "new");
}

static const char *watch_mistake(struct host *host)
{
    return saved(host, "rules.c", "#include \"rules.h\"\nconst char *word(void) { return }\n",
                 NULL);
}

static const char *watch_thread_local(struct host *host)
{
    return saved(host, "rules.c",
                 "#include \"rules.h\"\n"
                 "static int calls;\n"
                 "static __thread int mine;\n"
                 "const char *word(void) { return calls++ < 9 + mine++ ? \"new\" : \"late\"; }\n",
                 NULL);
}

static const char *watch_resized_static(struct host *host)
{
    return saved(host, "rules.c",
                 "#include \"rules.h\"\n"
                 "static long calls;\n"
                 "const char *word(void) { return calls++ < 9 ? \"new\" : \"late\"; }\n",
                 NULL);
}

/* Run `hotpatch watch WORDS...`, which must refuse, and return the code. */
static const char *refused_with(struct host *host, const char *const *words)
{
    const char *argv[16] = {built("hotpatch"), "watch"};
    struct output *output;
    const char *code;

    for (size_t i = 0; words[i]; i++)
        argv[i + 2] = words[i];
    output = run_program(host, argv);
    code = code_in(output->error, "nothing");
    output_free(output);
    return code;
}

static const char *watch_no_build_dir(struct host *host)
{
    return refused_with(host, (const char *[]){pid_text(host->pid), NULL});
}

static const char *watch_no_commands(struct host *host)
{
    return refused_with(host,
                        (const char *[]){pid_text(host->pid), "--build-dir", host->scratch, NULL});
}

static const char *watch_commands_of_others(struct host *host)
{
    put_commands(host->scratch);
    assert_int_equal(chmod(path_of(host->scratch, "compile_commands.json"), 0666), 0);
    return watch_no_commands(host);
}

static const char *watch_other_program(struct host *host)
{
    put(host->scratch, "rules.h", rules_h);
    put(host->scratch, "rules.c", rules_c);
    put(host->scratch, "main.c", main_c);
    put_commands(host->scratch);
    return watch_no_commands(host);
}

static const char *watch_no_library(struct host *host)
{
    struct host *bare = host_start_bare("host");
    const char *code;

    put_commands(host->scratch);
    code = refused_with(host,
                        (const char *[]){pid_text(bare->pid), "--build-dir", host->scratch, NULL});
    host_kill(bare);
    return code;
}

static const char *watch_no_process(struct host *host)
{
    put_commands(host->scratch);
    return refused_with(host, (const char *[]){"999999", "--build-dir", host->scratch, NULL});
}

const struct must_case must_watch[] = {
    CASE(watch_function),
    CASE(watch_header),
    CASE(watch_new_static),
    CASE(watch_mistake),
    CASE(watch_thread_local),
    CASE(watch_resized_static),
    CASE(watch_no_build_dir),
    CASE(watch_no_commands),
    CASE(watch_commands_of_others),
    CASE(watch_other_program),
    CASE(watch_no_library),
    CASE(watch_no_process),
    CASES_END,
};
