/*
 * utf8.h - which bytes are UTF-8, and how bytes that are not are shown as UTF-8.
 *
 * File names, function names and arguments are bytes: Linux and ELF state no encoding. JSON and log
 * lines are UTF-8. A byte that is not part of a UTF-8 sequence (RFC 3629) is shown as the character
 * U+0080 to U+00FF of its own number, which is what a Latin-1 name means; U+FFFD would hide which
 * byte it was.
 *
 * Any thread; no state; allocates nothing.
 */
#ifndef HOTPATCH_UTF8_H
#define HOTPATCH_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Return the length of the UTF-8 sequence that `text` begins with; 0 where these bytes begin none:
 * overlong, a surrogate, above U+10FFFF, cut off. Reads no byte after a NUL. */
size_t utf8_length(const char *text);

/* Return whether `shown` is what `text` is shown as. */
bool utf8_is_shown_as(const char *text, const char *shown);

/* Shorten the text that ends in buffer[length] so that it ends in "..." and no sequence is cut.
 * `length` is at least 3. */
void utf8_mark_cut(char *buffer, size_t length);

/* Copy `text` into `to` of `size` bytes, at least 4; one that has no room is marked as cut. */
void utf8_fit(char *to, size_t size, const char *text);

#endif
