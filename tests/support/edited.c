/* edited.c - see edited.h. */
#include "tests/support/edited.h"

/* cmocka.h needs these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool edited_judges;

/* ---- the program ---- */

static void build_program(const char *command, const struct edited_file *files, size_t count)
{
    char line[2048];
    int length = snprintf(line, sizeof(line), "cd %s && %s -w -o program", directory, command);

    for (size_t i = 0; i < count; i++) {
        char name[64];

        if (!files[i].before)
            continue;
        snprintf(name, sizeof(name), "%s.c", files[i].name);
        file_write(directory_path(name), files[i].before, strlen(files[i].before), 0644);
        length += snprintf(line + length, sizeof(line) - (size_t)length, " %s/%s", directory, name);
    }
    run_shell(line);
}

static void open_program(struct edited *edited)
{
    struct elf_error error = {0};
    int file = open(directory_path("program"), O_RDONLY | O_CLOEXEC);

    assert_true(file >= 0);
    if (binary_open(&edited->binary, file, -1, &error) < 0)
        fail_msg("program: %s", error.text);
    close(file);
}

/* ---- edits ---- */

static void add_unit(struct edited *edited, const char *command, const struct edited_file *file)
{
    size_t unit = edited->count++;
    struct unit_pair *pair = &edited->pairs[unit];

    if (file->before) {
        edited->before[unit] = compile_object(command, file->name, file->before);
        pair->old_object = edited->before[unit].object;
        pair->old_dwarf = edited->before[unit].dwarf;
        if (baseline_make(&edited->baselines[unit], edited->binary, pair->old_object, NULL,
                          &edited->why) < 0)
            fail_msg("%s", refusal_text(&edited->why, 0));
        pair->baseline = edited->baselines[unit];
    }
    edited->after[unit] = compile_object(command, file->name, file->after);
    pair->new_object = edited->after[unit].object;
    pair->new_dwarf = edited->after[unit].dwarf;
    pair->source = file->name;
}

struct edited edited_select(const char *command, const struct edited_file *files, size_t count)
{
    struct edited edited = {0};
    struct selection_options options = {.target = edited_judges ? directory_path("program") : NULL};

    build_program(command, files, count);
    open_program(&edited);
    for (size_t i = 0; i < count; i++) {
        if (files[i].after)
            add_unit(&edited, command, &files[i]);
    }
    selection_make(&edited.selection, edited.pairs, edited.count, edited.binary, &options,
                   &edited.why);
    return edited;
}

struct edited edited_one(const char *command, const char *before, const char *after)
{
    struct edited_file file = {"a", before, after};

    return edited_select(command, &file, 1);
}

void edited_close(struct edited *edited)
{
    selection_free(edited->selection);
    for (size_t i = 0; i < edited->count; i++) {
        baseline_free(edited->baselines[i]);
        if (edited->pairs[i].old_object)
            compiled_close(&edited->before[i]);
        compiled_close(&edited->after[i]);
    }
    binary_close(edited->binary);
    refusal_clear(&edited->why);
}

/* ---- expectations ---- */

static void expect_selected(const struct edited *edited)
{
    if (!edited->selection)
        fail_msg("refused: %s: %s", error_info(edited->why.items[0].code)->code,
                 refusal_text(&edited->why, 0));
}

static bool has_word(const char *words, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = words; (at = strstr(at, word)) != NULL; at += length) {
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
            return true;
    }
    return false;
}

static size_t word_count(const char *words)
{
    size_t count = *words != '\0';

    for (; *words; words++)
        count += *words == ' ';
    return count;
}

static void expect_functions(const struct edited *edited, const char *names, bool placed)
{
    char seen[4096] = "";
    size_t count = 0;

    expect_selected(edited);
    for (size_t i = 0; i < edited->selection->function_count; i++) {
        const struct selected_function *function = &edited->selection->functions[i];

        if (!placed && !function->replaces)
            continue;
        count++;
        strncat(seen, function->name, sizeof(seen) - strlen(seen) - 1);
        strncat(seen, " ", sizeof(seen) - strlen(seen) - 1);
    }
    for (size_t i = 0; i < edited->selection->function_count; i++) {
        const struct selected_function *function = &edited->selection->functions[i];

        if ((placed || function->replaces) && !has_word(names, function->name))
            fail_msg("%s are %s, not %s", placed ? "placed" : "replaced", seen, names);
    }
    if (count != word_count(names))
        fail_msg("%s are %s, not %s", placed ? "placed" : "replaced", seen, names);
}

void edited_expect_replaced(const struct edited *edited, const char *names)
{
    expect_functions(edited, names, false);
}

void edited_expect_placed(const struct edited *edited, const char *names)
{
    expect_functions(edited, names, true);
}

void edited_expect_refused(const struct edited *edited, enum error_code code, const char *text)
{
    if (edited->selection)
        fail_msg("not refused; expected %s", error_info(code)->code);
    for (size_t i = 0; i < edited->why.count; i++) {
        if (edited->why.items[i].code == code && strstr(refusal_text(&edited->why, i), text))
            return;
    }
    fail_msg("%s: %s; expected %s: %s", error_info(edited->why.items[0].code)->code,
             refusal_text(&edited->why, 0), error_info(code)->code, text);
}

static bool has_note(const struct edited *edited, const char *text)
{
    for (size_t i = 0; i < edited->selection->note_count; i++) {
        if (strstr(edited->selection->notes[i], text))
            return true;
    }
    return false;
}

void edited_expect_note(const struct edited *edited, const char *text)
{
    expect_selected(edited);
    if (!has_note(edited, text))
        fail_msg("no note has %s; the first is %s", text,
                 edited->selection->note_count ? edited->selection->notes[0] : "missing");
}

void edited_expect_no_note(const struct edited *edited, const char *text)
{
    expect_selected(edited);
    if (has_note(edited, text))
        fail_msg("a note has %s", text);
}

void edited_expect_why(const struct edited *edited, const char *name, const char *text)
{
    expect_selected(edited);
    for (size_t i = 0; i < edited->selection->function_count; i++) {
        const struct selected_function *function = &edited->selection->functions[i];

        if (strcmp(function->name, name) != 0)
            continue;
        if (!strstr(function->why, text))
            fail_msg("%s: %s, not: %s", name, function->why, text);
        return;
    }
    fail_msg("%s is not placed", name);
}

struct symbol_choice edited_choice(const struct edited *edited, size_t unit, const char *symbol)
{
    const struct rel_object *object = edited->after[unit].object;
    const struct symbol_choice *choices;
    uint32_t index = rel_symbol_named(object, symbol);

    expect_selected(edited);
    choices = edited->selection->units[unit].symbols;
    if (!index)
        fail_msg("the edited object has no symbol %s", symbol);
    if (choices[index].kind != CHOICE_DISCARDED || !rel_symbol_placed(&object->symbols[index]))
        return choices[index];
    for (size_t i = 1; i < object->symbol_count; i++) {
        if (object->symbols[i].type == STT_SECTION &&
            object->symbols[i].section == object->symbols[index].section)
            return choices[i];
    }
    return choices[index];
}

static int take_address(const struct binary_symbol *symbol, void *context)
{
    *(uint64_t *)context = symbol->address;
    return 1;
}

uint64_t edited_address(const struct edited *edited, const char *symbol)
{
    uint64_t address = 0;

    if (!binary_named(edited->binary, symbol, take_address, &address))
        fail_msg("the program has no symbol %s", symbol);
    return address;
}
