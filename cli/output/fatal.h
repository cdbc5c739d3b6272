/*
 * fatal.h - the end of the command where it cannot go on, and what that end has to know.
 */
#ifndef HOTPATCH_FATAL_H
#define HOTPATCH_FATAL_H

#include <stdbool.h>

#include "base/refusal.h"

/* Set and return whether --json was given: what ends the command without a reply prints JSON as well. */
void fatal_set_json(bool json);
bool fatal_json(void);
/* Note, and return, that a request that changes a process has been carried out. */
void fatal_note_done(void);
bool fatal_done(void);

/*
 * End the process with the refusal of `code`, in words on stderr or as JSON on stdout. The exit code is that of
 * `code` or, after fatal_note_done(), that of HP-UNKNOWN. Async-signal-safe. `text` needs no escapes in JSON.
 */
_Noreturn void fatal(enum error_code code, const char *text);

#endif
