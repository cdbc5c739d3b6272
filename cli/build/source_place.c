/* source_place.c - see source_place.h. */
#include "cli/build/source_place.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/build/paths.h"
#include "cli/output/output.h"

static void add_base(struct word_list *bases, const char *directory)
{
    if (!word_list_has(bases, directory))
        words_add(bases, directory);
}

/* Add the directory and those above it, as long as they lie in `top`, or are no direct entry of the root. */
static void add_bases(struct word_list *bases, const char *directory, const char *top)
{
    char *at = format_text("%s", directory);

    while (strcmp(at, "/") != 0 && (top ? path_is_below(at, top) : strchr(at + 1, '/') != NULL)) {
        char *above = path_directory(at);

        add_base(bases, at);
        free(at);
        at = above;
    }
    free(at);
}

void source_bases(const struct build *build, struct word_list *bases)
{
    const struct word_list *roots = &build->place.roots;

    add_base(bases, build->source_dir);
    add_bases(bases, build->source_dir, NULL);
    for (size_t i = 0; i < roots->count; i++)
        add_bases(bases, roots->list[i], NULL);
    for (size_t i = 0; i < build->units.count; i++) {
        char *directory = path_directory(build->units.list[i].file);

        for (size_t j = 0; j < roots->count; j++)
            add_bases(bases, directory, roots->list[j]);
        free(directory);
    }
}

static bool is_file(const char *path)
{
    struct stat facts;

    return stat(path, &facts) == 0 && S_ISREG(facts.st_mode);
}

void source_places(const struct build *build, const struct word_list *bases, const char *path,
                   struct word_list *found)
{
    for (size_t i = 0; i < bases->count; i++) {
        char *whole = path_absolute(bases->list[i], path), *real;

        if (is_file(whole)) {
            real = path_real(whole);
            if (!word_list_has(found, real))
                words_add(found, real);
            free(real);
            free(whole);
            if (i == 0)
                return;
            continue;
        }
        free(whole);
    }
    for (size_t i = 0; i < build->units.count; i++)
        if (path_has_tail(build->units.list[i].file, path) &&
            !word_list_has(found, build->units.list[i].real))
            words_add(found, build->units.list[i].real);
}

bool source_leads_out(const char *path)
{
    if (*path == '/')
        return true;
    for (const char *at = path; at; at = strchr(at, '/'), at = at ? at + 1 : NULL)
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || !at[2]))
            return true;
    return false;
}

bool source_is_compiled(const char *path)
{
    static const char *const suffixes[] = {".c", ".cc", ".cpp", ".cxx", ".C"};
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(dot, suffixes[i]) == 0)
            return true;
    return false;
}

bool source_is_code(const char *path)
{
    static const char *const suffixes[] = {".c",  ".h",   ".inc", ".def", ".y",   ".l",
                                           ".cc", ".cpp", ".cxx", ".hh",  ".hpp", ".hxx",
                                           ".C",  ".H",   ".i",   ".tbl", ".x",   ".gperf"};
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof(suffixes) / sizeof(suffixes[0]); i++)
        if (strcmp(dot, suffixes[i]) == 0)
            return true;
    return false;
}
