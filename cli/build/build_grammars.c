/* build_grammars.c - see build_grammars.h. */
#include "cli/build/build_grammars.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base_name.h"
#include "cli/build/compiler.h"
#include "cli/build/file_bytes.h"
#include "cli/build/grammar.h"
#include "cli/build/paths.h"
#include "cli/output/output.h"

/* Return the directory in which the name in the directives means the grammar, malloc'd; NULL: none is known. */
static char *tool_directory(const struct unit *unit, const struct grammar *grammar,
                            const char *real)
{
    const char *name = grammar->input;
    char *places[3] = {path_directory(unit->real),
                       format_text("%s", unit->candidates[0].line.directory), NULL};
    char *found = NULL;

    while (strncmp(name, "./", 2) == 0)
        name += 2;
    if (path_has_tail(real, name) && strlen(real) > strlen(name))
        places[2] = format_text("%.*s", (int)(strlen(real) - strlen(name)), real);
    for (size_t i = 0; i < 3; i++) {
        char *path = places[i] ? path_absolute(places[i], grammar->input) : NULL;
        char *meant = path ? path_real(path) : NULL;

        if (!found && meant && strcmp(meant, real) == 0)
            found = path_absolute(places[i], "");
        free(path);
        free(meant);
        free(places[i]);
    }
    return found;
}

static void add_generated(struct edit_list *list, const char *path, char *old_text, size_t old_size,
                          char *new_text, size_t new_size)
{
    edit_list_change(edit_list_add(list, format_text("%s", path), old_text, old_size), new_text,
                     new_size);
}

/* Add the header if the unedited one is what is there. */
static int add_header(struct edit_list *list, struct grammar_output *before,
                      struct grammar_output *after, struct refusal *why)
{
    char *there;
    size_t size;

    if (!before->header || !after->header)
        return 0;
    if (before->header_size == after->header_size &&
        memcmp(before->header, after->header, before->header_size) == 0)
        return 0;
    if (file_bytes_read(before->header_path, &there, &size, NULL) != 0)
        return 0; /* no source includes it */
    if (size != before->header_size || memcmp(there, before->header, size) != 0) {
        free(there);
        return refuse(why, HP_SOURCE, "%s is not what the grammar gives; use --from and --to",
                      before->header_path);
    }
    add_generated(list, before->header_path, there, size, after->header, after->header_size);
    after->header = NULL;
    return 0;
}

/* Generate the unit's source from the edited grammar. */
static int generate(struct build_run *run, struct edit_list *list, const struct edit_step *step,
                    const struct unit *unit, const struct grammar *grammar, char *text, size_t size,
                    struct refusal *why)
{
    const struct edit_file *file = step->file;
    struct workplace *place = &run->build->place;
    char *directory = tool_directory(unit, grammar, step->real);
    struct grammar_output before = {0}, after = {0};
    int options = directory ? grammar_find_options(place, grammar, directory, file->old_text,
                                                   file->old_size, text, size, &before)
                            : -1;
    int result = 0;

    if (options < 0) {
        result = refuse(why, HP_SOURCE,
                        "%s does not give %s with %s as it is here; use --from and --to with the "
                        "generated files",
                        step->file->path, unit->file, grammar->tool);
    } else {
        grammar_run(place, grammar, directory, file->new_text, file->new_size, options, &after);
        if (after.source) {
            result = add_header(list, &before, &after, why);
            add_generated(list, unit->real, text, size, after.source, after.source_size);
            after.source = text = NULL;
            build_note(run, "%s is made by %s", unit->file, grammar->tool);
        } else {
            char *first = compiler_first_error(after.words ? after.words : "");

            result = refuse(why, HP_COMPILE, "%s: %s", step->file->path, first);
            free(first);
        }
    }
    free(text);
    free(directory);
    grammar_output_free(&before);
    grammar_output_free(&after);
    return result;
}

static int edit_grammar(struct build_run *run, struct edit_list *list, struct edit_step *step,
                        struct refusal *why)
{
    const struct units *units = &run->build->units;
    int result = 0;

    for (size_t i = 0; i < units->count && result == 0; i++) {
        const struct unit *unit = &units->list[i];
        struct grammar grammar;
        char *text;
        size_t size;

        if (unit->stranger || file_bytes_read(unit->real, &text, &size, NULL) != 0)
            continue;
        if (!grammar_read(&grammar, text, size, base_name(step->real))) {
            free(text);
            continue;
        }
        step->used = true;
        if (build_step_of(run, unit->real)) /* the edit has the generated source as well */
            free(text);
        else
            result = generate(run, list, step, unit, &grammar, text, size, why);
        grammar_free(&grammar);
    }
    return result;
}

int build_edit_grammars(struct build_run *run, struct edit_list *list, struct refusal *why)
{
    int result = 0;

    for (size_t i = 0; i < run->step_count && result == 0; i++) {
        struct edit_step *step = &run->steps[i];

        if (!step->same && step->file->old_text && step->file->new_text &&
            grammar_is_input(step->real))
            result = edit_grammar(run, list, step, why);
    }
    return result;
}

void build_each_grammar(const struct build *build, void (*each)(const char *path, void *context),
                        void *context)
{
    for (size_t i = 0; i < build->units.count; i++) {
        const struct unit *unit = &build->units.list[i];
        struct grammar grammar;
        char *text, *path;
        size_t size;

        if (unit->stranger || file_bytes_read(unit->real, &text, &size, NULL) != 0)
            continue;
        if (grammar_read(&grammar, text, size, NULL)) {
            char *base = path_directory(unit->real), *here;

            path = path_absolute(base, base_name(grammar.input));
            here = path_absolute(unit->candidates[0].line.directory, grammar.input);
            if (access(here, R_OK) == 0)
                each(here, context);
            if (strcmp(here, path) != 0 && access(path, R_OK) == 0)
                each(path, context);
            free(base);
            free(here);
            free(path);
            grammar_free(&grammar);
        }
        free(text);
    }
}
