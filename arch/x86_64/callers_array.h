/*
 * callers_array.h - arrays that grow, in pages straight from the kernel: malloc(3) would keep what is
 * freed in the host's heap, and learn from its size to do so with the host's own. Inside arch/ only.
 */
#ifndef HOTPATCH_CALLERS_ARRAY_H
#define HOTPATCH_CALLERS_ARRAY_H

#include <stddef.h>

struct array {
    void *bytes;
    size_t used, room;
};

/* Append room for `size` bytes, zeros; NULL: no memory. What lay there may move. */
void *array_add(struct array *array, size_t size);
/* Give back the pages behind what is used. */
void array_trim(struct array *array);
/* Leave no more than `room` bytes, whole pages, which hold nothing any more. */
void array_rest(struct array *array, size_t room);
void array_free(struct array *array);

#endif
