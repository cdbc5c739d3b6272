/*
 * text.h - copies of strings, allocated from here.
 *
 * strdup(3) and asprintf(3) allocate inside libc, through a word of libc's own: a fault that was
 * injected into malloc would strike the engine there. Its own calls of malloc are never slots.
 */
#ifndef HOTPATCH_TEXT_H
#define HOTPATCH_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* malloc'd; NULL: no memory, or, of text_copy(), no text. */
char *text_copy(const char *text);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_format_list(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
/* What follows the last slash of a path; the whole of one that has none. */
static inline const char *text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool text_same(const char *a, const char *b); /* NULL is a text of its own */
/* Behind what `list` holds, a comma between; left out where it is there already. What has no room ends
 * in "...", and nothing follows it. */
void text_list_add(char *list, size_t size, const char *text);

#endif
