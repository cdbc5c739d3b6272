/* line_marks.c - see line_marks.h. The parts of a line are those of C11, 5.1.1.2 and 6.10.4. */
#include "cli/build/line_marks.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/build/line_match.h"
#include "cli/output/output.h"

/* What is open at the beginning of a line. */
struct line_state {
    bool comment;   /* of the form that an asterisk and a slash end */
    bool continued; /* the line before ends in a backslash */
    bool directive; /* which goes on */
    long depth;     /* of parentheses */
    long group;     /* depth of #if */
    char quote;     /* of a string that goes on after a backslash, or 0 */
    char raw[20];   /* what ends the raw string (C++11, 5.13.5; C of GNU has them, too), or "" */
};

/* The numbers of one text. */
struct line_numbers {
    size_t *number;      /* by line: what __LINE__ is without marks of ours */
    const char **marked; /* by line: the directive that counts, or NULL */
};

static const char *past_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\f' || *at == '\v'))
        at++;
    return at;
}

static bool begins_word(const char *at, const char *end, const char *word)
{
    size_t length = strlen(word);

    return (size_t)(end - at) >= length && memcmp(at, word, length) == 0;
}

/* Return the name of the directive in the line, or NULL where it is none. */
static const char *directive_name(const char *at, const char *end)
{
    at = past_blanks(at, end);
    if (at == end || *at != '#')
        return NULL;
    return past_blanks(at + 1, end);
}

/* Return the number that a directive gives the next line, or 0. */
static size_t directive_line(const char *name, const char *end)
{
    size_t number = 0;

    if (begins_word(name, end, "line"))
        name = past_blanks(name + 4, end);
    for (; name < end && *name >= '0' && *name <= '9' && number < 100000000; name++)
        number = number * 10 + (size_t)(*name - '0');
    return number;
}

static void number_lines(struct line_numbers *numbers, const struct line_rows *rows)
{
    size_t next = 1;
    const char *mark = NULL;

    numbers->number = allocate((rows->count + 1) * sizeof(*numbers->number));
    numbers->marked = allocate((rows->count + 1) * sizeof(*numbers->marked));
    for (size_t i = 0; i < rows->count; i++, next++) {
        const char *name = directive_name(rows->at[i], rows->at[i + 1]);
        size_t given = name ? directive_line(name, rows->at[i + 1]) : 0;

        numbers->number[i] = next;
        numbers->marked[i] = mark;
        if (given) {
            next = given - 1;
            mark = rows->at[i];
        }
    }
}

static void free_numbers(struct line_numbers *numbers)
{
    free(numbers->number);
    free(numbers->marked);
}

static bool is_group_end(const char *name, const char *end)
{
    return begins_word(name, end, "endif") || begins_word(name, end, "else") ||
           begins_word(name, end, "elif");
}

/* Follow a directive. Its parentheses do not count. */
static void follow_directive(struct line_state *state, const char *name, const char *end)
{
    state->directive = true;
    if (begins_word(name, end, "if"))
        state->group++;
    else if (begins_word(name, end, "endif") && state->group)
        state->group--;
}

static bool is_name_byte(char byte)
{
    return byte == '_' || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

/* Return whether the quotation mark follows R, uR, u8R, UR or LR. */
static bool follows_raw(const char *begin, const char *quote)
{
    const char *at = quote;

    if (at == begin || *--at != 'R')
        return false;
    if (at - begin >= 2 && at[-2] == 'u' && at[-1] == '8')
        at -= 2;
    else if (at > begin && (at[-1] == 'u' || at[-1] == 'U' || at[-1] == 'L'))
        at--;
    return at == begin || !is_name_byte(at[-1]);
}

/* Begin a raw string, if one begins at the quotation mark. Return the number of bytes before its text; 0: none begins. */
static size_t begin_raw(struct line_state *state, const char *begin, const char *quote,
                        const char *end)
{
    size_t length = 0, most = (size_t)(end - quote) - 1;

    if (*quote != '"' || !follows_raw(begin, quote))
        return 0;
    while (length < most && length < 17 && !memchr("( )\\\t\v\f\n", quote[1 + length], 8))
        length++;
    if (length == most || length == 17 || quote[1 + length] != '(')
        return 0;
    snprintf(state->raw, sizeof(state->raw), ")%.*s\"", (int)length, quote + 1);
    return length + 2;
}

/* Follow the text of a raw string. Return where it ends. */
static const char *follow_raw(struct line_state *state, const char *at, const char *end)
{
    const char *close = memmem(at, (size_t)(end - at), state->raw, strlen(state->raw));

    if (!close)
        return end;
    close += strlen(state->raw);
    state->raw[0] = '\0';
    return close;
}

/* Follow one byte outside of comments and strings. Return the number of bytes that were taken. */
static size_t follow_byte(struct line_state *state, const char *begin, const char *at,
                          const char *end)
{
    bool two = at + 1 < end;
    size_t raw = begin_raw(state, begin, at, end);

    if (raw)
        return raw;
    if (two && at[0] == '/' && at[1] == '/')
        return (size_t)(end - at);
    if (two && at[0] == '/' && at[1] == '*')
        return state->comment = true, 2;
    if (*at == '"' || *at == '\'')
        state->quote = *at;
    else if (*at == '(' && !state->directive)
        state->depth++;
    else if (*at == ')' && !state->directive && state->depth)
        state->depth--;
    return 1;
}

/* Return whether the next line is part of a comment, of a raw string or of the line before it. */
static bool line_goes_on(const struct line_state *state)
{
    return state->comment || state->continued || *state->raw;
}

/* Follow a line, without its newline, to the state at the beginning of the next one. */
static void follow_line(struct line_state *state, const char *at, const char *end)
{
    const char *name, *begin = at;
    bool backslash;

    while (end > at && (end[-1] == '\n' || end[-1] == '\r'))
        end--;
    backslash = end > at && end[-1] == '\\';
    name = line_goes_on(state) ? NULL : directive_name(at, end);
    if (name)
        follow_directive(state, name, end);
    else if (!line_goes_on(state) && at < end && *at == '}')
        state->depth = 0; /* whatever branches of #if have left open */
    while (at < end) {
        if (state->comment) {
            const char *close = memmem(at, (size_t)(end - at), "*/", 2);

            state->comment = !close;
            at = close ? close + 2 : end;
        } else if (*state->raw) {
            at = follow_raw(state, at, end);
        } else if (state->quote) {
            if (*at == '\\')
                at++;
            else if (*at == state->quote)
                state->quote = 0;
            at++;
        } else {
            at += follow_byte(state, begin, at, end);
        }
    }
    state->continued = backslash;
    if (!backslash) {
        state->quote = 0;
        state->directive &= state->comment;
    }
}

static bool is_safe(const struct line_state *state)
{
    return !line_goes_on(state) && !state->quote && !state->depth && !state->directive;
}

struct line_marker {
    struct line_rows old_rows, new_rows;
    struct line_numbers old_numbers, new_numbers;
    size_t *match;
    struct line_state state;
    long shift;         /* what the last mark adds to the numbers of the new text */
    const char *marked; /* the directive of the text that counted then */
    long
        mark_group; /* the depth of #if where the last mark stands; 0: a mark outside counts everywhere */
    bool again; /* the last mark may have been in a group that is skipped */
    FILE *out;
    struct line_place *places; /* by line of the new text; or NULL */
};

static void mark_line(struct line_marker *marker, size_t line, size_t old_line)
{
    size_t wanted = marker->old_numbers.number[old_line];
    size_t number = marker->new_numbers.number[line];

    if (marker->new_numbers.marked[line] != marker->marked) {
        marker->marked = marker->new_numbers.marked[line];
        marker->shift = 0;
        marker->again = false;
    }
    if ((long)wanted == (long)number + marker->shift && !marker->again)
        return;
    if (!is_safe(&marker->state))
        return;
    fprintf(marker->out, "#line %zu\n", wanted);
    marker->shift = (long)wanted - (long)number;
    marker->mark_group = marker->state.group;
    marker->again = false;
}

/* Return whether the line, which is the next one, ends a group. */
static bool ends_group(const struct line_marker *marker, size_t line)
{
    const char *end = marker->new_rows.at[line + 1];
    const char *name = directive_name(marker->new_rows.at[line], end);

    return name && !line_goes_on(&marker->state) && is_group_end(name, end);
}

/* A mark in a group that is left counts only if the group was compiled. */
static void leave_group(struct line_marker *marker, size_t line)
{
    if (marker->mark_group && ends_group(marker, line) && marker->state.group <= marker->mark_group)
        marker->again = true;
}

static void note_place(struct line_marker *marker, size_t line)
{
    marker->places[line] =
        (struct line_place){.number = marker->new_numbers.number[line] + (size_t)marker->shift,
                            .group = marker->state.group,
                            .safe = is_safe(&marker->state),
                            .ends_group = ends_group(marker, line)};
}

static void write_lines(struct line_marker *marker)
{
    for (size_t i = 0; i < marker->new_rows.count; i++) {
        const char *at = marker->new_rows.at[i], *end = marker->new_rows.at[i + 1];

        if (marker->match[i] != LINE_UNMATCHED)
            mark_line(marker, i, marker->match[i]);
        if (marker->places)
            note_place(marker, i);
        leave_group(marker, i);
        follow_line(&marker->state, at, end);
        fwrite(at, 1, (size_t)(end - at), marker->out);
    }
}

static void marker_begin(struct line_marker *marker, const char *old_text, size_t old_size,
                         const char *new_text, size_t new_size)
{
    line_rows_split(&marker->old_rows, old_text, old_size);
    line_rows_split(&marker->new_rows, new_text, new_size);
    number_lines(&marker->old_numbers, &marker->old_rows);
    number_lines(&marker->new_numbers, &marker->new_rows);
    marker->match = line_match(&marker->old_rows, &marker->new_rows);
}

static void marker_end(struct line_marker *marker)
{
    free(marker->match);
    free(marker->places);
    free_numbers(&marker->old_numbers);
    free_numbers(&marker->new_numbers);
    line_rows_free(&marker->old_rows);
    line_rows_free(&marker->new_rows);
}

/* Return whether one of the texts has such directives of its own. */
static bool has_directives(const struct line_marker *marker)
{
    const struct line_numbers *old = &marker->old_numbers, *new = &marker->new_numbers;
    size_t old_count = marker->old_rows.count, new_count = marker->new_rows.count;

    return (old_count && old->marked[old_count - 1]) || (new_count && new->marked[new_count - 1]);
}

char *line_marks_place(const char *old_text, size_t old_size, const char *new_text, size_t new_size,
                       size_t *out_size, struct line_place **places)
{
    struct line_marker marker = {0};
    char *text = NULL;

    marker_begin(&marker, old_text, old_size, new_text, new_size);
    if (places)
        marker.places = allocate((marker.new_rows.count + 1) * sizeof(*marker.places));
    marker.out = open_memstream(&text, out_size);
    if (marker.out)
        write_lines(&marker);
    if (!marker.out || fclose(marker.out) != 0 || !text)
        text = format_text("%.*s", (int)(*out_size = new_size), new_text);
    if (places) {
        *places = NULL;
        if (!has_directives(&marker)) {
            *places = marker.places;
            marker.places = NULL;
        }
    }
    marker_end(&marker);
    return text;
}

char *line_marks_add(const char *old_text, size_t old_size, const char *new_text, size_t new_size,
                     size_t *out_size)
{
    return line_marks_place(old_text, old_size, new_text, new_size, out_size, NULL);
}
