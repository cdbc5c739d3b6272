/*
 * client.h - sends requests to listeners and waits for what became of them.
 *
 * One poll loop for any number of targets. Every wait has an end: a reply, the death of the
 * target, or the request's deadline and a second more, after which the target's own history
 * is asked. A reply FIFO and a copied patch never outlive the request, SIGINT, SIGTERM and
 * SIGHUP included.
 */
#ifndef HOTPATCH_CLIENT_H
#define HOTPATCH_CLIENT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/session/client_request.h"

/* Runs all of them that have no answer yet; each has its answer afterwards. Returns false where a signal ended it. */
bool requests_run(struct session_request *requests, size_t count,
                  const struct client_request *client_request);

/* SIGINT, SIGTERM and SIGHUP are from now on noted, and only let in by ppoll(2) and its like
 * with the mask `before`. */
void client_hold_signals(sigset_t *before);
bool client_interrupted(void);

#endif
