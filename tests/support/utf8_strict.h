/*
 * utf8_strict.h - UTF-8 by the table of RFC 3629, section 4. Separate from base/utf8.h, which tests compare with it.
 */
#ifndef HOTPATCH_TESTS_UTF8_STRICT_H
#define HOTPATCH_TESTS_UTF8_STRICT_H

#include <stdbool.h>
#include <stddef.h>

/* Return the length of the sequence at the beginning of `size` bytes; 0: none. */
size_t utf8_strict_sequence(const char *bytes, size_t size);
bool utf8_strict(const char *bytes, size_t size);

#endif
