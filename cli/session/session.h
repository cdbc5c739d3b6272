/*
 * session.h - the exchange of one request and its reply with one process.
 *
 * A session goes through the stages RING, SEND, WAIT and QUERY; most sessions need SEND and WAIT only. Each stage
 * has a time at which it ends by itself. The loop (client.c) calls session_event() for what epoll reports and
 * session_stage_end() once `until` has passed, until the stage is SESSION_DONE.
 */
#ifndef HOTPATCH_SESSION_H
#define HOTPATCH_SESSION_H

#include "cli/session/session_state.h"

/* Begin. The caller has set request, client_request, epoll and place, and the descriptors to -1. */
void session_begin(struct session *session);
/* Handle an event that epoll reports. */
void session_event(struct session *session, enum session_source source);
/* End the stage: `until` has passed. */
void session_stage_end(struct session *session);
void session_interrupt(struct session *session); /* a signal asks the command to end */

#endif
