/* command_line.c - see command_line.h. */
#include "cli/build/command_line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/build/file_bytes.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"

#define RESPONSE_DEPTH 8 /* response files that name response files */

/* Options whose value is the next word. Those with a path in it come first: see takes_path(). */
static const char *const path_options[] = {"-I",       "-include",   "-imacros",  "-iquote",
                                           "-isystem", "-idirafter", "-isysroot", "-iprefix",
                                           "-B",       "-L",         NULL};
static const char *const value_options[] = {"-D",
                                            "-U",
                                            "-x",
                                            "-Xpreprocessor",
                                            "-Xassembler",
                                            "-Xlinker",
                                            "-Xclang",
                                            "-T",
                                            "-u",
                                            "-z",
                                            "-l",
                                            "-e",
                                            "-arch",
                                            "-target",
                                            "-mllvm",
                                            "-A",
                                            "-wrapper",
                                            "--param",
                                            "-iwithprefix",
                                            "-iwithprefixbefore",
                                            "-G",
                                            "--sysroot",
                                            NULL};
/* Outputs, with a value in the next word. */
static const char *const output_values[] = {"-o",        "-MF",           "-MT",      "-MQ",
                                            "-dumpbase", "-dumpbase-ext", "-dumpdir", NULL};
/* Outputs, and what belongs to them; a word that begins so is left out. */
static const char *const outputs[] = {"-o",
                                      "-MF",
                                      "-MT",
                                      "-MQ",
                                      "-save-temps",
                                      "--save-temps",
                                      "-fdump-",
                                      "-dumpdir",
                                      "-gsplit-dwarf",
                                      "-gz",
                                      "-l",
                                      "-L",
                                      "-Wl,",
                                      "-fstack-usage",
                                      "-fcallgraph-info",
                                      "-fopt-info",
                                      "-mbranches-within-32B-boundaries",
                                      "-malign-branch",
                                      "-fdebug-types-section",
                                      "-fdiagnostics-color",
                                      NULL};
/* What is left out of -Wa,A,B. */
static const char *const assembler_outputs[] = {
    "--compress-debug-sections", "-a", "-mbranches-within-32B-boundaries", "-malign-branch", NULL};
/* Outputs of one whole word. */
static const char *const output_words[] = {"-c",      "-MD",  "-MMD",    "-MP",       "-MG",
                                           "-pipe",   "-pie", "-shared", "-static",   "-rdynamic",
                                           "-no-pie", "-s",   "-v",      "--verbose", NULL};

static bool is_in_list(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

static bool begins_listed(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strncmp(word, *list, strlen(*list)) == 0)
            return true;
    return false;
}

void command_line_free(struct command_line *line)
{
    free(line->directory);
    free(line->source);
    free(line->language);
    words_free(&line->words);
    words_free(&line->maps);
    memset(line, 0, sizeof(*line));
}

/* ------------------------------------------------------- reading --- */

/* Return whether the word names a file itself: gcc takes "@NAME" as a file where there is no NAME. */
static bool is_file_there(const char *directory, const char *word)
{
    char *path = path_absolute(directory, word);
    bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

/* Return `words` with the words of response files in their places. */
static int expand(struct word_list *out, const struct word_list *words, const char *directory,
                  unsigned depth, struct refusal *why)
{
    int result = 0;

    for (size_t i = 0; i < words->count && result == 0; i++) {
        const char *word = words->list[i], *problem;
        struct word_list inner = {0};
        char *path, *text;
        size_t size;
        int error;

        if (*word != '@' || (i == 0 && depth == 0)) {
            words_add(out, word);
            continue;
        }
        path = path_absolute(directory, word + 1);
        error = file_bytes_read(path, &text, &size, NULL) == 0 ? 0 : errno;
        if (!error) {
            problem = words_split(&inner, text, WORDS_RESPONSE);
            if (problem || depth == RESPONSE_DEPTH)
                result = refuse(why, HP_COMMANDS, "the response file %s: %s", path,
                                problem ? problem : "it names itself");
            else
                result = expand(out, &inner, directory, depth + 1, why);
            words_free(&inner);
            free(text);
        } else if (error == ENOENT && is_file_there(directory, word)) {
            words_add(out, word);
        } else {
            result =
                refuse(why, HP_COMMANDS, "read the response file %s: %s", path, strerror(error));
        }
        free(path);
    }
    return result;
}

/* Take what makes files, compresses sections or moves branches away from boundaries out of the assembler's options
 * -Wa,A,B. How far a branch is moved depends on the function's address. */
static void add_assembler(struct command_line *line, const char *word)
{
    char *kept = format_text("-Wa"), *copy = format_text("%s", word + strlen("-Wa,")), *rest = copy;

    for (char *part; (part = strsep(&rest, ","));) {
        char *longer;

        if (begins_listed(part, assembler_outputs))
            continue;
        longer = format_text("%s,%s", kept, part);
        free(kept);
        kept = longer;
    }
    if (strcmp(kept, "-Wa") != 0)
        words_add(&line->words, kept);
    free(kept);
    free(copy);
}

/* Take the dependency options out of -Wp,A,B. */
static void add_preprocessor(struct command_line *line, const char *word)
{
    struct word_list parts = {0};
    char *kept = format_text("-Wp"), *copy = format_text("%s", word + strlen("-Wp,")), *rest = copy;

    for (char *part; (part = strsep(&rest, ","));)
        words_add(&parts, part);
    for (size_t i = 0; i < parts.count; i++) {
        char *longer;

        if (strncmp(parts.list[i], "-M", 2) == 0) {
            i += strcmp(parts.list[i], "-MP") != 0 && strcmp(parts.list[i], "-MG") != 0;
            continue;
        }
        longer = format_text("%s,%s", kept, parts.list[i]);
        free(kept);
        kept = longer;
    }
    if (strcmp(kept, "-Wp") != 0)
        words_add(&line->words, kept);
    words_free(&parts);
    free(kept);
    free(copy);
}

/* Note an option with which a function's code does not follow from its source alone: it depends on the whole program, or
 * has counters of which a file has a record that the program writes when it ends. */
static void note_whole(struct command_line *line, const char *word)
{
    static const char *const begins[][2] = {
        {"-fprofile-use", "-fprofile-use"},
        {"-fprofile-instr-use", "-fprofile-use"},
        {"-fauto-profile", "-fprofile-use"},
        {"-fbranch-probabilities", "-fprofile-use"},
        {"-fprofile-generate", "-fprofile-generate"},
        {"-fprofile-instr-generate", "-fprofile-instr-generate"},
        {"-fcs-profile-generate", "-fcs-profile-generate"},
        {"-fprofile-arcs", "-fprofile-arcs"},
        {"--coverage", "--coverage"},
        {"-coverage", "--coverage"},
    };

    if (strcmp(word, "-fno-lto") == 0 || strcmp(word, "-fno-whole-program") == 0 ||
        strncmp(word, "-fno-profile-", 13) == 0)
        line->whole = NULL;
    else if (strncmp(word, "-flto", 5) == 0 && strncmp(word, "-flto-", 6) != 0)
        line->whole = "-flto";
    else if (strcmp(word, "-fwhole-program") == 0)
        line->whole = "-fwhole-program";
    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
        if (strncmp(word, begins[i][0], strlen(begins[i][0])) == 0)
            line->whole = begins[i][1];
}

static bool is_map(const char *word)
{
    return strncmp(word, "-ffile-prefix-map=", 18) == 0 ||
           strncmp(word, "-fdebug-prefix-map=", 19) == 0 ||
           strncmp(word, "-fmacro-prefix-map=", 19) == 0;
}

static bool names_source(const struct command_line *line, const char *word, const char *file)
{
    char *path = path_absolute(line->directory, word);
    bool same = strcmp(path, file) == 0;

    if (!same && strcmp(path + strlen(path) - 1, file + strlen(file) - 1) == 0) {
        char *real = path_real(path), *wanted = path_real(file);

        same = strcmp(real, wanted) == 0;
        free(real);
        free(wanted);
    }
    free(path);
    return same;
}

/* Take a word that is no option: the source, or another input, which is left out. */
static void take_input(struct command_line *line, const char *word, const char *file)
{
    if (!line->source && names_source(line, word, file))
        line->source = format_text("%s", word);
}

static void take_argument(struct command_line *line, const char *word)
{
    note_whole(line, word);
    if (is_map(word))
        words_add(&line->maps, word);
    if (strncmp(word, "-Wp,", 4) == 0)
        add_preprocessor(line, word);
    else if (strncmp(word, "-Wa,", 4) == 0)
        add_assembler(line, word);
    else if (!is_in_list(word, output_words) && !begins_listed(word, outputs))
        words_add(&line->words, word);
}

static void take_with_value(struct command_line *line, const char *word, const char *value)
{
    if (strcmp(word, "-x") == 0 && !line->source) {
        free(line->language);
        line->language = format_text("%s", value);
    }
    if (strcmp(word, "-x") == 0 || strcmp(word, "-L") == 0 || strcmp(word, "-l") == 0)
        return;
    words_add(&line->words, word);
    words_add(&line->words, value);
}

int command_line_read(struct command_line *line, const struct compile_entry *entry,
                      struct refusal *why)
{
    struct word_list words = {0};
    int result;

    memset(line, 0, sizeof(*line));
    if (entry->problem)
        return refuse(why, HP_COMMANDS, "the command for %s: %s", entry->file, entry->problem);
    line->directory = format_text("%s", entry->directory);
    result = expand(&words, &entry->arguments, entry->directory, 0, why);
    for (size_t i = 0; i < words.count && result == 0; i++) {
        const char *word = words.list[i], *next = words.list[i + 1];

        if (i == 0)
            words_add(&line->words, word);
        else if (next && is_in_list(word, output_values))
            i++;
        else if (next && (is_in_list(word, path_options) || is_in_list(word, value_options)))
            take_with_value(line, word, words.list[++i]);
        else if (*word == '-' && word[1])
            take_argument(line, word);
        else
            take_input(line, word, entry->file);
    }
    words_free(&words);
    if (result == 0 && !line->source)
        result =
            refuse(why, HP_COMMANDS, "the command for %s does not name that file", entry->file);
    if (result != 0)
        command_line_free(line);
    return result;
}

bool command_line_same(const struct command_line *a, const struct command_line *b)
{
    if (strcmp(a->directory, b->directory) != 0 || strcmp(a->source, b->source) != 0 ||
        a->words.count != b->words.count)
        return false;
    for (size_t i = 0; i < a->words.count; i++)
        if (strcmp(a->words.list[i], b->words.list[i]) != 0)
            return false;
    return true;
}

/* ------------------------------------------------------- writing --- */

static bool moves(const struct command_places *places, const char *path)
{
    if (!places->tree || !*places->tree || *path != '/')
        return false;
    for (size_t i = 0; i < places->root_count; i++)
        if (path_is_below(path, places->roots[i]))
            return true;
    return false;
}

/* Add a path that stands after `before` in one word. */
static void add_path(struct word_list *words, const struct command_places *places,
                     const char *before, const char *path)
{
    words_take(words, format_text("%s%s%s", before, moves(places, path) ? places->tree : "", path));
}

/* Add an option that may hold a path in itself: -I/path. */
static void add_moved(struct word_list *words, const struct command_places *places,
                      const char *word)
{
    for (const char *const *option = path_options; *option; option++) {
        size_t length = strlen(*option);

        if (strncmp(word, *option, length) == 0 && word[length] == '/') {
            add_path(words, places, *option, word + length);
            return;
        }
    }
    words_add(words, word);
}

/* Repeat the command's own maps for the paths in the tree. The last map that fits is taken. */
static void add_maps(const struct command_line *line, const struct command_places *places,
                     struct word_list *words)
{
    if (!places->tree || !*places->tree)
        return;
    words_take(words, format_text("-ffile-prefix-map=%s=", places->tree));
    for (size_t i = 0; i < line->maps.count; i++) {
        const char *map = line->maps.list[i], *equal = strchr(map, '=');

        if (equal[1] == '/')
            words_take(words, format_text("%.*s%s%s", (int)(equal + 1 - map), map, places->tree,
                                          equal + 1));
    }
}

/* Return the last level of debug information that the options ask for; -1: none is asked for. */
static int debug_level(const struct command_line *line)
{
    int level = -1;

    for (size_t i = 1; i < line->words.count; i++) {
        const char *word = line->words.list[i];

        if (strncmp(word, "-g", 2) != 0 || strcmp(word, "-gno") == 0)
            continue;
        if (strcmp(word, "-g") == 0 || strcmp(word, "-ggdb") == 0)
            level = level > 2 ? level : 2;
        else if (word[2] >= '0' && word[2] <= '9' && !word[3])
            level = word[2] - '0';
        else if (strncmp(word, "-ggdb", 5) == 0 && word[5])
            level = word[5] - '0';
        else if (strcmp(word, "-gline-tables-only") == 0 || strcmp(word, "-gmlt") == 0)
            level = 1;
        else if (strncmp(word, "-gdwarf", 7) == 0 && level < 2)
            level = 2;
    }
    return level;
}

static void compose_inputs(const struct command_line *line, const struct command_places *places,
                           struct word_list *words)
{
    for (size_t i = 0; i < line->words.count; i++) {
        const char *word = line->words.list[i];

        if (i > 0 && i + 1 < line->words.count && is_in_list(word, path_options)) {
            words_add(words, word);
            add_path(words, places, "", line->words.list[++i]);
        } else if (i > 0 && i + 1 < line->words.count && is_in_list(word, value_options)) {
            words_add(words, word);
            words_add(words, line->words.list[++i]);
        } else {
            add_moved(words, places, word);
        }
    }
    add_maps(line, places, words);
    words_add(words, "-fdiagnostics-color=never");
}

/* Ask for debug information in the form that object_dwarf.h reads. It changes no code. DWARF 4 does not know _Atomic, and a
 * class whose virtual functions are elsewhere is left out unless a compiler is told otherwise. */
static void compose_debug_form(const struct command_line *line, struct word_list *words)
{
    const char *compiler = line->words.count ? line->words.list[0] : "";

    words_add(words, "-gdwarf-5");
    words_add(words, "-gno-split-dwarf");
    words_add(words, "-gz=none");
    words_add(words, "-fno-debug-types-section");
    if (strstr(compiler, "++"))
        words_add(words,
                  strstr(compiler, "clang") ? "-fstandalone-debug" : "-femit-class-debug-always");
}

/* Before version 16 clang does not know SOURCE_DATE_EPOCH (compiler_run()). */
static void compose_date(const struct command_line *line, struct word_list *words)
{
    if (!line->words.count || !strstr(line->words.list[0], "clang"))
        return;
    words_add(words, "-Wno-builtin-macro-redefined");
    words_add(words, "-D__DATE__=\"Jan  1 1970\"");
    words_add(words, "-D__TIME__=\"00:00:00\"");
}

static void compose_source(const struct command_line *line, const struct command_places *places,
                           struct word_list *words)
{
    if (line->language) {
        words_add(words, "-x");
        words_add(words, line->language);
    }
    add_path(words, places, "", line->source);
}

void command_line_compose(const struct command_line *line, const struct command_places *places,
                          struct word_list *words)
{
    compose_inputs(line, places, words);
    words_add(words, "-ffunction-sections");
    words_add(words, "-fdata-sections");
    if (debug_level(line) != 2)
        words_add(words, "-g2");
    compose_debug_form(line, words);
    compose_date(line, words);
    words_add(words, "-MD");
    words_add(words, "-MF");
    words_add(words, places->dependencies);
    words_add(words, "-MT");
    words_add(words, "object");
    words_add(words, "-c");
    words_add(words, "-o");
    words_add(words, places->object);
    compose_source(line, places, words);
}

void command_line_compose_depends(const struct command_line *line,
                                  const struct command_places *places, struct word_list *words)
{
    compose_inputs(line, places, words);
    words_add(words, "-w");
    words_add(words, "-M");
    words_add(words, "-MG"); /* a header that is not there yet keeps no other from being known */
    words_add(words, "-MF");
    words_add(words, places->dependencies);
    words_add(words, "-MT");
    words_add(words, "object");
    compose_source(line, places, words);
}

char *command_line_source(const struct command_line *line)
{
    return path_absolute(line->directory, line->source);
}

bool command_line_is_pic(const struct command_line *line)
{
    static const char *const others[] = {"-fno-pic", "-fno-PIC", "-fpie", "-fPIE",
                                         "-fno-pie", "-fno-PIE", NULL};
    bool pic = false;

    for (size_t i = 0; i < line->words.count; i++)
        if (strcmp(line->words.list[i], "-fPIC") == 0 || strcmp(line->words.list[i], "-fpic") == 0)
            pic = true;
        else if (is_in_list(line->words.list[i], others))
            pic = false;
    return pic;
}

bool command_line_is_assembler(const struct command_line *line)
{
    size_t length = strlen(line->source);

    if (line->language)
        return strncmp(line->language, "assembler", 9) == 0;
    return length > 2 && line->source[length - 2] == '.' &&
           strchr("sS", line->source[length - 1]) != NULL;
}
