/* paths.c - see paths.h. */
#include "cli/build/paths.h"

#include <stdlib.h>
#include <string.h>

#include "cli/output/output.h"

/* Append the components of `path` to `to`, which has room; ".." takes the last component away. */
static size_t append_components(char *to, size_t length, const char *path)
{
    while (*path) {
        size_t size = strcspn(path, "/");

        if (size == 2 && path[0] == '.' && path[1] == '.') {
            while (length && to[--length] != '/')
                ;
        } else if (size && !(size == 1 && *path == '.')) {
            to[length++] = '/';
            memcpy(to + length, path, size);
            length += size;
        }
        path += size + (path[size] == '/');
    }
    return length;
}

char *path_absolute(const char *directory, const char *path)
{
    char *whole = allocate(strlen(directory) + strlen(path) + 3);
    size_t length = *path == '/' ? 0 : append_components(whole, 0, directory);

    length = append_components(whole, length, path);
    if (!length)
        whole[length++] = '/';
    whole[length] = '\0';
    return whole;
}

char *path_directory(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash && slash > path ? (size_t)(slash - path) : 1;
    char *directory = allocate(length + 1);

    memcpy(directory, slash ? path : ".", length);
    return directory;
}

char *path_real(const char *path)
{
    char *real = realpath(path, NULL), *directory, *above, *whole;

    if (real || strcmp(path, "/") == 0)
        return real ? real : format_text("/");
    directory = path_directory(path);
    above = path_real(directory);
    whole = path_absolute(above, strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
    free(directory);
    free(above);
    return whole;
}

bool path_is_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);

    if (length == 1 && *directory == '/')
        return true;
    return strncmp(path, directory, length) == 0 && (path[length] == '/' || !path[length]);
}

bool path_has_tail(const char *path, const char *tail)
{
    size_t all = strlen(path), length = strlen(tail);

    return length && length <= all && strcmp(path + all - length, tail) == 0 &&
           (length == all || path[all - length - 1] == '/');
}

char *path_common(const char *a, const char *b)
{
    size_t same = 0, slash = 0;

    for (; a[same] && a[same] == b[same]; same++)
        if (a[same] == '/')
            slash = same;
    if ((!a[same] || a[same] == '/') && (!b[same] || b[same] == '/'))
        slash = same;
    if (!slash)
        return format_text("/");
    return format_text("%.*s", (int)slash, a);
}
