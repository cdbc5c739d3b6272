/*
 * test_commands.c - compile commands: how they are read, and what becomes of one for a compilation of our own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/build/command_line.h"
#include "cli/build/compile_commands.h"
#include "cli/build/dependencies.h"
#include "cli/build/file_bytes.h"
#include "cli/build/paths.h"
#include "cli/build/rights.h"

/* Return the words with '|' between them. */
static const char *joined(const struct word_list *words)
{
    static char text[4096];

    *text = '\0';
    for (size_t i = 0; i < words->count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? "|" : "",
                 words->list[i]);
    return text;
}

static const char *split(const char *text, enum words_form form)
{
    static char result[4096];
    struct word_list words = {0};
    const char *problem = words_split(&words, text, form);

    snprintf(result, sizeof(result), "%s", problem ? problem : joined(&words));
    words_free(&words);
    return result;
}

static void a_command_is_parted_as_a_shell_does(void **state)
{
    (void)state;
    assert_string_equal(split("cc -DA='\"x y\"' -DB=\\\"z\\\" \"a b\"c", WORDS_COMMAND),
                        "cc|-DA=\"x y\"|-DB=\"z\"|a bc");
    assert_string_equal(split("  cc  ''\t-c\nx.c ", WORDS_COMMAND), "cc||-c|x.c");
    assert_string_equal(split("cc \"a\\$b\" \\$c", WORDS_COMMAND), "cc|a$b|$c");
    assert_string_equal(split("cd a&&cc x.c;b", WORDS_SCRIPT), "cd|a|&&|cc|x.c|;|b");
    assert_string_equal(split("-DX=\"a\\\\b\" 'c d'", WORDS_RESPONSE), "-DX=a\\b|c d");
}

static void what_the_shell_would_expand_is_not_guessed(void **state)
{
    (void)state;
    assert_string_equal(split("cc $CFLAGS", WORDS_COMMAND),
                        "the shell would expand a variable or a command");
    assert_string_equal(split("cc \"`pwd`\"", WORDS_COMMAND),
                        "the shell would expand a variable or a command");
    assert_string_equal(split("cc 'x", WORDS_COMMAND), "a quote is not closed");
}

/* Read one entry of the members given, and return its directory, file and words. */
static const char *entry_of(const char *members)
{
    static char result[5000];
    struct compile_commands commands = {0};
    struct refusal why = {0};
    char text[2000];

    snprintf(text, sizeof(text), "[{%s}]", members);
    if (compile_commands_read(&commands, text, "commands", "/base", &why) != 0)
        snprintf(result, sizeof(result), "%s", refusal_text(&why, 0));
    else if (!commands.count)
        snprintf(result, sizeof(result), "none");
    else if (commands.list[0].problem)
        snprintf(result, sizeof(result), "problem: %s", commands.list[0].problem);
    else
        snprintf(result, sizeof(result), "%s %s %s", commands.list[0].directory,
                 commands.list[0].file, joined(&commands.list[0].arguments));
    compile_commands_free(&commands);
    refusal_clear(&why);
    return result;
}

static void both_forms_of_a_command_are_read(void **state)
{
    (void)state;
    assert_string_equal(entry_of("\"directory\":\"/b/x/..\",\"file\":\"../s/a.c\","
                                 "\"command\":\"cc -DV=\\\\\\\"1\\\\\\\" -c ../s/a.c\""),
                        "/b /s/a.c cc|-DV=\"1\"|-c|../s/a.c");
    assert_string_equal(entry_of("\"directory\":\"sub\",\"file\":\"a.c\","
                                 "\"arguments\":[\"gcc\",\"-c\",\"a b\",\"a.c\"]"),
                        "/base/sub /base/sub/a.c gcc|-c|a b|a.c");
}

static void what_stands_before_the_compiler_is_left_out(void **state)
{
    (void)state;
    assert_string_equal(entry_of("\"directory\":\"/b\",\"file\":\"a.c\","
                                 "\"command\":\"/usr/bin/ccache distcc gcc -c a.c\""),
                        "/b /b/a.c gcc|-c|a.c");
    assert_string_equal(entry_of("\"directory\":\"/b\",\"file\":\"a.c\",\"command\":\"/bin/bash "
                                 "../libtool --tag=CC --mode=compile -v gcc -O2 -c -o a.lo a.c\""),
                        "/b /b/a.c gcc|-O2|-c|-o|a.lo|a.c");
    assert_string_equal(entry_of("\"directory\":\"/b\",\"file\":\"/b/s/a.c\","
                                 "\"command\":\"sh -c 'cd s && X=1 gcc -c a.c'\""),
                        "/b/s /b/s/a.c gcc|-c|a.c");
}

static void a_script_of_several_commands_is_a_problem_of_its_file_alone(void **state)
{
    (void)state;
    assert_string_equal(entry_of("\"directory\":\"/b\",\"file\":\"a.c\","
                                 "\"arguments\":[\"sh\",\"-c\",\"x; gcc -c a.c\"]"),
                        "problem: a shell script with several commands compiles the file");
}

static void what_compiles_nothing_is_left_out(void **state)
{
    (void)state;
    assert_string_equal(
        entry_of("\"directory\":\"/b\",\"file\":\"a.c\",\"command\":\"cc -fsyntax-only a.c\""),
        "none");
    assert_string_equal(entry_of("\"directory\":\"/b\",\"file\":\"a.c\",\"command\":\"cc -M a.c\""),
                        "none");
}

static void a_command_that_ends_before_the_object_is_a_problem_of_its_file(void **state)
{
    static const char *const ends[] = {"-E", "-S"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char text[200];

        snprintf(text, sizeof(text),
                 "\"directory\":\"/b\",\"file\":\"a.c\",\"command\":\"cc %s a.c -o a.x\"", ends[i]);
        assert_non_null(strstr(entry_of(text), "problem: its command ends before the object"));
    }
}

static void a_file_that_is_no_list_of_commands_is_refused(void **state)
{
    struct compile_commands commands = {0};
    struct refusal why = {0};

    (void)state;
    assert_int_equal(compile_commands_read(&commands, "{\"a\":1}", "c.json", "/", &why), -1);
    assert_int_equal(why.items[0].code, HP_COMMANDS);
    assert_string_equal(refusal_text(&why, 0), "c.json is no JSON array of commands");
    refusal_clear(&why);
    assert_string_equal(entry_of("\"directory\":\"/b\""),
                        "commands: command 1: it names no \"file\"");
}

/* ------------------------------------------------------- command lines --- */

static int line_of(struct command_line *line, const char *command, struct refusal *why)
{
    struct compile_entry entry = {.directory = "/b", .file = "/b/a.c"};
    int result;

    words_split(&entry.arguments, command, WORDS_COMMAND);
    result = command_line_read(line, &entry, why);
    words_free(&entry.arguments);
    return result;
}

static const char *kept(const char *command)
{
    static char result[4096];
    struct command_line line;
    struct refusal why = {0};

    if (line_of(&line, command, &why) != 0) {
        snprintf(result, sizeof(result), "%s", refusal_text(&why, 0));
        refusal_clear(&why);
        return result;
    }
    snprintf(result, sizeof(result), "%s", joined(&line.words));
    command_line_free(&line);
    return result;
}

static void outputs_and_other_inputs_are_left_out(void **state)
{
    (void)state;
    assert_string_equal(kept("gcc -O2 -MD -MF x.d -MT x.o -MQx -c -o x.o a.c"), "gcc|-O2");
    assert_string_equal(
        kept("gcc -Wp,-MD,.x.d,-MP,-D_F=2 -pipe -save-temps=obj a.c b.c libz.a -lz"),
        "gcc|-Wp,-D_F=2");
    assert_string_equal(kept("gcc -g -gsplit-dwarf -Iinc -I inc2 -DX -include c.h ./a.c -ox"),
                        "gcc|-g|-Iinc|-I|inc2|-DX|-include|c.h");
}

static void a_command_that_does_not_name_its_file_is_refused(void **state)
{
    (void)state;
    assert_string_equal(kept("gcc -c b.c"), "the command for /b/a.c does not name that file");
}

static void whole_program_options_are_found_unless_taken_back(void **state)
{
    static const struct {
        const char *command, *whole;
    } rows[] = {
        {"gcc -O2 a.c", ""},
        {"gcc -flto=auto a.c", "-flto"},
        {"gcc -flto a.c -fno-lto", ""},
        {"clang -flto=thin a.c", "-flto"},
        {"gcc -flto-partition=none a.c", ""},
        {"gcc -fwhole-program a.c", "-fwhole-program"},
        {"gcc -fprofile-use=x a.c", "-fprofile-use"},
        {"gcc -fprofile-generate a.c", "-fprofile-generate"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct command_line line;
        struct refusal why = {0};

        assert_int_equal(line_of(&line, rows[i].command, &why), 0);
        assert_string_equal(line.whole ? line.whole : "", rows[i].whole);
        command_line_free(&line);
    }
}

static const char *composed(const char *command, const char *tree)
{
    static char result[4096];
    const char *roots[] = {"/p", "/b"};
    struct command_places places = {
        .tree = tree, .roots = roots, .root_count = 2, .object = "O", .dependencies = "D"};
    struct word_list words = {0};
    struct command_line line;
    struct refusal why = {0};

    assert_int_equal(line_of(&line, command, &why), 0);
    command_line_compose(&line, &places, &words);
    snprintf(result, sizeof(result), "%s", joined(&words));
    words_free(&words);
    command_line_free(&line);
    return result;
}

static void sections_and_debug_information_are_added(void **state)
{
    const char *words;

    (void)state;
    words = composed("gcc -O2 -c a.c", "");
    assert_non_null(strstr(words, "gcc|-O2|"));
    assert_non_null(strstr(words, "|-ffunction-sections|-fdata-sections|-g2|"));
    assert_non_null(strstr(words, "|-c|-o|O|a.c"));
    assert_null(strstr(words, "prefix-map"));
    assert_null(strstr(composed("gcc -g -c a.c", ""), "|-g2"));
    assert_non_null(strstr(composed("gcc -g3 -c a.c", ""), "|-g2"));
    assert_non_null(strstr(composed("gcc -g -g0 -c a.c", ""), "|-g2"));
}

static void paths_of_the_project_lead_into_the_view(void **state)
{
    const char *words;

    (void)state;
    words =
        composed("gcc -I/p/inc -I/usr/include -iquote /p/q -I../rel -DP=\"/p/x\" -c /b/a.c", "/R");
    assert_non_null(strstr(words, "|-I/R/p/inc|"));
    assert_non_null(strstr(words, "|-I/usr/include|"));
    assert_non_null(strstr(words, "|-iquote|/R/p/q|"));
    assert_non_null(strstr(words, "|-I../rel|"));
    assert_non_null(strstr(words, "|-DP=/p/x|"));
    assert_non_null(strstr(words, "|-ffile-prefix-map=/R=|"));
    assert_non_null(strstr(words, "|/R/b/a.c"));
}

static void prefix_maps_of_the_command_hold_in_the_view(void **state)
{
    const char *words, *ours, *theirs;

    (void)state;
    words = composed("gcc -ffile-prefix-map=/b=. -c a.c", "/R");
    ours = strstr(words, "|-ffile-prefix-map=/R=|");
    theirs = strstr(words, "|-ffile-prefix-map=/R/b=.|");
    assert_non_null(ours);
    assert_non_null(theirs);
    assert_true(ours < theirs); /* the last one that fits is taken */
}

static void response_files_are_opened(void **state)
{
    struct compile_entry entry = {.directory = "/tmp", .file = "/tmp/a.c"};
    char path[] = "/tmp/hotpatch-commands-XXXXXX", command[200];
    struct command_line line;
    struct refusal why = {0};
    int file = mkstemp(path);

    (void)state;
    assert_true(file >= 0);
    close(file);
    assert_int_equal(file_bytes_write(path, "-DA='1 2'\n-O3", 13), 0);
    snprintf(command, sizeof(command), "gcc @%s -c a.c", path);
    words_split(&entry.arguments, command, WORDS_COMMAND);
    assert_int_equal(command_line_read(&line, &entry, &why), 0);
    assert_string_equal(joined(&line.words), "gcc|-DA=1 2|-O3");
    command_line_free(&line);
    words_free(&entry.arguments);
    unlink(path);
}

static void a_response_file_that_names_itself_is_refused(void **state)
{
    struct compile_entry entry = {.directory = "/tmp", .file = "/tmp/a.c"};
    char path[] = "/tmp/hotpatch-commands-XXXXXX", word[100];
    struct command_line line;
    struct refusal why = {0};
    int file = mkstemp(path);

    (void)state;
    assert_true(file >= 0);
    close(file);
    snprintf(word, sizeof(word), "@%s", path);
    assert_int_equal(file_bytes_write(path, word, strlen(word)), 0);
    words_add(&entry.arguments, "gcc");
    words_add(&entry.arguments, word);
    assert_int_equal(command_line_read(&line, &entry, &why), -1);
    assert_non_null(strstr(refusal_text(&why, 0), "it names itself"));
    refusal_clear(&why);
    words_free(&entry.arguments);
    unlink(path);
}

static void a_response_file_that_is_not_there_is_named(void **state)
{
    struct compile_entry entry = {.directory = "/tmp", .file = "/tmp/a.c"};
    struct command_line line;
    struct refusal why = {0};

    (void)state;
    words_split(&entry.arguments, "gcc @hotpatch-not-there.rsp -c a.c", WORDS_COMMAND);
    assert_int_equal(command_line_read(&line, &entry, &why), -1);
    assert_string_equal(refusal_text(&why, 0),
                        "read the response file "
                        "/tmp/hotpatch-not-there.rsp: No such file or directory");
    refusal_clear(&why);
    words_free(&entry.arguments);
}

/* -------------------------------------------------------- whose they are --- */

/* A link may be exchanged after the check, so the file is opened by a path that has none. */
static void the_path_that_is_checked_has_no_link(void **state)
{
    char directory[] = "/tmp/hotpatch-commands-XXXXXX", file[100], link[100], *real, *checked;
    struct build_owner owner;
    struct refusal why = {0};

    (void)state;
    owner_is_caller(&owner);
    assert_non_null(mkdtemp(directory));
    real = path_real(directory);
    snprintf(file, sizeof(file), "%s/commands", real);
    snprintf(link, sizeof(link), "%s/link", real);
    assert_int_equal(file_bytes_write(file, "[]", 2), 0);
    assert_int_equal(symlink(file, link), 0);
    checked = owner_check_file(&owner, link, &why);
    assert_string_equal(checked, file);
    free(checked);
    assert_int_equal(chmod(file, 0666), 0);
    assert_null(owner_check_file(&owner, link, &why));
    assert_int_equal(why.items[0].code, HP_COMMANDS);
    refusal_clear(&why);
    unlink(link);
    unlink(file);
    rmdir(directory);
    free(real);
}

/* --------------------------------------------- dependencies and paths --- */

static void the_first_rule_of_dependencies_is_read(void **state)
{
    struct word_list files = {0};

    (void)state;
    dependencies_read(&files,
                      "object: a.c inc/x.h \\\n  a\\ b.h $$c.h \\\r\n d\\#e.h\n\ninc/x.h:\n");
    assert_string_equal(joined(&files), "a.c|inc/x.h|a b.h|$c.h|d#e.h");
    words_free(&files);
    dependencies_read(&files, "");
    assert_int_equal(files.count, 0);
}

static void paths_are_made_absolute(void **state)
{
    static const struct {
        const char *directory, *path, *whole;
    } rows[] = {
        {"/a/b", "c.c", "/a/b/c.c"}, {"/a/b", "../c.c", "/a/c.c"}, {"/a", "/x//y/./z", "/x/y/z"},
        {"/", "../..", "/"},         {"/a/", "b/../../c", "/c"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *whole = path_absolute(rows[i].directory, rows[i].path);

        assert_string_equal(whole, rows[i].whole);
        free(whole);
    }
    assert_true(path_is_below("/a/b", "/a"));
    assert_true(path_is_below("/a", "/a"));
    assert_false(path_is_below("/ab", "/a"));
    assert_true(path_has_tail("/p/src/a.c", "src/a.c"));
    assert_false(path_has_tail("/p/xsrc/a.c", "src/a.c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_parted_as_a_shell_does),
        cmocka_unit_test(what_the_shell_would_expand_is_not_guessed),
        cmocka_unit_test(both_forms_of_a_command_are_read),
        cmocka_unit_test(what_stands_before_the_compiler_is_left_out),
        cmocka_unit_test(a_script_of_several_commands_is_a_problem_of_its_file_alone),
        cmocka_unit_test(what_compiles_nothing_is_left_out),
        cmocka_unit_test(a_command_that_ends_before_the_object_is_a_problem_of_its_file),
        cmocka_unit_test(a_file_that_is_no_list_of_commands_is_refused),
        cmocka_unit_test(outputs_and_other_inputs_are_left_out),
        cmocka_unit_test(a_command_that_does_not_name_its_file_is_refused),
        cmocka_unit_test(whole_program_options_are_found_unless_taken_back),
        cmocka_unit_test(sections_and_debug_information_are_added),
        cmocka_unit_test(paths_of_the_project_lead_into_the_view),
        cmocka_unit_test(prefix_maps_of_the_command_hold_in_the_view),
        cmocka_unit_test(response_files_are_opened),
        cmocka_unit_test(a_response_file_that_names_itself_is_refused),
        cmocka_unit_test(a_response_file_that_is_not_there_is_named),
        cmocka_unit_test(the_path_that_is_checked_has_no_link),
        cmocka_unit_test(the_first_rule_of_dependencies_is_read),
        cmocka_unit_test(paths_are_made_absolute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
