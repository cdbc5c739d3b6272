/* line_match.c - see line_match.h. */
#include "cli/build/line_match.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

#define DIFFERENCES_MAX 1500 /* the memory grows with the square: 9 MB */

void line_rows_split(struct line_rows *rows, const char *text, size_t size)
{
    size_t capacity = 0;

    rows->at = NULL;
    rows->count = 0;
    for (const char *at = text, *end = text + size;;) {
        const char *newline;

        if (rows->count + 1 >= capacity) {
            capacity = capacity ? capacity * 2 : 256;
            rows->at = reallocate(rows->at, capacity * sizeof(*rows->at));
        }
        rows->at[rows->count] = at;
        if (at == end)
            return;
        rows->count++;
        newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
}

void line_rows_free(struct line_rows *rows)
{
    free(rows->at);
    memset(rows, 0, sizeof(*rows));
}

/* The part of the texts that is searched: `old_first` and `new_first` are its first lines. */
struct line_search {
    const struct line_rows *old_rows, *new_rows;
    size_t old_first, new_first;
    long old_count, new_count;
    size_t *match;
    int *furthest[DIFFERENCES_MAX +
                  1]; /* per number of differences: by diagonal, the line of the old text */
};

static bool same_line(const struct line_search *search, size_t old_line, size_t new_line)
{
    const char *const *old_at = search->old_rows->at + old_line;
    const char *const *new_at = search->new_rows->at + new_line;
    size_t size = (size_t)(old_at[1] - old_at[0]);

    return size == (size_t)(new_at[1] - new_at[0]) && memcmp(old_at[0], new_at[0], size) == 0;
}

/* Match what both texts begin and end with. */
static void trim(struct line_search *search)
{
    size_t old_end = search->old_rows->count, new_end = search->new_rows->count, first = 0;

    while (first < old_end && first < new_end && same_line(search, first, first)) {
        search->match[first] = first;
        first++;
    }
    while (old_end > first && new_end > first && same_line(search, old_end - 1, new_end - 1))
        search->match[--new_end] = --old_end;
    search->old_first = search->new_first = first;
    search->old_count = (long)(old_end - first);
    search->new_count = (long)(new_end - first);
}

/* Return the line of the old text that diagonal `k` reaches with `d` differences; *down: the last of them adds a line. */
static int furthest_step(const int *before, int d, int k, bool *down)
{
    if (d == 0)
        return *down = true, 0;
    *down = k == -d || (k != d && before[k - 1 + d - 1] < before[k + 1 + d - 1]);
    return *down ? before[k + 1 + d - 1] : before[k - 1 + d - 1] + 1;
}

/* Search with `d` differences. Return whether both ends were reached. */
static bool search_with(struct line_search *search, int d)
{
    int *now = allocate((2 * (size_t)d + 1) * sizeof(*now));

    search->furthest[d] = now;
    for (int k = -d; k <= d; k += 2) {
        bool down;
        int x = furthest_step(d ? search->furthest[d - 1] : NULL, d, k, &down), y = x - k;

        while (x < search->old_count && y >= 0 && y < search->new_count &&
               same_line(search, search->old_first + (size_t)x, search->new_first + (size_t)y))
            x++, y++;
        now[k + d] = x;
        if (x >= search->old_count && y >= search->new_count)
            return true;
    }
    return false;
}

/* Walk back from the ends, and note the lines that are the same. */
static void walk_back(struct line_search *search, int d)
{
    int x = (int)search->old_count, y = (int)search->new_count;

    for (; d >= 0; d--) {
        bool down;
        int k = x - y, begin = furthest_step(d ? search->furthest[d - 1] : NULL, d, k, &down);

        while (x > begin && y > 0) {
            x--, y--;
            search->match[search->new_first + (size_t)y] = search->old_first + (size_t)x;
        }
        if (d == 0)
            return;
        if (down)
            y--;
        else
            x--;
    }
}

size_t *line_match(const struct line_rows *old_rows, const struct line_rows *new_rows)
{
    struct line_search *search = allocate(sizeof(*search));
    size_t *match = allocate((new_rows->count + 1) * sizeof(*match));
    int d = 0;
    bool found = false;

    for (size_t i = 0; i <= new_rows->count; i++)
        match[i] = LINE_UNMATCHED;
    search->old_rows = old_rows;
    search->new_rows = new_rows;
    search->match = match;
    trim(search);
    for (; d <= DIFFERENCES_MAX && !found; d++)
        found = search_with(search, d);
    if (found)
        walk_back(search, d - 1);
    for (int i = 0; i < d; i++)
        free(search->furthest[i]);
    free(search);
    return match;
}
