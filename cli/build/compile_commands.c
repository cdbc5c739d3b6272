/* compile_commands.c - see compile_commands.h. */
#include "cli/build/compile_commands.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"

static void entry_free(struct compile_entry *entry)
{
    free(entry->directory);
    free(entry->file);
    words_free(&entry->arguments);
    memset(entry, 0, sizeof(*entry));
}

void compile_commands_free(struct compile_commands *commands)
{
    for (size_t i = 0; i < commands->count; i++)
        entry_free(&commands->list[i]);
    free(commands->list);
    memset(commands, 0, sizeof(*commands));
}

static void drop_first(struct word_list *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(words->list[i]);
    memmove(words->list, words->list + count, (words->count - count + 1) * sizeof(*words->list));
    words->count -= count;
}

static bool is_program(const char *word, const char *name)
{
    const char *base = base_name(word);

    return strcmp(base, name) == 0;
}

static bool is_compiler_cache(const char *word)
{
    return is_program(word, "ccache") || is_program(word, "sccache") ||
           is_program(word, "distcc") || is_program(word, "icecc") || is_program(word, "gomacc");
}

/* Take away `libtool ... --mode=compile`, of which the compiler's command follows. A file that libtool compiles twice
 * has the options of the static object here; bear sees both compilations by themselves. */
static const char *drop_libtool(struct word_list *words)
{
    size_t mode = 0;

    for (size_t i = 1; i < words->count && !mode; i++)
        if (strcmp(words->list[i], "--mode=compile") == 0)
            mode = i;
    if (!mode)
        return "libtool is not asked to compile";
    for (mode++; mode < words->count && words->list[mode][0] == '-'; mode++)
        ;
    drop_first(words, mode < words->count ? mode : words->count);
    return NULL;
}

/* Take `sh -c 'cd DIR && COMMAND'` apart. */
static const char *open_script(struct compile_entry *entry)
{
    struct word_list words = {0};
    const char *problem = words_split(&words, entry->arguments.list[2], WORDS_SCRIPT);

    if (!problem && words.count > 3 && strcmp(words.list[0], "cd") == 0 &&
        strcmp(words.list[2], "&&") == 0) {
        char *there = path_absolute(entry->directory, words.list[1]);

        free(entry->directory);
        entry->directory = there;
        drop_first(&words, 3);
    }
    for (size_t i = 0; i < words.count && !problem; i++)
        if (*words.list[i] && strchr(";&|<>", *words.list[i]))
            problem = "a shell script with several commands compiles the file";
    words_free(&entry->arguments);
    entry->arguments = words;
    return problem;
}

static bool is_assignment(const char *word)
{
    const char *equal = strchr(word, '=');

    return equal && equal > word && strcspn(word, "/-+") > (size_t)(equal - word);
}

/* Take away what stands before the compiler. Return NULL, or why its command cannot be read. */
static const char *find_compiler(struct compile_entry *entry)
{
    struct word_list *words = &entry->arguments;
    const char *problem = NULL;

    while (words->count && !problem) {
        const char *first = words->list[0];

        if (words->count > 2 && strcmp(words->list[1], "-c") == 0 &&
            (is_program(first, "sh") || is_program(first, "bash") || is_program(first, "dash")))
            problem = open_script(entry);
        else if (is_program(first, "libtool") ||
                 (words->count > 1 && is_program(words->list[1], "libtool")))
            problem = drop_libtool(words);
        else if (is_compiler_cache(first) || is_program(first, "env") || is_assignment(first))
            drop_first(words, 1);
        else
            break;
    }
    return problem;
}

/* Return whether the command makes an object of a source, alone or with another one after it. */
static bool compiles(struct compile_entry *entry)
{
    for (size_t i = 1; i < entry->arguments.count; i++) {
        const char *word = entry->arguments.list[i];

        if (strcmp(word, "-M") == 0 || strcmp(word, "-MM") == 0 ||
            strcmp(word, "-fsyntax-only") == 0)
            return false;
        if (strcmp(word, "-E") == 0 || strcmp(word, "-S") == 0)
            entry->problem = "its command ends before the object (-E, -S): a build in several "
                             "steps cannot be followed; let one command with -c make the object";
    }
    return entry->arguments.count > 1;
}

static const char *read_arguments(struct compile_entry *entry, struct json_object *row)
{
    struct json_object *list = json_list(row, "arguments");
    const char *command = json_text(row, "command");

    for (size_t i = 0; i < json_length(list); i++) {
        struct json_object *word = json_item(list, i);

        if (!json_object_is_type(word, json_type_string))
            return "\"arguments\" holds other things than texts";
        words_add(&entry->arguments, json_object_get_string(word));
    }
    if (!entry->arguments.count && *command)
        return words_split(&entry->arguments, command, WORDS_COMMAND);
    return entry->arguments.count ? NULL : "it has neither \"command\" nor \"arguments\"";
}

static const char *read_entry(struct compile_entry *entry, struct json_object *row,
                              const char *base)
{
    const char *file;

    if (!json_object_is_type(row, json_type_object))
        return "it is no object";
    file = json_text(row, "file");
    if (!*file)
        return "it names no \"file\"";
    entry->directory = path_absolute(base, json_text(row, "directory"));
    entry->file = path_absolute(entry->directory, file);
    entry->problem = read_arguments(entry, row);
    if (!entry->problem)
        entry->problem = find_compiler(entry);
    return NULL;
}

static void take_entry(struct compile_commands *commands, struct compile_entry *entry)
{
    if (!entry->problem && !compiles(entry)) {
        entry_free(entry);
        return;
    }
    /* The capacity is the next power of two. */
    if ((commands->count & (commands->count - 1)) == 0)
        commands->list = reallocate(commands->list, (commands->count ? commands->count * 2 : 1) *
                                                        sizeof(*commands->list));
    commands->list[commands->count++] = *entry;
}

int compile_commands_read(struct compile_commands *commands, const char *text, const char *name,
                          const char *base, struct refusal *why)
{
    struct json_object *list = json_parse(text);
    int result = 0;

    if (!json_object_is_type(list, json_type_array)) {
        json_object_put(list);
        return refuse(why, HP_COMMANDS, "%s is no JSON array of commands", name);
    }
    for (size_t i = 0; i < json_length(list) && result == 0; i++) {
        struct compile_entry entry = {0};
        const char *problem = read_entry(&entry, json_item(list, i), base);

        if (problem) {
            result = refuse(why, HP_COMMANDS, "%s: command %zu: %s", name, i + 1, problem);
            entry_free(&entry);
        } else {
            take_entry(commands, &entry);
        }
    }
    json_object_put(list);
    return result;
}

int compile_commands_add(struct compile_commands *commands, const char *compiler,
                         const char *const *files, size_t count, const char *directory,
                         struct refusal *why)
{
    for (size_t i = 0; i < count; i++) {
        struct compile_entry entry = {.directory = format_text("%s", directory),
                                      .file = path_absolute(directory, files[i])};
        const char *problem = words_split(&entry.arguments, compiler, WORDS_COMMAND);

        if (!problem && !entry.arguments.count)
            problem = "it is empty";
        if (problem) {
            entry_free(&entry);
            return refuse(why, HP_COMMANDS, "the compiler `%s`: %s", compiler, problem);
        }
        words_add(&entry.arguments, "-c");
        words_add(&entry.arguments, files[i]);
        take_entry(commands, &entry);
    }
    return 0;
}
