/*
 * diff_apply.c - see diff_apply.h. The search is that of GNU patch (locate_hunk() in its patch.c): with no fuzz first, nearest
 * to the expected line first; then with one and two lines of context left out at each end. A hunk with less context at one end
 * than at the other lies at that end of the file.
 */
#include "cli/build/diff_apply.h"

#include <stdlib.h>
#include <string.h>

#include "cli/build/line_match.h"
#include "cli/output/output.h"

#define FUZZ_MAX 2

/* The side of a hunk that is searched for, and the one that comes in its place. */
struct hunk_sides {
    char from, to; /* kinds of lines besides ' ' */
    const struct diff_line **lines;
    size_t count;         /* lines of the side that is searched for */
    size_t before, after; /* lines of context at its ends */
    size_t start;         /* expected line, from 0 */
};

struct diff_applier {
    struct line_rows rows;
    size_t done; /* rows that earlier hunks have passed */
    long shift;  /* of the last hunk */
    char *out;
    size_t size, capacity;
};

static void apply_bytes(struct diff_applier *applier, const char *bytes, size_t size)
{
    if (applier->size + size + 1 > applier->capacity) {
        applier->capacity = (applier->size + size + 1) * 2;
        applier->out = reallocate(applier->out, applier->capacity);
    }
    memcpy(applier->out + applier->size, bytes, size);
    applier->size += size;
    applier->out[applier->size] = '\0';
}

static void copy_rows(struct diff_applier *applier, size_t from, size_t to)
{
    apply_bytes(applier, applier->rows.at[from],
                (size_t)(applier->rows.at[to] - applier->rows.at[from]));
}

static void take_sides(struct hunk_sides *sides, const struct diff_hunk *hunk, bool reverse)
{
    size_t start = reverse ? hunk->new_start : hunk->old_start;
    size_t count = reverse ? hunk->new_count : hunk->old_count;
    size_t last = 0;

    *sides = (struct hunk_sides){.from = reverse ? '+' : '-', .to = reverse ? '-' : '+'};
    sides->lines = allocate((hunk->line_count + 1) * sizeof(const struct diff_line *));
    sides->start = count && start ? start - 1 : start;
    for (size_t i = 0; i < hunk->line_count; i++) {
        const struct diff_line *line = &hunk->lines[i];

        if (line->kind != ' ')
            last = i + 1;
        if (line->kind == ' ' && !last)
            sides->before++;
        if (line->kind != sides->to)
            sides->lines[sides->count++] = line;
    }
    sides->after = hunk->line_count - last;
}

/* Return whether the lines stand at `row`, without the first and last ones that the fuzz leaves out. */
static bool stand_at(const struct line_rows *rows, const struct hunk_sides *sides, size_t row,
                     size_t skip_first, size_t skip_last)
{
    for (size_t i = skip_first; i + skip_last < sides->count; i++) {
        const char *at = rows->at[row + i];
        size_t size = (size_t)(rows->at[row + i + 1] - at);

        if (size != sides->lines[i]->size || memcmp(at, sides->lines[i]->text, size) != 0)
            return false;
    }
    return true;
}

/* What is searched with one fuzz. */
struct hunk_search {
    size_t skip_first, skip_last;
    size_t low, high; /* rows where the hunk may begin */
    bool possible;
};

static void set_search(struct hunk_search *search, const struct diff_applier *applier,
                       const struct hunk_sides *sides, size_t fuzz)
{
    size_t context = sides->before > sides->after ? sides->before : sides->after;
    long first = (long)(fuzz + sides->before) - (long)context;
    long last = (long)(fuzz + sides->after) - (long)context;
    size_t rows = applier->rows.count;

    search->skip_first = first > 0 ? (size_t)first : 0;
    search->skip_last = last > 0 ? (size_t)last : 0;
    search->low = applier->done;
    search->possible = sides->count <= rows && search->low + sides->count <= rows;
    search->high = search->possible ? rows - sides->count : 0;
    /* Less context at the beginning: the file begins there; less at the end: it ends there. */
    if (first < 0 && last < 0)
        return;
    if (first < 0 && sides->start == 0)
        search->high = 0;
    if (last < 0 && search->possible)
        search->low = search->high;
}

static bool search_rows(const struct diff_applier *applier, const struct hunk_sides *sides,
                        const struct hunk_search *search, size_t expected, size_t *row)
{
    size_t reach = applier->rows.count + 1;

    for (size_t distance = 0; search->possible && distance <= reach; distance++) {
        size_t up = expected + distance;

        if (up >= search->low && up <= search->high &&
            stand_at(&applier->rows, sides, up, search->skip_first, search->skip_last))
            return *row = up, true;
        if (distance && expected >= distance && expected - distance >= search->low &&
            expected - distance <= search->high &&
            stand_at(&applier->rows, sides, expected - distance, search->skip_first,
                     search->skip_last))
            return *row = expected - distance, true;
    }
    return false;
}

/* Return whether the hunk fits anywhere else with the same fuzz. */
static bool stands_twice(const struct diff_applier *applier, const struct hunk_sides *sides,
                         const struct hunk_search *search, size_t found)
{
    for (size_t row = search->low; row <= search->high; row++)
        if (row != found &&
            stand_at(&applier->rows, sides, row, search->skip_first, search->skip_last))
            return true;
    return false;
}

static bool locate(const struct diff_applier *applier, const struct hunk_sides *sides, size_t *row,
                   struct diff_fit *fit, bool *ambiguous)
{
    long wanted = (long)sides->start + applier->shift;
    size_t expected = wanted > 0 ? (size_t)wanted : 0;
    size_t context = sides->before > sides->after ? sides->before : sides->after;

    for (size_t fuzz = 0; fuzz <= FUZZ_MAX && fuzz <= context; fuzz++) {
        struct hunk_search search;

        set_search(&search, applier, sides, fuzz);
        if (!search_rows(applier, sides, &search, expected, row))
            continue;
        *ambiguous = fuzz > 0 && stands_twice(applier, sides, &search, *row);
        *fit = (struct diff_fit){(long)*row - wanted, (unsigned)fuzz};
        return !*ambiguous;
    }
    return false;
}

/* Write the lines of the other side; context is the file's own, since the fuzz may have left out what differs. */
static void write_hunk(struct diff_applier *applier, const struct diff_hunk *hunk, bool reverse,
                       size_t row)
{
    for (size_t i = 0; i < hunk->line_count; i++) {
        const struct diff_line *line = &hunk->lines[i];

        if (line->kind == (reverse ? '-' : '+')) {
            apply_bytes(applier, line->text, line->size);
            continue;
        }
        if (line->kind == ' ')
            copy_rows(applier, row, row + 1);
        row++;
    }
}

static bool apply_hunk(struct diff_applier *applier, const struct diff_hunk *hunk, bool reverse,
                       struct diff_fit *fit, bool *ambiguous)
{
    struct hunk_sides sides;
    size_t row = 0;
    bool found;

    take_sides(&sides, hunk, reverse);
    found = locate(applier, &sides, &row, fit, ambiguous);
    if (found) {
        copy_rows(applier, applier->done, row);
        write_hunk(applier, hunk, reverse, row);
        applier->done = row + sides.count;
        applier->shift = (long)row - (long)sides.start;
    }
    free(sides.lines);
    return found;
}

int diff_apply(const struct diff_file *file, const char *text, size_t size, bool reverse,
               char **out, size_t *out_size, size_t *failed, bool *ambiguous, struct diff_fit *fits)
{
    struct diff_applier applier = {0};
    int result = 0;

    *ambiguous = false;
    line_rows_split(&applier.rows, text, size);
    apply_bytes(&applier, "", 0);
    for (size_t i = 0; i < file->hunk_count && result == 0; i++) {
        struct diff_fit fit;

        if (!apply_hunk(&applier, &file->hunks[i], reverse, fits ? &fits[i] : &fit, ambiguous)) {
            *failed = i;
            result = -1;
        }
    }
    if (result == 0) {
        copy_rows(&applier, applier.done, applier.rows.count);
        *out = applier.out;
        *out_size = applier.size;
    } else {
        free(applier.out);
    }
    line_rows_free(&applier.rows);
    return result;
}
