/*
 * session_end.h - ends a session: frees what it holds and gives its request a reply.
 */
#ifndef HOTPATCH_SESSION_END_H
#define HOTPATCH_SESSION_END_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/refusal.h"
#include "cli/session/session_state.h"

/* End the session with `reply`, which the request owns from now on. */
void session_finish(struct session *session, struct json_object *reply);
/* End it with the refusal, which is freed. */
void session_refuse(struct session *session, struct refusal *why);
/* End it because the process has ended. */
void session_host_died(struct session *session);
/* End it because no reply came: HP-UNKNOWN, or HP-DEADLINE where the process did nothing. */
void session_no_reply(struct session *session);
/* End it because a signal asks the command to end. */
void session_interrupt(struct session *session);

/* Remove the reply FIFO, and the copies of patches. */
void session_reply_drop(struct session *session);
void session_copies_drop(struct session *session);

pid_t session_pid(const struct session *session);
/* Return whether the process is stopped or traced now. */
bool session_is_stopped(const struct session *session);

#endif
