/*
 * jail_line.h - the words of a reply from the command to a listener in a jail: "NUMBER ERROR TEXT".
 *
 * No I/O, so that it can be tested and fuzzed. Listener and worker.
 */
#ifndef HOTPATCH_JAIL_LINE_H
#define HOTPATCH_JAIL_LINE_H

#include <stdbool.h>

struct jail_line {
    unsigned number;  /* of the question */
    int error;        /* errno, or 0 */
    const char *text; /* in `bytes`; "" where there is none */
};

/* Parse `bytes`, NUL-terminated. Return false where it is not such a reply. */
bool jail_line_parse(const char *bytes, struct jail_line *line);

#endif
