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

/* Run a session for each request that has no reply yet; each has its reply afterwards. Return false where a signal
 * ended the loop. */
bool requests_run(struct session_request *requests, size_t count,
                  const struct client_request *client_request);

/* Block SIGINT, SIGTERM and SIGHUP and install their handler. ppoll(2) and epoll_pwait(2) with the mask `before`
 * let them in. */
void client_hold_signals(sigset_t *before);
/* Return whether one of them has come. */
bool client_interrupted(void);
/* Forget that one has come: requests that are made from now on are not ended by it. */
void client_interrupt_taken(void);

#endif
