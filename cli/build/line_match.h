/*
 * line_match.h - which lines of one text are those of another: Myers, "An O(ND) Difference Algorithm and Its Variations"
 * (1986), the greedy algorithm.
 */
#ifndef HOTPATCH_LINE_MATCH_H
#define HOTPATCH_LINE_MATCH_H

#include <stddef.h>

struct line_rows {
    const char **at; /* the beginning of each line, and the end of the text */
    size_t count;
};

void line_rows_split(struct line_rows *rows, const char *text, size_t size);
void line_rows_free(struct line_rows *rows);

#define LINE_UNMATCHED ((size_t)-1)

/* Return for each line of `new_rows` the line of `old_rows` that it is, or LINE_UNMATCHED; malloc'd. Texts that differ in very
 * many lines are matched at their beginnings and ends alone. */
size_t *line_match(const struct line_rows *old_rows, const struct line_rows *new_rows);

#endif
