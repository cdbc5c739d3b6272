/*
 * copied_text.c - see copied_text.h. Long lines that the whole has once show where the lines of the copy stand, in their order; what
 * lies between them may be more (a generator puts a header in place of its #include), but nearly all lines must be there. A hunk
 * goes in where its old lines stand together with lines beside them.
 */
#include "cli/build/copied_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/line_match.h"
#include "cli/output/output.h"

#define LONG_LINE 16 /* bytes: shorter ones, as braces, stand anywhere */
#define COPY_PERCENT 85

struct hashed_line {
    uint64_t hash;
    size_t line;
};

struct copy_search {
    struct line_rows old_rows, new_rows, whole_rows;
    struct hashed_line *index; /* of the whole's long lines, by hash */
    size_t index_count;
    size_t *place; /* by line of the old text: the line of the whole, or LINE_UNMATCHED */
    char *out;
    size_t size, row;
};

static size_t line_size(const struct line_rows *rows, size_t line)
{
    return (size_t)(rows->at[line + 1] - rows->at[line]);
}

/* FNV-1a */
static uint64_t line_hash(const struct line_rows *rows, size_t line)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (const char *at = rows->at[line]; at < rows->at[line + 1]; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3;
    return hash;
}

static int order_hashes(const void *a, const void *b)
{
    const struct hashed_line *one = a, *other = b;

    return (one->hash > other->hash) - (one->hash < other->hash);
}

static void index_whole(struct copy_search *search)
{
    const struct line_rows *rows = &search->whole_rows;

    search->index = allocate((rows->count + 1) * sizeof(*search->index));
    for (size_t i = 0; i < rows->count; i++)
        if (line_size(rows, i) >= LONG_LINE)
            search->index[search->index_count++] = (struct hashed_line){line_hash(rows, i), i};
    qsort(search->index, search->index_count, sizeof(*search->index), order_hashes);
}

/* Return the line of the whole that is this line of the text, if there is one only. */
static size_t find_only(const struct copy_search *search, size_t line)
{
    const struct hashed_line wanted = {.hash = line_hash(&search->old_rows, line)}, *found, *end;

    if (line_size(&search->old_rows, line) < LONG_LINE)
        return LINE_UNMATCHED;
    found = bsearch(&wanted, search->index, search->index_count, sizeof(wanted), order_hashes);
    end = search->index + search->index_count;
    if (!found || (found > search->index && found[-1].hash == wanted.hash) ||
        (found + 1 < end && found[1].hash == wanted.hash))
        return LINE_UNMATCHED;
    return found->line;
}

/* Keep the longest rising sequence of the places ("patience sorting"). */
static void keep_rising(struct copy_search *search)
{
    size_t count = search->old_rows.count, length = 0;
    size_t *tops = allocate((count + 1) * sizeof(*tops)); /* by length: the line that ends one */
    size_t *before = allocate((count + 1) * sizeof(*before));

    for (size_t i = 0; i < count; i++) {
        size_t low = 0, high = length;

        while (search->place[i] != LINE_UNMATCHED && low < high) {
            size_t middle = low + (high - low) / 2;

            if (search->place[tops[middle]] < search->place[i])
                low = middle + 1;
            else
                high = middle;
        }
        if (search->place[i] == LINE_UNMATCHED)
            continue;
        before[i] = low ? tops[low - 1] : LINE_UNMATCHED;
        tops[low] = i;
        length = low == length ? length + 1 : length;
    }
    for (size_t i = count, kept = length ? tops[length - 1] : LINE_UNMATCHED; i-- > 0;)
        if (i == kept)
            kept = before[i];
        else
            search->place[i] = LINE_UNMATCHED;
    free(tops);
    free(before);
}

/* Return whether the line of the text is that line of the whole. */
static bool line_is_at(const struct copy_search *search, size_t line, size_t at)
{
    size_t size = line_size(&search->old_rows, line);

    return at < search->whole_rows.count && size == line_size(&search->whole_rows, at) &&
           memcmp(search->old_rows.at[line], search->whole_rows.at[at], size) == 0;
}

/* Lines that stand several times in the whole are those beside lines that stand once. */
static void join_lines(struct copy_search *search)
{
    size_t *place = search->place;

    for (size_t i = 1; i < search->old_rows.count; i++)
        if (place[i] == LINE_UNMATCHED && place[i - 1] != LINE_UNMATCHED &&
            line_is_at(search, i, place[i - 1] + 1))
            place[i] = place[i - 1] + 1;
    for (size_t i = search->old_rows.count; i-- > 1;)
        if (place[i - 1] == LINE_UNMATCHED && place[i] != LINE_UNMATCHED && place[i] &&
            line_is_at(search, i - 1, place[i] - 1))
            place[i - 1] = place[i] - 1;
}

/* Find where each line of the text stands in the whole. Return whether nearly all do. */
static bool place_lines(struct copy_search *search)
{
    size_t count = search->old_rows.count, found = 0;

    for (size_t i = 0; i < count; i++)
        search->place[i] = find_only(search, i);
    keep_rising(search);
    join_lines(search);
    for (size_t i = 0; i < count; i++)
        found += search->place[i] != LINE_UNMATCHED;
    return found * 100 >= count * COPY_PERCENT;
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

/* Return whether the hunk's old lines stand together with one beside them at each end, and at one end with all up to a long line. */
static bool hunk_stands(struct copy_search *search, const struct copy_hunk *hunk, size_t done)
{
    size_t count = search->old_rows.count;
    size_t first = hunk->old_first ? hunk->old_first - 1 : 0, long_first = first;
    size_t last = hunk->old_last < count ? hunk->old_last + 1 : count, long_last = last;

    while (long_first && line_size(&search->old_rows, long_first) < LONG_LINE)
        long_first--;
    while (long_last < count && line_size(&search->old_rows, long_last - 1) < LONG_LINE)
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
    index_whole(&search);
    if (place_lines(&search))
        result = take_hunks(&search) ? COPIED_EDITED : COPIED_PART;
    *row = search.row;
    if (result == COPIED_EDITED) {
        *out = search.out;
        *out_size = search.size;
    } else {
        free(search.out);
    }
    free(search.place);
    free(search.index);
    line_rows_free(&search.whole_rows);
    line_rows_free(&search.old_rows);
    line_rows_free(&search.new_rows);
    return result;
}
