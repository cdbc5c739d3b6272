/* edit_list.c - see edit_list.h. */
#include "cli/build/edit_list.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

struct edit_file *edit_list_find(const struct edit_list *list, const char *path)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->files[i].path, path) == 0)
            return &list->files[i];
    return NULL;
}

struct edit_file *edit_list_add(struct edit_list *list, char *path, char *old_text, size_t old_size)
{
    struct edit_file *file;

    list->files = reallocate(list->files, (list->count + 1) * sizeof(*list->files));
    file = &list->files[list->count++];
    *file = (struct edit_file){.path = path,
                               .old_text = old_text,
                               .old_size = old_size,
                               .new_text = old_text,
                               .new_size = old_size};
    return file;
}

void edit_list_change(struct edit_file *file, char *text, size_t size)
{
    if (file->new_text != file->old_text)
        free((char *)file->new_text);
    file->new_text = text;
    file->new_size = size;
}

void edit_list_free(struct edit_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        edit_list_change(&list->files[i], NULL, 0);
        free((char *)list->files[i].old_text);
        free((char *)list->files[i].path);
    }
    free(list->files);
    words_free(&list->notes);
    memset(list, 0, sizeof(*list));
}
