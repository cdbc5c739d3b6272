/*
 * copied_text.c - see copied_text.h. Lines that the whole has once show where the copy lies; the lines there are matched with those of
 * the text, and nearly all must be found. A hunk goes in where its old lines stand together with lines beside them.
 */
#include "cli/build/copied_text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/line_match.h"
#include "cli/output/output.h"

#define ANCHORS 24     /* lines that are searched for, evenly spread */
#define ANCHOR_SIZE 16 /* bytes that such a line has at least */
#define MARGIN 100     /* lines that the copy may have more, at each end, than the anchors tell */
#define COPY_PERCENT 85
#define MISSES 64 /* lines that are searched for in vain before the first is found */

struct copy_search {
    struct line_rows old_rows, new_rows, whole_rows;
    size_t first, last; /* lines of the whole where the copy may lie */
    size_t *place;      /* by line of the old text: the line of the whole, or LINE_UNMATCHED */
    char *out;
    size_t size, row;
};

static size_t line_size(const struct line_rows *rows, size_t line)
{
    return (size_t)(rows->at[line + 1] - rows->at[line]);
}

/* Return the line of the whole that contains the address. */
static size_t line_at(const struct line_rows *rows, const char *address)
{
    size_t low = 0, high = rows->count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (rows->at[middle] <= address)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Return the line of the whole that is this line of the text, if there is one only. */
static size_t find_anchor(const struct copy_search *search, size_t line)
{
    const struct line_rows *whole = &search->whole_rows;
    const char *text = search->old_rows.at[line], *end = whole->at[whole->count], *found, *again;
    size_t size = line_size(&search->old_rows, line);

    if (size < ANCHOR_SIZE)
        return LINE_UNMATCHED;
    found = memmem(whole->at[0], (size_t)(end - whole->at[0]), text, size);
    again = found ? memmem(found + 1, (size_t)(end - found - 1), text, size) : NULL;
    return found && !again ? line_at(whole, found) : LINE_UNMATCHED;
}

/* Find where the copy may lie. Return whether two anchors were found. */
static bool find_window(struct copy_search *search)
{
    size_t count = search->old_rows.count, found = 0;
    size_t step = count / ANCHORS ? count / ANCHORS : 1;
    size_t low = LINE_UNMATCHED, high = 0, missed = 0;

    for (size_t part = 0; part < count; part += step)
        for (size_t line = part; line < part + step && line < count; line++) {
            size_t at = find_anchor(search, line);

            if (at == LINE_UNMATCHED && ++missed == MISSES && !found)
                return false;
            if (at == LINE_UNMATCHED)
                continue;
            found++;
            low = at < line ? 0 : at - line < low ? at - line : low;
            high = at + count - line > high ? at + count - line : high;
            break;
        }
    if (found < 2 || high - low > 2 * count + 2 * MARGIN)
        return false;
    search->first = low > MARGIN ? low - MARGIN : 0;
    search->last =
        high + MARGIN < search->whole_rows.count ? high + MARGIN : search->whole_rows.count;
    return true;
}

/* Return whether a short line of the text is that line of the whole. */
static bool short_is_at(const struct copy_search *search, size_t line, size_t at)
{
    size_t size = line_size(&search->old_rows, line);

    return size < ANCHOR_SIZE && at < search->whole_rows.count &&
           size == line_size(&search->whole_rows, at) &&
           memcmp(search->old_rows.at[line], search->whole_rows.at[at], size) == 0;
}

/* A brace is matched with any other: let short lines stay with those beside them. */
static void join_short_lines(struct copy_search *search)
{
    size_t *place = search->place;

    for (size_t i = 1; i < search->old_rows.count; i++)
        if (place[i - 1] != LINE_UNMATCHED && short_is_at(search, i, place[i - 1] + 1))
            place[i] = place[i - 1] + 1;
    for (size_t i = search->old_rows.count; i-- > 1;)
        if (place[i] != LINE_UNMATCHED && place[i] && short_is_at(search, i - 1, place[i] - 1))
            place[i - 1] = place[i] - 1;
}

/* Find where each line of the text stands in the whole. Return whether nearly all do. */
static bool place_lines(struct copy_search *search)
{
    struct line_rows window = {search->whole_rows.at + search->first, search->last - search->first};
    size_t *match = line_match(&search->old_rows, &window), found = 0;

    for (size_t i = 0; i < search->old_rows.count; i++)
        search->place[i] = LINE_UNMATCHED;
    for (size_t i = 0; i < window.count; i++)
        if (match[i] != LINE_UNMATCHED) {
            search->place[match[i]] = search->first + i;
            found++;
        }
    free(match);
    join_short_lines(search);
    return found * 100 >= search->old_rows.count * COPY_PERCENT;
}

static void put_copied(struct copy_search *search, const char *bytes, size_t size)
{
    search->out = reallocate(search->out, search->size + size + 1);
    memcpy(search->out + search->size, bytes, size);
    search->size += size;
    search->out[search->size] = '\0';
}

/* A hunk: lines of the old text that lines of the new one replace. */
struct copy_hunk {
    size_t old_first, old_last, new_first, new_last;
};

/* Return whether lines of the text stand together in the whole, after `done`. */
static bool lines_stand(struct copy_search *search, size_t first, size_t last, size_t done)
{
    for (size_t i = first; i < last; i++) {
        search->row = i + 1;
        if (search->place[i] == LINE_UNMATCHED || search->place[i] < done ||
            (i > first && search->place[i] != search->place[i - 1] + 1))
            return false;
    }
    return first < last;
}

/* Return whether the hunk's old lines stand together with one beside them at each end, and at one end with all up to a long line,
 * since a brace stands anywhere. */
static bool hunk_stands(struct copy_search *search, const struct copy_hunk *hunk, size_t done)
{
    size_t count = search->old_rows.count;
    size_t first = hunk->old_first ? hunk->old_first - 1 : 0, long_first = first;
    size_t last = hunk->old_last < count ? hunk->old_last + 1 : count, long_last = last;

    while (long_first && line_size(&search->old_rows, long_first) < ANCHOR_SIZE)
        long_first--;
    while (long_last < count && line_size(&search->old_rows, long_last - 1) < ANCHOR_SIZE)
        long_last++;
    return lines_stand(search, long_first, last, done) ||
           lines_stand(search, first, long_last, done);
}

/* Put the hunk's new lines into the whole. `*done`: the line of the whole that comes next. */
static bool take_hunk(struct copy_search *search, const struct copy_hunk *hunk, size_t *done)
{
    const char *const *whole = search->whole_rows.at, *const *now = search->new_rows.at;
    size_t begin, count = hunk->old_last - hunk->old_first;

    if (!hunk_stands(search, hunk, *done ? *done - 1 : 0))
        return false;
    begin = hunk->old_first < search->old_rows.count ? search->place[hunk->old_first]
                                                     : search->place[hunk->old_first - 1] + 1;
    put_copied(search, whole[*done], (size_t)(whole[begin] - whole[*done]));
    put_copied(search, now[hunk->new_first], (size_t)(now[hunk->new_last] - now[hunk->new_first]));
    *done = begin + count;
    return true;
}

static bool take_hunks(struct copy_search *search)
{
    size_t *match = line_match(&search->old_rows, &search->new_rows), done = 0;
    struct copy_hunk hunk = {0};
    bool taken = true;

    while (taken &&
           (hunk.old_first < search->old_rows.count || hunk.new_first < search->new_rows.count)) {
        hunk.new_last = hunk.new_first;
        while (hunk.new_last < search->new_rows.count && match[hunk.new_last] == LINE_UNMATCHED)
            hunk.new_last++;
        hunk.old_last =
            hunk.new_last < search->new_rows.count ? match[hunk.new_last] : search->old_rows.count;
        if (hunk.old_last > hunk.old_first || hunk.new_last > hunk.new_first)
            taken = take_hunk(search, &hunk, &done);
        hunk.old_first = hunk.old_last + 1;
        hunk.new_first = hunk.new_last + 1;
    }
    free(match);
    if (taken)
        put_copied(search, search->whole_rows.at[done],
                   (size_t)(search->whole_rows.at[search->whole_rows.count] -
                            search->whole_rows.at[done]));
    return taken;
}

enum copied copied_text_edit(const struct copied_part *whole, const struct copied_part *old_text,
                             const struct copied_part *new_text, char **out, size_t *out_size,
                             size_t *row)
{
    struct copy_search search = {0};
    enum copied result = COPIED_NOT;

    line_rows_split(&search.whole_rows, whole->text, whole->size);
    line_rows_split(&search.old_rows, old_text->text, old_text->size);
    line_rows_split(&search.new_rows, new_text->text, new_text->size);
    search.place = allocate((search.old_rows.count + 1) * sizeof(*search.place));
    if (find_window(&search) && place_lines(&search))
        result = take_hunks(&search) ? COPIED_EDITED : COPIED_PART;
    *row = search.row;
    if (result == COPIED_EDITED) {
        *out = search.out;
        *out_size = search.size;
    } else {
        free(search.out);
    }
    free(search.place);
    line_rows_free(&search.whole_rows);
    line_rows_free(&search.old_rows);
    line_rows_free(&search.new_rows);
    return result;
}
