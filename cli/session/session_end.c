/* session_end.c - see session_end.h. */
#include "cli/session/session_end.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/output/output.h"
#include "cli/session/handover.h"
#include "cli/session/reply.h"

pid_t session_pid(const struct session *session)
{
    return session->request->process->pid;
}

void session_reply_drop(struct session *session)
{
    if (session->reply < 0)
        return;
    if (session->channel.jail) { /* closed with the channel */
        session->reply = -1;
        return;
    }
    unlinkat(session->channel.dir, session->reply_name, 0);
    close(session->reply);
    session->reply = -1;
}

void session_copies_drop(struct session *session)
{
    for (size_t i = 0; session->copies && i < session->client_request->patch_count; i++)
        if (session->copies[i]) {
            patch_copy_remove(&session->channel, session->copies[i]);
            free(session->copies[i]);
        }
    free(session->copies);
    session->copies = NULL;
}

void session_finish(struct session *session, struct json_object *reply)
{
    session_reply_drop(session);
    session_copies_drop(session);
    jail_answers_end(&session->jail_answers);
    channel_close(&session->channel);
    if (session->host >= 0)
        close(session->host);
    session->host = -1;
    free(session->buffer);
    session->buffer = NULL;
    session->request->reply = reply;
    session->stage = SESSION_DONE;
}

void session_refuse(struct session *session, struct refusal *why)
{
    session_finish(session,
                   reply_refused(session_pid(session), session->client_request->verb, why));
    refusal_clear(why);
}

/* Return "fix.so, other.so", or the verb where there is no patch; malloc'd. */
static char *subject(const struct session *session)
{
    char *text = format_text(
        "%s", session->client_request->patch_count ? "" : session->client_request->verb);

    for (size_t i = 0; i < session->client_request->patch_count; i++) {
        char *longer =
            format_text("%s%s%s", text, i ? ", " : "", session->client_request->patches[i]);

        free(text);
        text = longer;
    }
    return text;
}

void session_host_died(struct session *session)
{
    struct refusal why = {0};
    char *what = subject(session);

    if (session->sent)
        refuse(&why, HP_HOST_DIED, "process %d (%s) ended during the request: %s",
               session_pid(session), process_name(session->request->process), what);
    else
        refuse(&why, HP_NO_PROCESS, "process %d (%s) ended before the request was sent",
               session_pid(session), process_name(session->request->process));
    free(what);
    session_refuse(session, &why);
}

bool session_is_stopped(const struct session *session)
{
    struct refusal ignored = {0};
    struct process now;
    bool stopped = process_open(session_pid(session), &now, &ignored) == 0 &&
                   (now.state == 'T' || now.state == 't');

    process_close(&now);
    refusal_clear(&ignored);
    return stopped;
}

void session_no_reply(struct session *session)
{
    struct refusal why = {0};
    const char *stopped = session_is_stopped(session) ? "; it is stopped (state T)" : "";

    if (session->sent && session->client_request->changes)
        refuse(&why, HP_UNKNOWN, "process %d did not say what became of the request%s",
               session_pid(session), stopped);
    else
        refuse(&why, HP_DEADLINE, "process %d did not %s until the deadline%s",
               session_pid(session), session->sent ? "answer" : "take the request", stopped);
    session_refuse(session, &why);
}

void session_interrupt(struct session *session)
{
    struct refusal why = {0};

    if (session->sent && session->client_request->changes)
        refuse(&why, HP_UNKNOWN, "interrupted while process %d worked on the request",
               session_pid(session));
    else
        refuse(&why, HP_DEADLINE, "interrupted before process %d did anything",
               session_pid(session));
    session_refuse(session, &why);
}
