/* hunk_lines.c - see hunk_lines.h. */
#include "cli/build/hunk_lines.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/build/line_marks.h"
#include "cli/build/line_match.h"
#include "cli/output/output.h"

/* One text that is being named. */
struct hunk_namer {
    struct line_rows rows;
    struct line_place *places;    /* by line */
    unsigned *names;              /* by line */
    size_t last[HUNK_NAMES_MOST]; /* by name: the last number that it has */
    unsigned name_count;          /* besides name 0 */
};

/* Return whether numbers come again at the line, and from which line on they are those. */
static bool begins_again(const struct hunk_namer *namer, size_t line, size_t *from)
{
    size_t number = namer->places[line].number, last = namer->places[line - 1].number;

    if (last < number || last - number >= line)
        return false;
    *from = line - 1 - (last - number);
    return true;
}

/* Return a name that has none of the numbers from `number` on; 0: there are too many. */
static unsigned free_name(struct hunk_namer *namer, size_t number)
{
    unsigned name = 1;

    while (name <= namer->name_count && namer->last[name] >= number)
        name++;
    if (name >= HUNK_NAMES_MOST)
        return 0;
    if (name > namer->name_count)
        namer->name_count = name;
    return name;
}

/* Name the lines of hunks whose numbers come again. Return false if there are too many. */
static bool name_lines(struct hunk_namer *namer)
{
    size_t least = 0, from;

    for (size_t i = 1; i < namer->rows.count; i++) {
        unsigned name;

        if (!begins_again(namer, i, &from))
            continue;
        while (from > least && !namer->places[from].safe)
            from--;
        if (from < least)
            from = least;
        name = free_name(namer, namer->places[from].number);
        if (!name)
            return false;
        for (size_t k = from; k < i; k++)
            namer->names[k] = name;
        namer->last[name] = namer->places[i - 1].number;
        least = i;
    }
    return true;
}

static bool follows(const struct hunk_namer *namer, size_t line)
{
    if (line == 0)
        return !namer->names[0] && namer->places[0].number == 1;
    return namer->names[line] == namer->names[line - 1] &&
           namer->places[line].number == namer->places[line - 1].number + 1;
}

static void write_named(const struct hunk_namer *namer, unsigned file, FILE *out)
{
    bool again = false; /* the last mark may have been in a group that is skipped */
    long group = 0;     /* of the last mark */

    for (size_t i = 0; i < namer->rows.count; i++) {
        const struct line_place *place = &namer->places[i];
        const char *at = namer->rows.at[i], *end = namer->rows.at[i + 1];

        if (!follows(namer, i) || (again && place->safe)) {
            fprintf(out, "#line %zu __HOTPATCH_LINES_%u_%u\n", place->number, file,
                    namer->names[i]);
            group = place->group;
            again = false;
        }
        if (group && place->ends_group && place->group <= group)
            again = true;
        fwrite(at, 1, (size_t)(end - at), out);
    }
}

static int compare_runs(const void *first, const void *second)
{
    const struct line_run *one = first, *two = second;

    if (one->name != two->name)
        return one->name < two->name ? -1 : 1;
    return one->from < two->from ? -1 : one->from > two->from;
}

/* Make the runs. Return whether each number means one line. */
static bool make_runs(const struct hunk_namer *namer, struct hunk_lines *lines)
{
    lines->runs = allocate((namer->rows.count + 1) * sizeof(*lines->runs));
    for (size_t i = 0; i < namer->rows.count; i++) {
        if (i == 0 || !follows(namer, i))
            lines->runs[lines->run_count++] = (struct line_run){
                .name = namer->names[i], .from = namer->places[i].number, .to = i + 1};
        lines->runs[lines->run_count - 1].count++;
    }
    qsort(lines->runs, lines->run_count, sizeof(*lines->runs), compare_runs);
    for (size_t i = 1; i < lines->run_count; i++)
        if (lines->runs[i].name == lines->runs[i - 1].name &&
            lines->runs[i].from - lines->runs[i - 1].from < lines->runs[i - 1].count)
            return false;
    return true;
}

/* Return the text with marks that have names, malloc'd; NULL: no memory. */
static char *mark_named(const struct hunk_namer *namer, unsigned file, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);

    if (!out)
        return NULL;
    write_named(namer, file, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* Return whether a mark changes the number of a line. */
static bool any_moves(const struct hunk_namer *namer)
{
    for (size_t i = 0; i < namer->rows.count; i++)
        if (namer->places[i].number != i + 1)
            return true;
    return false;
}

char *hunk_lines_mark(struct hunk_lines *lines, unsigned file, const char *old_text,
                      size_t old_size, const char *new_text, size_t new_size, size_t *out_size)
{
    struct hunk_namer namer = {0};
    char *text = line_marks_place(old_text, old_size, new_text, new_size, out_size, &namer.places);
    char *named = NULL;
    size_t size;

    *lines = (struct hunk_lines){0};
    if (!namer.places)
        return text;
    line_rows_split(&namer.rows, new_text, new_size);
    namer.names = allocate((namer.rows.count + 1) * sizeof(*namer.names));
    if (!any_moves(&namer) || !name_lines(&namer) || !make_runs(&namer, lines))
        hunk_lines_free(lines);
    else if (!(named = mark_named(&namer, file, &size)))
        hunk_lines_free(lines);
    if (named) {
        free(text);
        text = named;
        *out_size = size;
        lines->name_count = namer.name_count + 1;
    }
    line_rows_free(&namer.rows);
    free(namer.places);
    free(namer.names);
    return text;
}

void hunk_lines_free(struct hunk_lines *lines)
{
    free(lines->runs);
    *lines = (struct hunk_lines){0};
}
