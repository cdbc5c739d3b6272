/*
 * diff_read.h - unified diffs, as diff(1), git and quilt write them.
 */
#ifndef HOTPATCH_DIFF_READ_H
#define HOTPATCH_DIFF_READ_H

#include <stdbool.h>
#include <stddef.h>

#include "base/refusal.h"

struct diff_line {
    char kind; /* ' ', '-', '+' */
    const char *text;
    size_t size; /* with the newline, unless the file ends without one */
};

struct diff_hunk {
    size_t old_start, old_count, new_start, new_count; /* as the head says; lines count from 1 */
    struct diff_line *lines;
    size_t line_count;
    size_t row; /* of the diff: the line of its head */
};

struct diff_file {
    char *old_path, *new_path; /* as written, without time stamps; NULL: /dev/null */
    bool creates, deletes;
    bool moves; /* a rename or a copy of git's */
    bool copies;
    bool binary;
    struct diff_hunk *hunks;
    size_t hunk_count;
    size_t row;
};

struct diff {
    struct diff_file *files;
    size_t file_count;
    char *text; /* of which the lines are parts */
};

/* Read `text`, whose size is `size`, of the diff called `name`. Return 0, or -1 with HP-DIFF. */
int diff_read(struct diff *diff, const char *text, size_t size, const char *name,
              struct refusal *why);
void diff_free(struct diff *diff);

/* Return the path without its first `strip` components, or NULL where it has no more. Several slashes are one. */
const char *diff_strip(const char *path, unsigned strip);

#endif
