/* base_name.h - the last component of a path. Any thread: no function of libc is called. */
#ifndef HOTPATCH_BASE_NAME_H
#define HOTPATCH_BASE_NAME_H

#include <stddef.h>

/* Return the text after the last slash of `path`, or all of it if there is no slash; NULL for NULL. */
static inline const char *base_name(const char *path)
{
    const char *base = path;

    for (; path && *path; path++)
        if (*path == '/')
            base = path + 1;
    return base;
}

#endif
