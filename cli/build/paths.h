/*
 * paths.h - paths of sources: absolute, relative to a directory, below a directory.
 */
#ifndef HOTPATCH_PATHS_H
#define HOTPATCH_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* Return `path` from the root, of a file whose name begins in `directory` (absolute), without ".", ".." and double
 * slashes; malloc'd. Symbolic links are not looked at. */
char *path_absolute(const char *directory, const char *path);
/* Return the path of the same file without symbolic links; the last components need not exist. malloc'd. */
char *path_real(const char *path);
/* Return the directory of an absolute path, malloc'd; "/" of the root. */
char *path_directory(const char *path);
/* Return whether `path` is `directory` or lies below it; both are absolute. */
bool path_is_below(const char *path, const char *directory);
/* Return whether the last components of `path` are those of `tail`. */
bool path_has_tail(const char *path, const char *tail);
/* Return the longest directory above both, malloc'd. */
char *path_common(const char *a, const char *b);

#endif
