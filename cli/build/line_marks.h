/*
 * line_marks.h - `#line` directives that keep the old line numbers of what an edit does not touch.
 *
 * Each assertion and log call has __LINE__ in it: without the marks all functions after an edit change. The directives have no
 * file name, so that __FILE__ stays what it is. Debug information then has the old numbers as well, for the code after a hunk:
 * hunk_lines.h says how it gets the new ones.
 */
#ifndef HOTPATCH_LINE_MARKS_H
#define HOTPATCH_LINE_MARKS_H

#include <stdbool.h>
#include <stddef.h>

/* Return the new text with marks where its numbers would differ from the old text's, malloc'd. A mark stands before a whole line of
 * the edit's context, outside comments, strings, raw strings, directives, and parentheses, which may be those of a macro. */
char *line_marks_add(const char *old_text, size_t old_size, const char *new_text, size_t new_size,
                     size_t *out_size);

/* What the marks do to one line of the new text. */
struct line_place {
    size_t number;   /* its __LINE__ with the marks, if every group of #if is compiled */
    long group;      /* depth of #if before it */
    bool safe;       /* a mark may stand before it */
    bool ends_group; /* it is #else, #elif or #endif */
};

/* The same; `places`, by line, is malloc'd. It is NULL where a text has #line directives of its own. */
char *line_marks_place(const char *old_text, size_t old_size, const char *new_text, size_t new_size,
                       size_t *out_size, struct line_place **places);

#endif
