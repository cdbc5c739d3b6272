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

/* Begin, before all else: no file that the command opens gets the number of a closed stdin, stdout or stderr, and
 * a reader that has ended gives EPIPE, not SIGPIPE. */
void results_begin(void);
/* End before exec(3): the program gets stdin, stdout, stderr and SIGPIPE as the command got them. */
void results_leave(void);

/* Return 0 where stdout takes results, as far as that is known without a write, else -1. No verb begins with a
 * stdout that is known to take nothing. */
int results_check(struct refusal *why);

/* Write out what was printed. False: it is lost, or what was printed before it. */
bool results_flush(void);
/* Return what poll(2) needs to report the end of the reader of stdout. */
struct pollfd results_poll(void);
/* Return whether stdout may still have a reader, and nothing was lost. */
bool results_wanted(void);
/* Close stdout. Return `exit_code` or, where results were lost, another code than 0, with a message on stderr. */
int results_end(int exit_code);

/* Write the document to stdout and flush it. Use document_print() (reply.h) for what ends a verb. */
void json_print(struct json_object *document);

#endif
