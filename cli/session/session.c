/*
 * session.c - see session.h.
 *
 * Nothing here waits: each function ends with what it can do now, and sets the time of the next look.
 */
#include "cli/session/session.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/process/listens.h"
#include "cli/process/process_limits.h"
#include "cli/session/filtered.h"
#include "cli/session/handover.h"
#include "cli/session/reply.h"
#include "cli/session/ring.h"
#include "cli/session/session_end.h"
#include "cli/session/wire.h"

#define HOST_MARGIN 5000 /* ms beyond the timeout that a request may wait in the listener */
#define LATE_MARGIN 1000 /* ms after the deadline in which a reply may still come */
#define QUERY_TIME 2000  /* ms for the query of the outcome */
#define RING_TIME 1000   /* ms for a listener that was rung to make its FIFO again */
#define FIRST_RING_TIME \
    5000 /* ms for a thread of the host that was rung to reach a moment at which it can make a listener */
#define RING_INTERVAL 20 /* ms between looks */
#define LOCK_TIME 10000  /* ms for the requests of other commands with the same listener */
#define ENDED_TIME 1000  /* ms for the end of a process whose listener has ended */
#define TAKEN_MAX ((size_t)1 << 20)
#define REPLY_LENGTH_MAX ((size_t)64 << 20)

/* Make an id that no other request in the runtime directory has. */
static void id_make(char *id, size_t size)
{
    static unsigned counter;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(id, size, "c%d-%llx-%u", getpid(),
             (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000,
             ++counter);
}

/* --------------------------------------------------------------- sending --- */

static void watch(struct session *session, int fd, enum session_source source, uint32_t events)
{
    struct epoll_event event = {.events = events,
                                .data.u64 = session->place * SESSION_SOURCES + source};

    epoll_ctl(session->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Writes the line in one write(2), which up to PIPE_BUF is all or nothing: pipe(7). */
static void send_line(struct session *session)
{
    ssize_t n = write(session->channel.fifo, session->line, (size_t)session->length);
    struct refusal why = {0};

    if (n == session->length) {
        close(session->channel.fifo);
        session->channel.fifo = -1;
        session->sent = true;
        session->stage = SESSION_WAIT;
        session->until = session->deadline + LATE_MARGIN;
    } else if (n < 0 && errno == EAGAIN) {
        if (session->stage != SESSION_SEND)
            watch(session, session->channel.fifo, FROM_FIFO, EPOLLOUT);
        session->stage = SESSION_SEND;
        session->until = session->deadline;
    } else {
        refuse(&why, HP_NOT_LISTENING, "write to the FIFO of process %d: %s", session_pid(session),
               n < 0 ? strerror(errno) : "only a part was taken");
        session_refuse(session, &why);
    }
}

static int copy_patches(struct session *session, struct refusal *why)
{
    session->copies =
        allocate((session->client_request->patch_count + 1) * sizeof(*session->copies));
    for (size_t i = 0; i < session->client_request->patch_count; i++) {
        session->copies[i] =
            patch_copy(&session->channel, session->client_request->patches[i], session->id, i, why);
        if (!session->copies[i])
            return -1;
    }
    return 0;
}

static int reply_new(struct session *session, const char *id, struct refusal *why)
{
    snprintf(session->reply_name, sizeof(session->reply_name), "%s.reply", id);
    session->filled = 0;
    if (session->channel.jail) {
        jail_drain(&session->channel.ends);
        session->reply = session->channel.ends.replies;
        return 0;
    }
    session->reply = reply_fifo_make(&session->channel, session->reply_name, why);
    return session->reply < 0 ? -1 : 0;
}

static int line_compose(struct session *session, struct refusal *why)
{
    const struct client_request *client_request = session->client_request;
    struct wire wire = {session->id,       session->reply_name,     session->channel.nonce,
                        session->deadline, client_request->patches, session->request->places};

    if (session->request->process->foreign_root && client_request->patch_count &&
        !session->channel.jail) {
        if (copy_patches(session, why) != 0)
            return -1;
        wire.patches = (const char *const *)session->copies;
    }
    session->length =
        wire_compose(client_request, &wire, session->line, sizeof(session->line), why);
    return session->length < 0 ? -1 : 0;
}

static void session_send(struct session *session)
{
    struct refusal why = {0};

    session->deadline =
        now_ms() + session->client_request->timeout +
        (session->client_request->margin ? session->client_request->margin : HOST_MARGIN);
    if (reply_new(session, session->id, &why) != 0 || line_compose(session, &why) != 0) {
        session_refuse(session, &why);
        return;
    }
    watch(session, session->reply, FROM_REPLY, EPOLLIN);
    send_line(session);
}

/* ------------------------------------------------------------- connecting --- */

/* The doorbell's number by the status, which is right when the host took the signal, else by
 * the environment. 0 where it must not be rung: the process does not catch it, or no shim. */
static int session_doorbell(const struct session *session)
{
    const struct process *process = session->request->process;
    struct json_object *status =
        session->channel.dir >= 0 ? status_file_read(session->channel.dir, process) : NULL;
    int number = status ? (int)json_integer(status, "signal", 0) : process_doorbell(process);
    bool rings = (process->shim || !process->maps_readable) && process_catches(process, number);

    json_object_put(status);
    return rings ? number : 0;
}

/* Return how long to look for the listener that a thread of the host makes. Where the limits of the process leave
 * no room for it, the ring is tried and not waited for. */
static unsigned first_ring_time(const struct session *session)
{
    struct refusal why = {0};
    bool room = limits_leave_room(session_pid(session), false, &why) == 0;

    refusal_clear(&why);
    return room ? FIRST_RING_TIME : RING_TIME;
}

static void ring_once(struct session *session, uint64_t now)
{
    enum ring rung = ring(session->request->process, session->doorbell, session->ring_flags);

    session->rung = rung == RING_LISTENER;
    if (rung == RING_THREAD && !session->rung_thread) {
        session->rung_thread = true;
        session->ring_end = now + first_ring_time(session);
    }
}

/* Return whether the process may have a FIFO a moment later. After a ring, by this command or another, HP-PERMISSION of
 * another directory than the user's own does not mean that there will be none. */
static bool may_listen_soon(const struct session *session, const struct refusal *why)
{
    enum error_code code = why->items[0].code;

    return code == HP_NOT_LISTENING ||
           (code == HP_PERMISSION && (session->rung_thread || session->channel.dir >= 0));
}

/* Ring where that is possible. Return whether to look for the listener again at `until`. */
static bool connect_later(struct session *session)
{
    uint64_t now = now_ms();

    if (session->ring_end == 0) {
        session->doorbell = session_doorbell(session);
        session->ring_end = now + RING_TIME;
    }
    if (session->doorbell == 0 || now >= session->ring_end)
        return false;
    if (!session->rung && now < session->ring_end - RING_TIME + RING_PATIENCE &&
        ring_later(session->request->process, session->doorbell)) {
        session->until = now + 1;
        return true;
    }
    /* A thread of the host is rung at every look: at the moment of a ring it may be unable to make the listener. */
    if (!session->rung)
        ring_once(session, now);
    session->until = now + RING_INTERVAL;
    return true;
}

/* Ring a listener that has not noticed yet that it is in a jail. Return whether to look for it again. */
static bool jail_later(struct session *session)
{
    return session->channel.outside && connect_later(session);
}

/* Return whether another command's session holds the listener's pipes: then wait for its end. */
static bool is_taken(struct session *session)
{
    uint64_t now = now_ms();
    struct refusal why = {0};

    if (!session->channel.jail || jail_lock(&session->channel.ends))
        return false;
    if (session->lock_end == 0)
        session->lock_end =
            now + (session->client_request->margin ? session->client_request->margin : LOCK_TIME);
    session->until = now + RING_INTERVAL;
    if (now >= session->lock_end) {
        refuse(&why, HP_BUSY, "another command has the pipes of process %d", session_pid(session));
        session_refuse(session, &why);
    }
    return true;
}

/* End the session with the reason that keeps the process from making its listener, or with `why`; frees `why`. */
static void finish_without_listener(struct session *session, struct refusal *why)
{
    struct refusal known = {0};

    if (why->items[0].code == HP_NOT_LISTENING && session_is_stopped(session))
        refuse(&known, HP_DEADLINE,
               "process %d (%s) is stopped (state T), and makes its listener when it goes on",
               session_pid(session), process_name(session->request->process));
    else if (why->items[0].code == HP_NOT_LISTENING)
        limits_leave_room(session_pid(session), false, &known);
    session_refuse(session, known.count ? &known : why);
    refusal_clear(why);
}

static void session_connect(struct session *session)
{
    struct refusal why = {0};

    if (!filtered_may_ring(session->request->process, &session->ring_flags, &why)) {
        session_refuse(session, &why);
    } else if (channel_open(session->request->process, &session->channel, &why) == 0) {
        if (is_taken(session) || jail_later(session))
            channel_close(&session->channel);
        else if (limits_leave_room(session_pid(session), true, &why) == 0)
            session_send(session);
        else
            session_refuse(session, &why);
    } else if (may_listen_soon(session, &why) && connect_later(session)) {
        channel_close(&session->channel);
        refusal_clear(&why);
    } else {
        finish_without_listener(session, &why);
    }
}

void session_begin(struct session *session)
{
    const struct process *process = session->request->process;

    id_make(session->id, sizeof(session->id));
    session->jail_answers =
        (struct jail_answers){.process = process,
                              .id = session->id,
                              .patches = session->client_request->patches,
                              .patch_count = session->client_request->patch_count};
    session->host = pidfd_open(process->pid, 0);
    /* The PID may belong to another process by now. */
    if (session->host < 0 || !process_alive(process)) {
        session_host_died(session);
        return;
    }
    watch(session, session->host, FROM_HOST, EPOLLIN);
    session_connect(session);
}

/* ---------------------------------------------------------------- replies --- */

/* Take one line from the reply FIFO. A line that is not the reply to this session's request is ignored. */
static void line_take(struct session *session, const char *line)
{
    struct json_object *reply = json_parse(line);
    const char *id = json_text(reply, "id");
    struct json_object *status, *record;

    session->jail_answers.thread = session->channel.ends.thread;
    if (session->channel.jail && jail_answer(&session->jail_answers, reply)) {
        json_object_put(reply);
        return;
    }
    if (strcmp(id, session->id) == 0) {
        session_finish(session, reply);
        return;
    }
    if (session->stage == SESSION_QUERY && strcmp(id, session->query_id) == 0 &&
        json_object_object_get_ex(reply, "status", &status)) {
        record = history_find(status, session->id);
        if (record)
            session_finish(session, reply_from_record(session_pid(session), record));
        else
            session_no_reply(session);
    }
    json_object_put(reply);
}

static void lines_take(struct session *session)
{
    char *line = session->buffer, *end;

    while (session->stage != SESSION_DONE &&
           (end = memchr(line, '\n', session->filled - (size_t)(line - session->buffer)))) {
        *end = 0;
        line_take(session, line);
        if (session->stage != SESSION_DONE) /* session_finish() has freed the buffer */
            line = end + 1;
    }
    if (session->stage == SESSION_DONE)
        return;
    session->filled -= (size_t)(line - session->buffer);
    memmove(session->buffer, line, session->filled);
}

/* The listener has closed its end: the process executes another program, or ends, which the pidfd reports a
 * moment later. */
static void reply_ended(struct session *session)
{
    uint64_t until = now_ms() + ENDED_TIME;

    epoll_ctl(session->epoll, EPOLL_CTL_DEL, session->reply, NULL);
    if (session->until > until)
        session->until = until;
}

/* Read what the reply FIFO has, TAKEN_MAX bytes at most: other sessions wait. */
static void reply_read(struct session *session)
{
    size_t taken = 0;
    ssize_t n;

    do {
        if (session->filled + 65536 > session->capacity) {
            session->capacity = session->capacity ? session->capacity * 2 : 131072;
            session->buffer = reallocate(session->buffer, session->capacity);
        }
        n = read(session->reply, session->buffer + session->filled, 65536);
        if (n == 0 && session->channel.jail)
            reply_ended(session);
        if (n <= 0)
            return;
        session->filled += (size_t)n;
        taken += (size_t)n;
        if (memchr(session->buffer + session->filled - n, '\n', (size_t)n))
            lines_take(session);
    } while (session->stage != SESSION_DONE && session->filled < REPLY_LENGTH_MAX &&
             taken < TAKEN_MAX);
    if (session->stage != SESSION_DONE && session->filled >= REPLY_LENGTH_MAX)
        session_no_reply(session);
}

/* ---------------------------------------------------------------- lateness --- */

static bool outcome_in_status_file(struct session *session)
{
    struct json_object *status = status_file_read(session->channel.dir, session->request->process);
    struct json_object *record = history_find(status, session->id);
    struct json_object *reply = record ? reply_from_record(session_pid(session), record) : NULL;

    json_object_put(status);
    if (reply)
        session_finish(session, reply);
    return reply != NULL;
}

/* Ask the process for its status, whose history has the outcome, with a new reply FIFO. */
static void query_outcome(struct session *session)
{
    static const struct client_request query = {.verb = "status", .keys = ""};
    struct refusal why = {0};
    struct wire wire = {.id = session->query_id,
                        .reply = session->reply_name,
                        .nonce = session->channel.nonce,
                        .deadline = now_ms() + QUERY_TIME};

    reply_read(session);
    if (session->stage == SESSION_DONE)
        return;
    session_reply_drop(session);
    session_copies_drop(session); /* after the deadline the host opens no patch */
    channel_close(&session->channel);
    id_make(session->query_id, sizeof(session->query_id));
    if (channel_open(session->request->process, &session->channel, &why) == 0 &&
        reply_new(session, session->query_id, &why) == 0) {
        watch(session, session->reply, FROM_REPLY, EPOLLIN);
        session->length = wire_compose(&query, &wire, session->line, sizeof(session->line), &why);
        if (write(session->channel.fifo, session->line, (size_t)session->length) ==
            session->length) {
            session->stage = SESSION_QUERY;
            session->until = wire.deadline;
            return;
        }
    }
    refusal_clear(&why);
    session_no_reply(session);
}

void session_stage_end(struct session *session)
{
    switch (session->stage) {
    case SESSION_RING:
        session_connect(session);
        break;
    case SESSION_WAIT:
        if (outcome_in_status_file(session))
            break;
        if (session->client_request->changes)
            query_outcome(session);
        else
            session_no_reply(session);
        break;
    case SESSION_QUERY: /* a host that was slow may have written it meanwhile */
        if (!outcome_in_status_file(session))
            session_no_reply(session);
        break;
    case SESSION_SEND:
        session_no_reply(session);
        break;
    case SESSION_DONE:
        break;
    }
}

void session_event(struct session *session, enum session_source source)
{
    if (session->stage == SESSION_DONE)
        return;
    switch (source) {
    case FROM_REPLY:
        reply_read(session);
        break;
    case FROM_HOST: /* a reply written before the end counts */
        if (session->reply >= 0)
            reply_read(session);
        if (session->stage != SESSION_DONE && !(session->sent && outcome_in_status_file(session)))
            session_host_died(session);
        break;
    case FROM_FIFO:
        if (session->stage == SESSION_SEND)
            send_line(session);
        break;
    case SESSION_SOURCES:
        break;
    }
}
