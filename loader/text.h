/*
 * text.h - copies of strings, allocated from here.
 *
 * strdup(3) and asprintf(3) allocate inside libc, through a word of libc's own: a fault that was
 * injected into malloc would strike the engine there. Its own calls of malloc are never slots.
 */
#ifndef HOTPATCH_TEXT_H
#define HOTPATCH_TEXT_H

#include <stddef.h>

/* malloc'd; NULL: no memory, or, of text_copy(), no text. */
char *text_copy(const char *text);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Behind what `list` holds, a comma between; left out where it is there already or has no room. */
void text_list_add(char *list, size_t size, const char *text);

#endif
