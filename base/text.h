/*
 * text.h - copies of strings, allocated by this library's own calls of malloc.
 *
 * strdup(3) and asprintf(3) allocate inside libc, through a word of libc. An injection into malloc would affect the
 * engine there. The engine's own calls of malloc are never slots.
 */
#ifndef HOTPATCH_TEXT_H
#define HOTPATCH_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Return a copy, malloc'd; NULL: memory is short, or, for text_copy(), `text` is NULL. */
char *text_copy(const char *text);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_format_list(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
/* Return the text after the last slash of a path; the whole path if there is no slash. */
static inline const char *text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool text_same(const char *a, const char *b); /* NULL equals NULL alone */
/* Append `text` to `list`, after a comma, unless the list has it already. If the space is too small, the list ends in
 * "...", and no text follows. */
void text_list_add(char *list, size_t size, const char *text);

#endif
