/*
 * fuzz_commands.c - whatever compile_commands.json and a rule of dependencies hold: no crash, no byte read beyond them, and each
 * command has a compiler and a file.
 *
 * The first zero byte parts the commands from the rule.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/command_line.h"
#include "cli/build/compile_commands.h"
#include "cli/build/dependencies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compose(const struct compile_entry *entry)
{
    const char *const roots[] = {"/src"};
    const struct command_places places = {
        .tree = "/view", .roots = roots, .root_count = 1, .object = "/o", .dependencies = "/d"};
    struct word_list words = {0};
    struct refusal why = {0};
    struct command_line line;

    for (size_t i = 0; i < entry->arguments.count; i++)
        if (entry->arguments.list[i][0] == '@')
            return; /* no file is read */
    if (command_line_read(&line, entry, &why) == 0) {
        if (!line.words.count || !line.source)
            abort();
        command_line_compose(&line, &places, &words);
        command_line_compose_depends(&line, &places, &words);
        command_line_free(&line);
    } else if (!why.count) {
        abort();
    }
    words_free(&words);
    refusal_clear(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size ? memchr(data, 0, size) : NULL;
    size_t length = zero ? (size_t)(zero - data) : size;
    size_t rule_length = zero ? size - length - 1 : 0;
    char *text = calloc(1, length + 1), *rule = calloc(1, rule_length + 1);
    struct compile_commands commands = {0};
    struct word_list files = {0};
    struct refusal why = {0};

    if (!text || !rule)
        abort();
    memcpy(text, data, length);
    memcpy(rule, zero ? zero + 1 : data, rule_length);
    if (compile_commands_read(&commands, text, "commands", "/src", &why) != 0 && !why.count)
        abort();
    for (size_t i = 0; i < commands.count; i++) {
        if (!commands.list[i].file || *commands.list[i].file != '/')
            abort();
        compose(&commands.list[i]);
    }
    dependencies_read(&files, rule);
    words_free(&files);
    compile_commands_free(&commands);
    refusal_clear(&why);
    free(text);
    free(rule);
    return 0;
}
