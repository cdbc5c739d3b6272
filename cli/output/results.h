/*
 * results.h - the command's stdout, where its results go, and whether they arrive there.
 *
 * A result that is lost (a full disk, a closed stdout, a reader that has ended) is a refusal with
 * the code HP-OUTPUT and an exit code other than 0, whatever the verb had done.
 */
#ifndef HOTPATCH_RESULTS_H
#define HOTPATCH_RESULTS_H

#include <poll.h>
#include <stdbool.h>

#include "base/refusal.h"

struct json_object;

/* Before anything else: no file that the command opens gets the number of a closed stdin, stdout or
 * stderr; a reader that has ended gives EPIPE, not SIGPIPE. */
void results_begin(void);
/* Before exec(3): the program gets stdin, stdout, stderr and SIGPIPE as the command got them. */
void results_leave(void);

/* Return 0 where stdout takes results as far as can be told without a write, else -1. A verb is not
 * begun with a stdout that is known to take nothing. */
int results_check(struct refusal *why);

/* Write out what was printed; false: it is lost, or what was printed before it. */
bool results_flush(void);
/* For one that waits: an event where the reader of stdout ends. */
struct pollfd results_poll(void);
/* Return whether somebody may still read stdout, and nothing was lost. */
bool results_wanted(void);
/* Close stdout. Return `exit_code`, or, where results were lost, another than 0; says so on stderr. */
int results_end(int exit_code);

/* Write the document to stdout and flush it. Use document_print() (reply.h) for what ends a verb. */
void json_print(struct json_object *document);

#endif
