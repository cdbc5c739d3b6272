/*
 * fatal.h - the end of the command where it cannot go on, and whether --json was given.
 */
#ifndef HOTPATCH_FATAL_H
#define HOTPATCH_FATAL_H

#include <stdbool.h>

/* Set and return whether --json was given: what ends the command without a reply prints JSON as well. */
void results_set_json(bool json);
bool results_json(void);

/* Write `words` to stderr or, with --json, `json` to stdout, and end the process with the exit code 1.
 * Async-signal-safe. The texts end in newlines. */
_Noreturn void fatal(const char *words, const char *json);

#endif
