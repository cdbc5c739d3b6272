/* unit.c - see unit.h. */
#include "cli/build/unit.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/object_dwarf.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"
#include "elf/rel_object_read.h"
#include "resolve/baseline.h"
#include "resolve/elf_refusal.h"

bool word_list_has(const struct word_list *files, const char *real)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->list[i], real) == 0)
            return true;
    return false;
}

/* ------------------------------------------------------------ objects --- */

void compiled_free(struct compiled *compiled)
{
    if (!compiled)
        return;
    object_dwarf_close(compiled->dwarf);
    rel_object_close(compiled->object);
    words_free(&compiled->spelled);
    words_free(&compiled->files);
    free(compiled->bytes);
    free(compiled);
}

struct compiled *compiled_take(char *bytes, size_t size, const char *name, struct refusal *why)
{
    struct compiled *compiled = allocate(sizeof(*compiled));
    struct elf_error error = {0};

    compiled->bytes = bytes;
    compiled->size = size;
    if (rel_object_open(&compiled->object, bytes, size, &error) != 0)
        refuse(why, elf_refusal_code(&error), "the object of %s: %s", name, error.text);
    else if (object_dwarf_open(&compiled->dwarf, name, compiled->object, why) == 0)
        return compiled;
    compiled_free(compiled);
    return NULL;
}

/* -------------------------------------------------------------- units --- */

static void candidate_free(struct candidate *candidate)
{
    command_line_free(&candidate->line);
    compiled_free(candidate->old);
    compiled_free(candidate->edited);
    free(candidate->edited_key);
    baseline_free(candidate->baseline);
}

void units_free(struct units *units)
{
    for (size_t i = 0; i < units->count; i++) {
        struct unit *unit = &units->list[i];

        for (size_t j = 0; j < unit->candidate_count; j++)
            candidate_free(&unit->candidates[j]);
        words_free(&unit->files);
        free(unit->candidates);
        free(unit->file);
        free(unit->like);
        free(unit->real);
    }
    free(units->list);
    words_free(&units->unread);
    memset(units, 0, sizeof(*units));
}

struct unit *units_find(const struct units *units, const char *real)
{
    for (size_t i = 0; i < units->count; i++)
        if (strcmp(units->list[i].real, real) == 0)
            return &units->list[i];
    return NULL;
}

bool unit_edited_reads(const struct unit *unit, const char *real)
{
    for (size_t i = 0; i < unit->candidate_count; i++) {
        const struct compiled *edited = unit->candidates[i].edited;

        if (edited && word_list_has(&edited->files, real))
            return true;
    }
    return false;
}

static struct unit *add_unit(struct units *units, const char *file, char *real)
{
    struct unit *unit;

    if ((units->count & (units->count - 1)) == 0)
        units->list =
            reallocate(units->list, (units->count ? units->count * 2 : 1) * sizeof(*units->list));
    unit = &units->list[units->count++];
    *unit = (struct unit){.file = format_text("%s", file), .real = real};
    return unit;
}

static void add_command(struct unit *unit, struct command_line *line)
{
    for (size_t i = 0; i < unit->candidate_count; i++)
        if (command_line_same(&unit->candidates[i].line, line)) {
            command_line_free(line);
            return;
        }
    unit->candidates =
        reallocate(unit->candidates, (unit->candidate_count + 1) * sizeof(*unit->candidates));
    unit->candidates[unit->candidate_count++] = (struct candidate){.line = *line};
}

/* A unit in a tree that is sorted by `real`: there may be 100,000. */
struct unit_place {
    const char *real;
    size_t index;
};

static int compare_unit_places(const void *first, const void *second)
{
    return strcmp(((const struct unit_place *)first)->real,
                  ((const struct unit_place *)second)->real);
}

/* Return the unit of the file. Takes `real`. */
static struct unit *unit_of(struct units *units, void **tree, const char *file, char *real)
{
    struct unit_place *place = allocate(sizeof(*place)), *found;

    *place = (struct unit_place){.real = real, .index = units->count};
    found = *(struct unit_place **)tsearch(place, tree, compare_unit_places);
    if (found == place)
        return add_unit(units, file, real);
    free(place);
    free(real);
    return &units->list[found->index];
}

int units_make(struct units *units, const struct compile_commands *commands, struct refusal *why)
{
    void *tree = NULL;

    for (size_t i = 0; i < commands->count; i++) {
        const struct compile_entry *entry = &commands->list[i];
        struct command_line line;
        struct refusal problem = {0};
        char *real;

        real = path_real(entry->file);
        if (command_line_read(&line, entry, &problem) != 0) {
            words_take(&units->unread, real);
            words_add(&units->unread, refusal_text(&problem, 0));
            refusal_clear(&problem);
            continue;
        }
        add_command(unit_of(units, &tree, entry->file, real), &line);
    }
    tdestroy(tree, free);
    if (!units->count && units->unread.count > 1)
        return refuse(why, HP_COMMANDS, "no compile command can be followed: %s: %s",
                      units->unread.list[0], units->unread.list[1]);
    if (!units->count)
        return refuse(why, HP_COMMANDS, "the compile commands compile no file");
    return 0;
}

static void copy_words(struct word_list *to, const struct word_list *from)
{
    for (size_t i = 0; i < from->count; i++)
        words_add(to, from->list[i]);
}

static struct command_line line_like(const struct command_line *like, const char *file)
{
    struct command_line line = {.directory = format_text("%s", like->directory),
                                .source = format_text("%s", file),
                                .language =
                                    like->language ? format_text("%s", like->language) : NULL,
                                .whole = like->whole};

    copy_words(&line.words, &like->words);
    copy_words(&line.maps, &like->maps);
    return line;
}

struct unit *units_add_like(struct units *units, const char *file, const struct unit *like)
{
    size_t sibling = (size_t)(like - units->list); /* the list may move */
    struct unit *unit = add_unit(units, file, path_real(file));

    like = &units->list[sibling];
    unit->like = format_text("%s", like->real);
    for (size_t i = 0; i < like->candidate_count; i++) {
        struct command_line line = line_like(&like->candidates[i].line, file);

        add_command(unit, &line);
    }
    return unit;
}
