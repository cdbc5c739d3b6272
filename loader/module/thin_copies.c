/* thin_copies.c - see thin_copies.h. */
#include "loader/module/thin_copies.h"

#include <stdio.h>
#include <string.h>

#include "loader/module/snapshot.h"

enum { COPIES_KEPT = 8, COPY_NAME_MAX = 256 };

static struct thin_copy {
    char path[COPY_NAME_MAX]; /* "": none */
    size_t whole;
} retired_copies[COPIES_KEPT];
static unsigned next_copy;

void thin_copy_retired(const char *path, size_t whole)
{
    struct thin_copy *copy = &retired_copies[next_copy++ % COPIES_KEPT];

    if (*copy->path)
        snapshot_cut(copy->path, copy->whole);
    copy->whole = whole;
    if (snprintf(copy->path, sizeof(copy->path), "%s", path) >= (int)sizeof(copy->path))
        *copy->path = '\0';
}

void thin_copy_used(const char *path)
{
    for (size_t i = 0; i < COPIES_KEPT; i++)
        if (strcmp(retired_copies[i].path, path) == 0)
            *retired_copies[i].path = '\0';
}
