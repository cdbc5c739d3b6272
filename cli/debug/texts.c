/* texts.c - see texts.h. */
#include "cli/debug/texts.h"

#include <stdlib.h>
#include <string.h>

#include "cli/debug/debug_names.h"
#include "cli/output/output.h"

/* Where `text` is in the table, or the free place for it. */
static uint32_t *texts_place(const struct texts *texts, const char *text)
{
    size_t at = debug_name_hash(text) & texts->mask;

    while (texts->table[at] && strcmp(texts->list[texts->table[at] - 1], text) != 0)
        at = (at + 1) & texts->mask;
    return &texts->table[at];
}

static void texts_grow(struct texts *texts)
{
    size_t room = texts->room ? texts->room * 2 : 16;

    texts->list = reallocate(texts->list, room * sizeof(*texts->list));
    free(texts->table);
    texts->table = allocate(2 * room * sizeof(*texts->table));
    memset(texts->table, 0, 2 * room * sizeof(*texts->table));
    texts->room = room;
    texts->mask = 2 * room - 1;
    for (size_t i = 0; i < texts->count; i++)
        *texts_place(texts, texts->list[i]) = (uint32_t)i + 1;
}

void texts_add(struct texts *texts, const char *text)
{
    uint32_t *place;

    if (texts->count == texts->room)
        texts_grow(texts);
    place = texts_place(texts, text);
    if (*place)
        return;
    texts->list[texts->count] = format_text("%s", text);
    *place = (uint32_t)++texts->count;
}

void texts_free(struct texts *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        free(texts->list[i]);
    free(texts->list);
    free(texts->table);
    *texts = (struct texts){0};
}
