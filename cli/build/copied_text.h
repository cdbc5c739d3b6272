/*
 * copied_text.h - a text that a generator has copied into a larger one, as sqlite3.c has all sources of SQLite: an edit of the
 * text is one of the copy. A generator changes some lines of a copy (#include, "static").
 */
#ifndef HOTPATCH_COPIED_TEXT_H
#define HOTPATCH_COPIED_TEXT_H

#include <stddef.h>

enum copied {
    COPIED_NOT,    /* the larger text has no copy */
    COPIED_EDITED, /* the copy has been edited */
    COPIED_PART    /* there is a copy, but a line of the edit, or one beside it, is another there */
};

struct copied_part {
    const char *text;
    size_t size;
};

/* Edit the copy of `old_text` in `whole` as `new_text` differs from it. `*out`: the new whole, malloc'd; `*row`: of COPIED_PART,
 * the first line of `old_text` that is another in the copy, from 1. */
enum copied copied_text_edit(const struct copied_part *whole, const struct copied_part *old_text,
                             const struct copied_part *new_text, char **out, size_t *out_size,
                             size_t *row);

#endif
