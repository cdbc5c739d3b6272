/*
 * texts.h - a list of texts in which each is there once, for many thousands of them.
 */
#ifndef HOTPATCH_TEXTS_H
#define HOTPATCH_TEXTS_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed: empty. */
struct texts {
    char **list; /* in the order in which they came; each malloc'd */
    size_t count, room;
    uint32_t *table; /* 1 + an index, at its hash or behind it; 0: free */
    size_t mask;     /* of the table, which is twice `room` long */
};

/* Adds a copy of `text` where the list has none. */
void texts_add(struct texts *texts, const char *text);
void texts_free(struct texts *texts);

#endif
