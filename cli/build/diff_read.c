/*
 * diff_read.c - see diff_read.h. What stands between files is not looked at: mail headers, "Index:" lines, descriptions.
 */
#include "cli/build/diff_read.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

struct diff_reader {
    struct diff *diff;
    const char *name;
    const char *at, *end;
    size_t row;             /* of the line at `at`, from 1 */
    struct diff_file *file; /* the one that is read; NULL: none yet */
    bool git;               /* its head began with "diff --git" */
    bool drop_returns;      /* the head's lines end in CR LF: the mail or the editor did that */
};

struct text_line {
    const char *text;
    size_t size; /* without the newline */
    bool newline;
};

static bool peek_line(const struct diff_reader *reader, struct text_line *line)
{
    const char *newline;

    if (reader->at >= reader->end)
        return false;
    newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
    line->text = reader->at;
    line->size = (size_t)((newline ? newline : reader->end) - reader->at);
    line->newline = newline;
    return true;
}

static void skip_line(struct diff_reader *reader, const struct text_line *line)
{
    reader->at = line->text + line->size + line->newline;
    reader->row++;
}

static bool starts(const struct text_line *line, const char *with)
{
    size_t length = strlen(with);

    return line->size >= length && memcmp(line->text, with, length) == 0;
}

static int diff_refuse(const struct diff_reader *reader, size_t row, struct refusal *why,
                       const char *what)
{
    return refuse(why, HP_DIFF, "%s:%zu: %s", reader->name, row, what);
}

/* ---------------------------------------------------------- names --- */

/* Return the bytes of a name that git has put in quotes, or NULL. */
static char *unquote(const char *text, size_t size)
{
    static const char letters[] = "abtnvfr\"\\", bytes[] = "\a\b\t\n\v\f\r\"\\";
    char *name = allocate(size + 1);
    size_t length = 0;

    for (size_t i = 1; i < size && text[i] != '"'; i++) {
        const char *letter;

        if (text[i] != '\\' || i + 1 >= size) {
            name[length++] = text[i];
            continue;
        }
        letter = strchr(letters, text[++i]);
        if (letter && *letter) {
            name[length++] = bytes[letter - letters];
        } else if (i + 2 < size && text[i] >= '0' && text[i] <= '3') {
            name[length++] = (char)((text[i] - '0') << 6 | ((text[i + 1] - '0') & 7) << 3 |
                                    ((text[i + 2] - '0') & 7));
            i += 2;
        }
    }
    return name;
}

/* Return the name in a "---" or "+++" line, malloc'd; NULL: /dev/null. A tab, or two blanks, part it from a time stamp. */
static char *read_name(const char *text, size_t size)
{
    char *name;

    while (size && (*text == ' ' || *text == '\t'))
        text++, size--;
    while (size && text[size - 1] == '\r')
        size--;
    if (size && *text == '"')
        return unquote(text, size);
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\t' || (text[i] == ' ' && i + 5 < size && text[i + 1] >= '0' &&
                                text[i + 1] <= '9' && text[i + 5] == '-')) {
            size = i;
            break;
        }
    while (size && text[size - 1] == ' ')
        size--;
    name = format_text("%.*s", (int)size, text);
    if (strcmp(name, "/dev/null") == 0) {
        free(name);
        return NULL;
    }
    return name;
}

/* Return whether a "---" or "+++" line has the time stamp of a file that is not there (diff -N): the epoch. */
static bool has_epoch(const struct text_line *line)
{
    static const char *const stamps[] = {"\t1970-01-01", "\t1969-12-31", "\tThu Jan  1 ",
                                         "\tWed Dec 31 "};

    for (size_t i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++)
        if (memmem(line->text, line->size, stamps[i], strlen(stamps[i])))
            return true;
    return false;
}

/* ---------------------------------------------------------- files --- */

static void begin_file(struct diff_reader *reader)
{
    struct diff *diff = reader->diff;

    diff->files = reallocate(diff->files, (diff->file_count + 1) * sizeof(*diff->files));
    reader->file = &diff->files[diff->file_count++];
    *reader->file = (struct diff_file){.row = reader->row};
    reader->git = false;
    reader->drop_returns = false;
}

/* Read the two names of "diff --git a/X b/X", which a mode change alone has. Names with blanks come again in later lines. */
static void read_git_names(struct diff_reader *reader, const struct text_line *line)
{
    const char *text = line->text + strlen("diff --git "), *end = line->text + line->size, *middle;

    begin_file(reader);
    reader->git = true;
    if (*text == '"' || !(middle = memmem(text, (size_t)(end - text), " b/", 3)))
        return;
    reader->file->old_path = read_name(text, (size_t)(middle - text));
    reader->file->new_path = read_name(middle + 1, (size_t)(end - middle - 1));
}

static void set_name(char **name, char *value)
{
    free(*name);
    *name = value;
}

/* Return the name after `word` as "a/NAME", since the names in these lines have no first component. */
static char *with_prefix(const char *prefix, const struct text_line *line, const char *word)
{
    const char *at = memmem(line->text, line->size, word, strlen(word));
    const char *begin = at + strlen(word);
    char *name = read_name(begin, (size_t)(line->text + line->size - begin));
    char *whole = format_text("%s%s", prefix, name ? name : "");

    free(name);
    return whole;
}

static void read_git_line(struct diff_reader *reader, const struct text_line *line)
{
    struct diff_file *file = reader->file;

    if (starts(line, "new file mode"))
        file->creates = true;
    else if (starts(line, "deleted file mode"))
        file->deletes = true;
    else if (starts(line, "rename from ") || starts(line, "copy from ")) {
        file->moves = true;
        file->copies = *line->text == 'c';
        set_name(&file->old_path, with_prefix("a/", line, " from "));
    } else if (starts(line, "rename to ") || starts(line, "copy to ")) {
        set_name(&file->new_path, with_prefix("b/", line, " to "));
    } else if (starts(line, "GIT binary patch") ||
               (starts(line, "Binary files ") && memmem(line->text, line->size, " differ", 7))) {
        file->binary = true;
    }
}

/* Read "--- OLD" and "+++ NEW". Return whether they stand here. */
static bool read_file_names(struct diff_reader *reader, const struct text_line *line)
{
    struct text_line next, third;
    const char *after = line->text + line->size + line->newline;
    struct diff_reader ahead = *reader;

    if (!starts(line, "--- "))
        return false;
    ahead.at = after;
    if (!peek_line(&ahead, &next) || !starts(&next, "+++ "))
        return false;
    ahead.at = next.text + next.size + next.newline;
    if (!peek_line(&ahead, &third) || !starts(&third, "@@ -"))
        return false;
    if (!reader->git || reader->file->hunk_count)
        begin_file(reader);
    set_name(&reader->file->old_path, read_name(line->text + 4, line->size - 4));
    set_name(&reader->file->new_path, read_name(next.text + 4, next.size - 4));
    reader->file->creates |= !reader->file->old_path || has_epoch(line);
    reader->file->deletes |= !reader->file->new_path || has_epoch(&next);
    reader->drop_returns = line->size && line->text[line->size - 1] == '\r' && next.size &&
                           next.text[next.size - 1] == '\r';
    skip_line(reader, line);
    skip_line(reader, &next);
    return true;
}

/* ---------------------------------------------------------- hunks --- */

static bool read_number(const char **at, const char *end, size_t *number)
{
    const char *begin = *at;

    for (*number = 0; *at < end && **at >= '0' && **at <= '9' && *at - begin < 9; ++*at)
        *number = *number * 10 + (size_t)(**at - '0');
    return *at > begin;
}

static bool read_range(const char **at, const char *end, char sign, size_t *start, size_t *count)
{
    if (*at >= end || **at != sign)
        return false;
    ++*at;
    if (!read_number(at, end, start))
        return false;
    *count = 1;
    if (*at < end && **at == ',') {
        ++*at;
        return read_number(at, end, count);
    }
    return true;
}

/* Read "@@ -OLD,COUNT +NEW,COUNT @@". */
static bool read_hunk_head(const struct text_line *line, struct diff_hunk *hunk)
{
    const char *at = line->text + 3, *end = line->text + line->size;

    if (!read_range(&at, end, '-', &hunk->old_start, &hunk->old_count) || at >= end || *at++ != ' ')
        return false;
    if (!read_range(&at, end, '+', &hunk->new_start, &hunk->new_count))
        return false;
    return end - at >= 3 && memcmp(at, " @@", 3) == 0;
}

static void hunk_add(struct diff_hunk *hunk, char kind, const char *text, size_t size)
{
    if ((hunk->line_count & (hunk->line_count - 1)) == 0)
        hunk->lines = reallocate(hunk->lines, (hunk->line_count ? hunk->line_count * 2 : 1) *
                                                  sizeof(*hunk->lines));
    hunk->lines[hunk->line_count++] = (struct diff_line){kind, text, size};
}

/* Take a line of a hunk. A line without a byte is an empty line of context whose blank an editor has taken away. */
static bool take_hunk_line(const struct diff_reader *reader, struct diff_hunk *hunk,
                           const struct text_line *line)
{
    bool returns = reader->drop_returns && line->size && line->text[line->size - 1] == '\r';
    size_t all = line->size - returns;
    char kind = all ? *line->text : ' ';
    const char *text = all ? line->text + 1 : line->text;
    size_t size = all ? all - 1 : 0;

    if (kind == '\t') { /* the same of a line that begins with a tab */
        kind = ' ';
        text = line->text;
        size = all;
    }
    if (!kind || !strchr(" +-", kind))
        return false;
    if (returns)
        reader->diff->text[line->text + all - reader->diff->text] = '\n';
    hunk_add(hunk, kind, text, size + 1);
    return true;
}

/* The line before ends its file without a newline. */
static void end_without_newline(struct diff_hunk *hunk)
{
    struct diff_line *last = hunk->line_count ? &hunk->lines[hunk->line_count - 1] : NULL;

    if (last && last->size && last->text[last->size - 1] == '\n')
        last->size--;
}

static bool hunk_wants(const struct diff_hunk *hunk, size_t old_seen, size_t new_seen)
{
    return old_seen < hunk->old_count || new_seen < hunk->new_count;
}

static int read_hunk(struct diff_reader *reader, const struct text_line *head, struct refusal *why)
{
    struct diff_file *file = reader->file;
    struct diff_hunk *hunk;
    size_t old_seen = 0, new_seen = 0;
    struct text_line line;

    file->hunks = reallocate(file->hunks, (file->hunk_count + 1) * sizeof(*file->hunks));
    hunk = &file->hunks[file->hunk_count++];
    *hunk = (struct diff_hunk){.row = reader->row};
    if (!read_hunk_head(head, hunk))
        return diff_refuse(reader, reader->row, why, "this is no head of a hunk");
    skip_line(reader, head);
    while (peek_line(reader, &line)) {
        if (starts(&line, "\\ ")) {
            end_without_newline(hunk);
            skip_line(reader, &line);
            continue;
        }
        if (!hunk_wants(hunk, old_seen, new_seen))
            break;
        if (!take_hunk_line(reader, hunk, &line))
            return diff_refuse(reader, reader->row, why, "the hunk ends before its last line");
        old_seen += hunk->lines[hunk->line_count - 1].kind != '+';
        new_seen += hunk->lines[hunk->line_count - 1].kind != '-';
        skip_line(reader, &line);
    }
    if (old_seen != hunk->old_count || new_seen != hunk->new_count)
        return diff_refuse(reader, hunk->row, why, "the hunk has other lines than its head says");
    return 0;
}

static int read_diff_line(struct diff_reader *reader, const struct text_line *line,
                          struct refusal *why)
{
    if (starts(line, "diff --git ")) {
        read_git_names(reader, line);
    } else if (read_file_names(reader, line)) {
        return 0;
    } else if (starts(line, "@@ -") && reader->file) {
        return read_hunk(reader, line, why);
    } else if (starts(line, "*** ") && line->size > 6 && reader->at + line->size < reader->end &&
               strncmp(line->text + line->size + 1, "--- ", 4) == 0) {
        return diff_refuse(reader, reader->row, why,
                           "this is a context diff: hotpatch reads unified ones (diff -u)");
    } else if (reader->git && reader->file && !reader->file->hunk_count) {
        read_git_line(reader, line);
    }
    skip_line(reader, line);
    return 0;
}

/* Take back what a time stamp alone told where the hunks tell otherwise. */
static void check_stamps(struct diff_file *file)
{
    const struct diff_hunk *first = file->hunk_count ? file->hunks : NULL;

    if (first && file->old_path && (first->old_count || first->old_start))
        file->creates = false;
    if (first && file->new_path && (first->new_count || first->new_start))
        file->deletes = false;
}

int diff_read(struct diff *diff, const char *text, size_t size, const char *name,
              struct refusal *why)
{
    struct diff_reader reader = {.diff = diff, .name = name, .row = 1};
    struct text_line line;
    int result = 0;

    memset(diff, 0, sizeof(*diff));
    diff->text = allocate(size + 2); /* a newline, and a zero byte */
    memcpy(diff->text, text, size);
    if (size && text[size - 1] != '\n')
        diff->text[size++] = '\n';
    reader.at = diff->text;
    reader.end = diff->text + size;
    while (result == 0 && peek_line(&reader, &line))
        result = read_diff_line(&reader, &line, why);
    for (size_t i = 0; i < diff->file_count; i++)
        check_stamps(&diff->files[i]);
    if (result == 0 && !diff->file_count)
        result = refuse(why, HP_DIFF, "%s holds no unified diff", name);
    if (result != 0)
        diff_free(diff);
    return result;
}

void diff_free(struct diff *diff)
{
    for (size_t i = 0; i < diff->file_count; i++) {
        struct diff_file *file = &diff->files[i];

        for (size_t j = 0; j < file->hunk_count; j++)
            free(file->hunks[j].lines);
        free(file->hunks);
        free(file->old_path);
        free(file->new_path);
    }
    free(diff->files);
    free(diff->text);
    memset(diff, 0, sizeof(*diff));
}

const char *diff_strip(const char *path, unsigned strip)
{
    for (; path && strip; strip--) {
        path = strchr(path, '/');
        while (path && *path == '/')
            path++;
    }
    return path && *path ? path : NULL;
}
