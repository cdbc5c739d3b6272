/* hunk_names.c - see hunk_names.h. */
#include "cli/build/hunk_names.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"
#include "elf/object_lines.h"

#define HUNK_PREFIX "/hotpatch-hunk/" /* no directory has this name */

/* ------------------------------------------------ what __FILE__ is --- */

/* Return whether a word has a map that is not in the list of the command's maps. */
static bool has_other_maps(const struct command_line *line)
{
    size_t found = 0;

    for (size_t i = 1; i < line->words.count; i++)
        found += strstr(line->words.list[i], "-prefix-map=") != NULL;
    return found != line->maps.count;
}

/* Map the name as a compiler maps __FILE__. Return false where compilers disagree. */
static bool map_name(const char *map, const char *name, char **mapped)
{
    const char *from = strchr(map, '=') + 1, *to = strchr(from, '=');
    size_t length = to ? (size_t)(to - from) : 0;
    char *before = *mapped;
    bool same;

    if (!to || strchr(to + 1, '=') || strncmp(from, HUNK_PREFIX, length) == 0)
        return false;
    if (strncmp(map, "-fdebug-", 8) == 0 || strncmp(name, from, length) != 0)
        return true;
    *mapped = format_text("%s%s", to + 1, name + length);
    same = !before || strcmp(before, *mapped) == 0;
    free(before);
    return same;
}

/* Return whether the code depends on the names of files. */
static bool asks_for_names(const struct command_line *line)
{
    static const char *const options[] = {"-finstrument-functions-exclude-file-list",
                                          "-fprofile-filter-files", "-fprofile-exclude-files",
                                          "-fsanitize-ignorelist", "-fsanitize-blacklist"};

    for (size_t i = 1; i < line->words.count; i++)
        for (size_t k = 0; k < sizeof(options) / sizeof(options[0]); k++)
            if (strncmp(line->words.list[i], options[k], strlen(options[k])) == 0)
                return true;
    return false;
}

/* Return what __FILE__ of the source is, malloc'd, or NULL: it is not known. */
static char *macro_name(const struct command_line *line)
{
    char *mapped = NULL;

    if (has_other_maps(line) || asks_for_names(line) || strpbrk(line->source, "\"\\=\n"))
        return NULL;
    for (size_t i = 0; i < line->maps.count; i++)
        if (!map_name(line->maps.list[i], line->source, &mapped)) {
            free(mapped);
            return NULL;
        }
    return mapped ? mapped : format_text("%s", line->source);
}

/* ------------------------------------------------------ the command --- */

/* Let the macros of a text be no names. */
static void define_nothing(unsigned file, const struct hunk_lines *lines, struct word_list *words)
{
    for (unsigned i = 0; i < lines->name_count; i++)
        words_take(words, format_text("-D__HOTPATCH_LINES_%u_%u=", file, i));
}

static void define_names(struct hunk_names *names, unsigned file, const struct hunk_lines *lines,
                         const char *source, const char *mapped, struct word_list *words)
{
    for (unsigned i = 0; i < lines->name_count; i++) {
        char *name = format_text("%s%u-%u/%s", HUNK_PREFIX, file, i, base_name(source));

        names->names[i] = name;
        words_take(words, format_text("-D__HOTPATCH_LINES_%u_%u=\"%s\"", file, i, name));
        words_take(words, format_text("-fmacro-prefix-map=%s=%s", name, mapped));
    }
    names->map = (struct line_map){.runs = lines->runs,
                                   .run_count = lines->run_count,
                                   .names = (const char *const *)names->names,
                                   .name_count = lines->name_count,
                                   .prefix = HUNK_PREFIX};
}

void hunk_names_begin(struct hunk_names *names, const struct command_line *line,
                      const struct overlay *view, bool plain, struct word_list *words)
{
    char *source = command_line_source(line), *real = path_real(source);
    char *mapped = plain ? NULL : macro_name(line);

    memset(names, 0, sizeof(*names));
    for (size_t i = 0; view && i < view->file_count; i++) {
        const struct overlay_file *file = &view->files[i];

        if (mapped && strcmp(file->path, real) == 0)
            define_names(names, (unsigned)i, &file->lines, line->source, mapped, words);
        else
            define_nothing((unsigned)i, &file->lines, words);
    }
    free(mapped);
    free(source);
    free(real);
}

/* ------------------------------------------------------- the object --- */

bool hunk_names_change(const struct hunk_names *names, char **bytes, size_t *size)
{
    return !names->map.name_count || object_lines_change(bytes, size, &names->map) == 0;
}

bool hunk_names_leak(const struct hunk_names *names, const struct rel_object *object)
{
    for (size_t i = 1; names->map.name_count && i < object->section_count; i++) {
        const struct rel_section *section = &object->sections[i];

        if ((section->flags & SHF_ALLOC) && section->bytes &&
            memmem(section->bytes, section->size, HUNK_PREFIX, strlen(HUNK_PREFIX)))
            return true;
    }
    return false;
}

void hunk_names_end(struct hunk_names *names)
{
    for (size_t i = 0; i < HUNK_NAMES_MOST; i++)
        free(names->names[i]);
    memset(names, 0, sizeof(*names));
}
