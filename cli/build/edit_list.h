/*
 * edit_list.h - the files of an edit with their texts, as they are collected from diffs or trees.
 */
#ifndef HOTPATCH_EDIT_LIST_H
#define HOTPATCH_EDIT_LIST_H

#include "cli/build/build_types.h"
#include "cli/build/words.h"

struct edit_list {
    struct edit_file *files; /* paths and texts are malloc'd */
    size_t count;
    struct word_list notes; /* sentences on what was ignored */
};

/* Return the file of the path, or NULL. */
struct edit_file *edit_list_find(const struct edit_list *list, const char *path);
/* Add a file; takes `path` and `old_text`, which is the new text, too, until edit_list_change(). */
struct edit_file *edit_list_add(struct edit_list *list, char *path, char *old_text,
                                size_t old_size);
/* Set the new text, which was malloc'd; NULL: the edit removes the file. */
void edit_list_change(struct edit_file *file, char *text, size_t size);
void edit_list_free(struct edit_list *list);

#endif
