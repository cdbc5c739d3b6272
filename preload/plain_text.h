/*
 * plain_text.h - builds short texts without snprintf(3): at their start most programs would read its pages of libc
 * only for this.
 *
 * Any thread, also in signal handlers. `at` is the present end of the text, `end` the end of its buffer. Text that
 * does not fit is cut off; the text always ends in a NUL. Each function returns the new end of the text.
 */
#ifndef HOTPATCH_PLAIN_TEXT_H
#define HOTPATCH_PLAIN_TEXT_H

#include <stdint.h>

char *text_add(char *at, const char *end, const char *more);
char *text_add_number(char *at, const char *end, uint64_t number); /* decimal */

#endif
