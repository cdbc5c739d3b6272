/*
 * hunk_lines.h - the marks of line_marks.h, and how debug information tells the lines of an edited text apart nevertheless.
 *
 * A hunk that adds lines has numbers that the text behind it has, too. So it gets another file name than the text around it,
 * by a macro that the command line defines; and the text around it gets one that says where the first mark stands:
 *
 *     int before;                       the file's own name, its own numbers
 *     #line 4 __HOTPATCH_LINES_0_1      the hunk
 *     ...
 *     #line 4 __HOTPATCH_LINES_0_0      what follows it
 *
 * Where the macros are defined as nothing, the marks are those of line_marks.h. hunk_names.h defines them.
 */
#ifndef HOTPATCH_HUNK_LINES_H
#define HOTPATCH_HUNK_LINES_H

#include <stddef.h>

#include "elf/line_map.h"

#define HUNK_NAMES_MOST 8 /* of one text: hunks share a name where their numbers differ */

struct hunk_lines {
    struct line_run *runs;
    size_t run_count;    /* 0: the text has no marks with names */
    unsigned name_count; /* 0: that of what is no hunk; the others: of hunks */
};

/* Return the new text with marks, malloc'd. `file` is a number that no other text of the compilation has. */
char *hunk_lines_mark(struct hunk_lines *lines, unsigned file, const char *old_text,
                      size_t old_size, const char *new_text, size_t new_size, size_t *out_size);
void hunk_lines_free(struct hunk_lines *lines);

#endif
