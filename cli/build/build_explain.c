/* build_explain.c - see build_explain.h. */
#include "cli/build/build_explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/base_name.h"
#include "cli/build/changes.h"
#include "cli/build/line_match.h"
#include "cli/build/object_dwarf.h"
#include "cli/output/output.h"
#include "elf/rel_object.h"

/* The lines of one unedited text. */
struct old_lines {
    const char *name; /* without its directory */
    struct line_rows rows;
    bool *gone;  /* by index: the edited text does not have it */
    bool *after; /* by index: lines were added behind it */
};

struct explaining {
    const struct unit_pair *pairs;
    struct selection *selection;
    struct old_lines *files;
    size_t file_count;
};

static void compare_lines(struct old_lines *lines, const struct edit_step *step)
{
    const struct edit_file *file = step->file;
    struct line_rows edited;
    size_t *match, last = 0;

    lines->name = base_name(step->real);
    line_rows_split(&lines->rows, file->old_text, file->old_size);
    line_rows_split(&edited, file->new_text, file->new_size);
    match = line_match(&lines->rows, &edited);
    lines->gone = allocate((lines->rows.count + 1) * sizeof(bool));
    lines->after = allocate((lines->rows.count + 1) * sizeof(bool));
    memset(lines->gone, true, lines->rows.count);
    memset(lines->after, false, lines->rows.count + 1);
    for (size_t i = 0; i < edited.count; i++) {
        if (match[i] == LINE_UNMATCHED) {
            lines->after[last] = true;
            continue;
        }
        last = match[i];
        lines->gone[last] = false;
    }
    free(match);
    line_rows_free(&edited);
}

static void read_edit(struct explaining *explaining, const struct build_run *run)
{
    explaining->files = allocate((run->step_count + 1) * sizeof(*explaining->files));
    for (size_t i = 0; i < run->step_count; i++)
        if (run->steps[i].file->old_text && run->steps[i].file->new_text)
            compare_lines(&explaining->files[explaining->file_count++], &run->steps[i]);
}

static void free_edit(struct explaining *explaining)
{
    for (size_t i = 0; i < explaining->file_count; i++) {
        line_rows_free(&explaining->files[i].rows);
        free(explaining->files[i].gone);
        free(explaining->files[i].after);
    }
    free(explaining->files);
}

/* Return the lines of the file, or NULL. Two files of one name are taken for one where both are not known to be apart. */
static const struct old_lines *lines_of(const struct explaining *explaining, const char *path)
{
    for (size_t i = 0; path && i < explaining->file_count; i++)
        if (strcmp(explaining->files[i].name, base_name(path)) == 0)
            return &explaining->files[i];
    return NULL;
}

/* Return whether the edit changes one of the lines, which count from 1, or adds some between them. */
static bool lines_changed(const struct old_lines *lines, size_t first, size_t last)
{
    for (size_t i = first; i <= last && i <= lines->rows.count; i++)
        if (lines->gone[i - 1] || (i < last && lines->after[i - 1]))
            return true;
    return false;
}

/* Return whether the line may be one above a function's name: its type, attributes, a comment. */
static bool belongs_below(const struct line_rows *rows, size_t line)
{
    const char *at = rows->at[line - 1], *end = rows->at[line];

    while (end > at && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
        end--;
    return end > at && *at != '#' && end[-1] != ';' && end[-1] != '}';
}

static const struct dwarf_function *find_old(const struct object_dwarf *dwarf, const char *name)
{
    size_t count;
    const struct dwarf_function *functions = object_dwarf_functions(dwarf, &count);

    for (size_t i = 0; i < count; i++)
        if (!functions[i].part && functions[i].place.section < DWARF_SYMBOL &&
            strcmp(functions[i].linkage ? functions[i].linkage : functions[i].name, name) == 0)
            return &functions[i];
    return NULL;
}

/* What the rows of the line table say of one function. */
struct source_rows {
    const struct explaining *explaining;
    const struct dwarf_function *function;
    size_t last;         /* of its own file: the last line */
    const char *inlined; /* a changed line of another function: the file, and */
    size_t inlined_line; /* 0: none */
    bool any;
};

static void see_row(struct source_rows *rows, const char *file, size_t line)
{
    const struct dwarf_function *function = rows->function;
    const struct old_lines *lines = lines_of(rows->explaining, file);

    rows->any = true;
    if (strcmp(base_name(file), base_name(function->file)) == 0 && line >= function->line) {
        if (line > rows->last)
            rows->last = line;
    } else if (lines && line && lines_changed(lines, line, line)) {
        rows->inlined = file;
        rows->inlined_line = line;
    }
}

/* Read the rows of the function's code in the line table of its unit. */
static void read_rows(struct source_rows *rows)
{
    const struct dwarf_function *function = rows->function;
    Dwarf_Die unit, die = function->die;
    Dwarf_Lines *table;
    Dwarf_Addr begin, end, address;
    size_t count;

    if (!dwarf_diecu(&die, &unit, NULL, NULL) || dwarf_getsrclines(&unit, &table, &count) != 0)
        return;
    begin = (Dwarf_Addr)function->place.section << 32 | function->place.offset;
    if (dwarf_highpc(&die, &end) != 0)
        end = (Dwarf_Addr)(function->place.section + 1) << 32;
    for (size_t i = 0; i < count; i++) {
        Dwarf_Line *row = dwarf_onesrcline(table, i);
        const char *file = dwarf_linesrc(row, NULL, NULL);
        int line;

        if (file && dwarf_lineaddr(row, &address) == 0 && address >= begin && address < end &&
            dwarf_lineno(row, &line) == 0 && line > 0)
            see_row(rows, file, (size_t)line);
    }
}

/* Return whether the code of the function, which is placed, calls or uses the other. */
static bool has_reference(const struct selection *selection,
                          const struct selected_function *function,
                          const struct selected_function *other)
{
    const struct rel_object *object = selection->units[function->unit].object;
    const struct rel_symbol *symbol = &object->symbols[function->symbol];
    const struct rel_section *section = &object->sections[symbol->section];

    for (size_t i = 0; i < section->relocation_count; i++) {
        const struct rel_symbol *to = &object->symbols[section->relocations[i].symbol];

        if (section->relocations[i].offset - symbol->value >= symbol->size)
            continue;
        if (strcmp(to->name, other->name) == 0 ||
            (other->unit == function->unit && to->section &&
             to->section == object->symbols[other->symbol].section && to->type == STT_SECTION))
            return true;
    }
    return false;
}

static const struct selected_function *changed_callee(const struct selection *selection,
                                                      const struct selected_function *function)
{
    for (size_t i = 0; i < selection->function_count; i++)
        if (&selection->functions[i] != function &&
            has_reference(selection, function, &selection->functions[i]))
            return &selection->functions[i];
    return NULL;
}

static char *explain_rows(const struct source_rows *rows, const struct selected_function *function)
{
    const struct selected_function *callee;

    if (rows->inlined_line)
        return format_text(
            "its code changed, its source did not: it inlines what changed at %s:%zu",
            base_name(rows->inlined), rows->inlined_line);
    callee = changed_callee(rows->explaining->selection, function);
    if (callee)
        return format_text("its code changed, its source did not: it uses %s, which changed",
                           callee->name);
    return format_text("its code changed, its source did not: a macro, type, constant or function "
                       "that it uses did");
}

static void explain_one(const struct explaining *explaining, struct selected_function *function)
{
    struct object_dwarf *dwarf = explaining->pairs[function->unit].old_dwarf;
    struct source_rows rows = {.explaining = explaining};
    const struct old_lines *own;
    size_t first;

    rows.function = dwarf ? find_old(dwarf, function->name) : NULL;
    if (!rows.function || !rows.function->line || !rows.function->file)
        return;
    first = rows.last = rows.function->line;
    read_rows(&rows);
    own = lines_of(explaining, rows.function->file);
    while (own && first > 1 && first <= own->rows.count && belongs_below(&own->rows, first - 1))
        first--;
    if (!rows.any || (own && lines_changed(own, first, rows.last)))
        return;
    free(function->why);
    function->why = explain_rows(&rows, function);
}

void build_explain(const struct build_run *run, const struct unit_pair *pairs,
                   struct selection *selection)
{
    struct explaining explaining = {.pairs = pairs, .selection = selection};

    read_edit(&explaining, run);
    for (size_t i = 0; i < selection->function_count; i++) {
        struct selected_function *function = &selection->functions[i];

        if (function->why && strcmp(function->why, CODE_CHANGED) == 0)
            explain_one(&explaining, function);
    }
    free_edit(&explaining);
}
