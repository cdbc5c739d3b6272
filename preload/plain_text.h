/*
 * plain_text.h - short texts put together without snprintf(3): its pages of libc are read by most programs for
 * nothing else at their start.
 *
 * Any thread, signal handlers too. `at` is where the text ends so far, `end` one past its buffer. What does not fit
 * is left out; the text always ends in a NUL. Each function returns the new end of the text.
 */
#ifndef HOTPATCH_PLAIN_TEXT_H
#define HOTPATCH_PLAIN_TEXT_H

#include <stdint.h>

char *text_add(char *at, const char *end, const char *more);
char *text_add_number(char *at, const char *end, uint64_t number); /* decimal */

#endif
