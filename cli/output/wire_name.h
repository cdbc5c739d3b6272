/*
 * wire_name.h - words and names in the lines of a request, where blanks part the words.
 */
#ifndef HOTPATCH_WIRE_NAME_H
#define HOTPATCH_WIRE_NAME_H

#include <stdbool.h>

/* Return whether `text` can stand in a line as it is: it is not empty and has no blank or newline. */
bool wire_word(const char *text);
/* Return whether `name` can be spelled in a line: it is not empty and has no control byte. */
bool wire_name(const char *name);
/* Return `name` with each byte that would end it there written as %XX; malloc'd. */
char *wire_encode(const char *name);

#endif
