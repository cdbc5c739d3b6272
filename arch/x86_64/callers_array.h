/*
 * callers_array.h - arrays that grow, in pages from the kernel. malloc(3) would keep freed memory in the host's heap,
 * and would adapt its thresholds to these sizes for the host too. Inside arch/ only.
 */
#ifndef HOTPATCH_CALLERS_ARRAY_H
#define HOTPATCH_CALLERS_ARRAY_H

#include <stddef.h>

struct array {
    void *bytes;
    size_t used, room;
};

/* Append `size` zero bytes; NULL: memory is short. The earlier contents may move. */
void *array_add(struct array *array, size_t size);
/* Release the pages after the used part. */
void array_trim(struct array *array);
/* Keep at most `room` bytes, whole pages, without contents. */
void array_rest(struct array *array, size_t room);
void array_free(struct array *array);

#endif
