/*
 * utf8.h - the check for UTF-8, and the form in which other bytes are shown as UTF-8.
 *
 * File names, function names and arguments are bytes: Linux and ELF define no encoding. JSON and log lines are UTF-8.
 * A byte that is not part of a UTF-8 sequence (RFC 3629) is shown as the character U+0080 to U+00FF of its own
 * number, as in Latin-1. U+FFFD would hide the byte's value.
 *
 * Any thread; no state; allocates nothing.
 */
#ifndef HOTPATCH_UTF8_H
#define HOTPATCH_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Return the length of the UTF-8 sequence at the beginning of `text`; 0: these bytes are no sequence (overlong, a
 * surrogate, above U+10FFFF, cut off). No byte after a NUL is read. */
size_t utf8_length(const char *text);

/* Return whether `shown` is the shown form of `text`. */
bool utf8_is_shown_as(const char *text, const char *shown);

/* Shorten the text that ends in buffer[length] so that it ends in "..." and no sequence is cut.
 * `length` is at least 3. */
void utf8_mark_cut(char *buffer, size_t length);

/* Copy `text` into `to` of `size` bytes, at least 4. A text that does not fit is marked as cut. */
void utf8_fit(char *to, size_t size, const char *text);

#endif
