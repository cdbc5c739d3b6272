/* talk.c - see talk.h. */
#include "cli/session/talk.h"

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

#include "cli/output/output.h"
#include "cli/process/process_limits.h"
#include "cli/session/answer.h"
#include "cli/session/filtered.h"
#include "cli/session/handover.h"
#include "cli/session/listens.h"
#include "cli/session/ring.h"

#define HOST_MARGIN 5000 /* ms beyond the timeout that a request may wait for its turn */
#define LATE_MARGIN 1000 /* ms after the deadline in which a reply may still come */
#define ASK_TIME 2000    /* ms for the question what became of it */
#define RING_TIME 1000   /* ms for a rung listener to make its FIFO anew */
#define FIRST_RING_TIME \
    5000 /* ms for a host thread that was rung to come to a moment at which it can make one */
#define RING_INTERVAL 20 /* ms between looks */
#define LOCK_TIME 10000  /* ms for the exchanges of other commands with the same listener */
#define ENDED_TIME 1000  /* ms for the end of a process whose listener has ended */
#define TAKEN_MAX ((size_t)1 << 20)
#define REPLY_LENGTH_MAX ((size_t)64 << 20)

uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static pid_t pid_of(const struct talk *talk)
{
    return talk->exchange->process->pid;
}

/* Unique among all that may stand in one runtime directory at one time. */
static void id_make(char *id, size_t size)
{
    static unsigned counter;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(id, size, "c%d-%llx-%u", getpid(),
             (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000,
             ++counter);
}

/* ---------------------------------------------------------------- ending --- */

static void reply_drop(struct talk *talk)
{
    if (talk->reply < 0)
        return;
    if (talk->channel.jail) { /* closed with the channel */
        talk->reply = -1;
        return;
    }
    unlinkat(talk->channel.dir, talk->reply_name, 0);
    close(talk->reply);
    talk->reply = -1;
}

static void copies_drop(struct talk *talk)
{
    for (size_t i = 0; talk->copies && i < talk->order->patch_count; i++)
        if (talk->copies[i]) {
            patch_copy_remove(&talk->channel, talk->copies[i]);
            free(talk->copies[i]);
        }
    free(talk->copies);
    talk->copies = NULL;
}

/* Takes over `answer`. */
static void finish(struct talk *talk, struct json_object *answer)
{
    reply_drop(talk);
    copies_drop(talk);
    jail_answers_end(&talk->answers);
    channel_close(&talk->channel);
    if (talk->host >= 0)
        close(talk->host);
    talk->host = -1;
    free(talk->buffer);
    talk->buffer = NULL;
    talk->exchange->answer = answer;
    talk->stage = TALK_DONE;
}

static void finish_refused(struct talk *talk, struct refusal *why)
{
    finish(talk, answer_refused(pid_of(talk), talk->order->verb, why));
    refusal_clear(why);
}

/* "fix.so, other.so", or the verb where there is no patch; for one sentence. */
static char *subject(const struct talk *talk)
{
    char *text = format_text("%s", talk->order->patch_count ? "" : talk->order->verb);

    for (size_t i = 0; i < talk->order->patch_count; i++) {
        char *longer = format_text("%s%s%s", text, i ? ", " : "", talk->order->patches[i]);

        free(text);
        text = longer;
    }
    return text;
}

static void finish_died(struct talk *talk)
{
    struct refusal why = {0};
    char *what = subject(talk);

    if (talk->sent)
        refuse(&why, HP_HOST_DIED, "process %d (%s) ended during the request: %s", pid_of(talk),
               process_name(talk->exchange->process), what);
    else
        refuse(&why, HP_NO_PROCESS, "process %d (%s) ended before the request was sent",
               pid_of(talk), process_name(talk->exchange->process));
    free(what);
    finish_refused(talk, &why);
}

static bool is_stopped(const struct talk *talk)
{
    struct refusal ignored = {0};
    struct process now;
    bool stopped =
        process_open(pid_of(talk), &now, &ignored) == 0 && (now.state == 'T' || now.state == 't');

    process_close(&now);
    refusal_clear(&ignored);
    return stopped;
}

static void finish_silent(struct talk *talk)
{
    struct refusal why = {0};
    const char *stopped = is_stopped(talk) ? "; it is stopped (state T)" : "";

    if (talk->sent && talk->order->changes)
        refuse(&why, HP_UNKNOWN, "process %d did not say what became of the request%s",
               pid_of(talk), stopped);
    else
        refuse(&why, HP_DEADLINE, "process %d did not %s until the deadline%s", pid_of(talk),
               talk->sent ? "answer" : "take the request", stopped);
    finish_refused(talk, &why);
}

void talk_interrupt(struct talk *talk)
{
    struct refusal why = {0};

    if (talk->sent && talk->order->changes)
        refuse(&why, HP_UNKNOWN, "interrupted while process %d worked on the request",
               pid_of(talk));
    else
        refuse(&why, HP_DEADLINE, "interrupted before process %d did anything", pid_of(talk));
    finish_refused(talk, &why);
}

/* --------------------------------------------------------------- sending --- */

static void watch(struct talk *talk, int fd, enum talk_source source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = talk->place * TALK_SOURCES + source};

    epoll_ctl(talk->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Writes the line in one write(2), which up to PIPE_BUF is all or nothing: pipe(7). */
static void send_line(struct talk *talk)
{
    ssize_t n = write(talk->channel.fifo, talk->line, (size_t)talk->length);
    struct refusal why = {0};

    if (n == talk->length) {
        close(talk->channel.fifo);
        talk->channel.fifo = -1;
        talk->sent = true;
        talk->stage = TALK_WAIT;
        talk->until = talk->deadline + LATE_MARGIN;
    } else if (n < 0 && errno == EAGAIN) {
        if (talk->stage != TALK_SEND)
            watch(talk, talk->channel.fifo, FROM_FIFO, EPOLLOUT);
        talk->stage = TALK_SEND;
        talk->until = talk->deadline;
    } else {
        refuse(&why, HP_NOT_LISTENING, "write to the FIFO of process %d: %s", pid_of(talk),
               n < 0 ? strerror(errno) : "only a part was taken");
        finish_refused(talk, &why);
    }
}

static int copy_patches(struct talk *talk, struct refusal *why)
{
    talk->copies = allocate((talk->order->patch_count + 1) * sizeof(*talk->copies));
    for (size_t i = 0; i < talk->order->patch_count; i++) {
        talk->copies[i] = patch_copy(&talk->channel, talk->order->patches[i], talk->id, i, why);
        if (!talk->copies[i])
            return -1;
    }
    return 0;
}

static int reply_new(struct talk *talk, const char *id, struct refusal *why)
{
    snprintf(talk->reply_name, sizeof(talk->reply_name), "%s.reply", id);
    talk->filled = 0;
    if (talk->channel.jail) {
        jail_drain(&talk->channel.ends);
        talk->reply = talk->channel.ends.replies;
        return 0;
    }
    talk->reply = reply_fifo_make(&talk->channel, talk->reply_name, why);
    return talk->reply < 0 ? -1 : 0;
}

static int compose(struct talk *talk, struct refusal *why)
{
    const struct order *order = talk->order;
    struct wire wire = {talk->id,       talk->reply_name, talk->channel.nonce,
                        talk->deadline, order->patches,   talk->exchange->places};

    if (talk->exchange->process->foreign_root && order->patch_count && !talk->channel.jail) {
        if (copy_patches(talk, why) != 0)
            return -1;
        wire.patches = (const char *const *)talk->copies;
    }
    talk->length = order_compose(order, &wire, talk->line, sizeof(talk->line), why);
    return talk->length < 0 ? -1 : 0;
}

static void talk_send(struct talk *talk)
{
    struct refusal why = {0};

    talk->deadline =
        now_ms() + talk->order->timeout + (talk->order->margin ? talk->order->margin : HOST_MARGIN);
    if (reply_new(talk, talk->id, &why) != 0 || compose(talk, &why) != 0) {
        finish_refused(talk, &why);
        return;
    }
    watch(talk, talk->reply, FROM_REPLY, EPOLLIN);
    send_line(talk);
}

/* ------------------------------------------------------------- connecting --- */

/* The doorbell's number by the status, which is right when the host took the signal, else by
 * the environment. 0 where it must not be rung: the process does not catch it, or no shim. */
static int doorbell_number(const struct talk *talk)
{
    const struct process *process = talk->exchange->process;
    struct json_object *status =
        talk->channel.dir >= 0 ? status_file_read(talk->channel.dir, process) : NULL;
    int number = status ? (int)json_integer(status, "signal", 0) : process_doorbell(process);
    bool rings = (process->shim || !process->maps_readable) && process_catches(process, number);

    json_object_put(status);
    return rings ? number : 0;
}

/* Where the limits of the process leave a listener no room, it is tried, but not waited for. */
static unsigned first_ring_time(const struct talk *talk)
{
    struct refusal why = {0};
    bool room = limits_leave_room(pid_of(talk), false, &why) == 0;

    refusal_clear(&why);
    return room ? FIRST_RING_TIME : RING_TIME;
}

static void ring_once(struct talk *talk, uint64_t now)
{
    enum ring rung = ring(talk->exchange->process, talk->doorbell, talk->ring_flags);

    talk->rung = rung == RING_LISTENER;
    if (rung == RING_THREAD && !talk->rung_thread) {
        talk->rung_thread = true;
        talk->ring_end = now + first_ring_time(talk);
    }
}

/* A process that was rung has no FIFO for a moment, and what is said of other directories tells nothing. */
static bool may_listen_soon(const struct talk *talk, const struct refusal *why)
{
    enum error_code code = why->items[0].code;

    return code == HP_NOT_LISTENING || (talk->rung_thread && code == HP_PERMISSION);
}

/* Whether to look again a little later for a listener that was or can be rung. */
static bool connect_later(struct talk *talk)
{
    uint64_t now = now_ms();

    if (talk->ring_end == 0) {
        talk->doorbell = doorbell_number(talk);
        talk->ring_end = now + RING_TIME;
    }
    if (talk->doorbell == 0 || now >= talk->ring_end)
        return false;
    if (!talk->rung && now < talk->ring_end - RING_TIME + RING_PATIENCE &&
        ring_later(talk->exchange->process, talk->doorbell)) {
        talk->until = now + 1;
        return true;
    }
    /* A host thread again and again: at the moment of a ring it may not have been able to make the listener. */
    if (!talk->rung)
        ring_once(talk, now);
    talk->until = now + RING_INTERVAL;
    return true;
}

/* A listener that has not noticed yet that it is in a jail is rung, and looked for again. */
static bool jail_later(struct talk *talk)
{
    return talk->channel.outside && connect_later(talk);
}

/* Another command's exchange has to end first. */
static bool is_taken(struct talk *talk)
{
    uint64_t now = now_ms();
    struct refusal why = {0};

    if (!talk->channel.jail || jail_lock(&talk->channel.ends))
        return false;
    if (talk->lock_end == 0)
        talk->lock_end = now + (talk->order->margin ? talk->order->margin : LOCK_TIME);
    talk->until = now + RING_INTERVAL;
    if (now >= talk->lock_end) {
        refuse(&why, HP_BUSY, "another command has the pipes of process %d", pid_of(talk));
        finish_refused(talk, &why);
    }
    return true;
}

/* Of what may keep a process from making its listener, the reason that helps; else `why`, which is freed. */
static void finish_without_listener(struct talk *talk, struct refusal *why)
{
    struct refusal known = {0};

    if (why->items[0].code == HP_NOT_LISTENING && is_stopped(talk))
        refuse(&known, HP_DEADLINE,
               "process %d (%s) is stopped (state T), and makes its listener when it goes on",
               pid_of(talk), process_name(talk->exchange->process));
    else if (why->items[0].code == HP_NOT_LISTENING)
        limits_leave_room(pid_of(talk), false, &known);
    finish_refused(talk, known.count ? &known : why);
    refusal_clear(why);
}

static void talk_connect(struct talk *talk)
{
    struct refusal why = {0};

    if (!filtered_may_ring(talk->exchange->process, &talk->ring_flags, &why)) {
        finish_refused(talk, &why);
    } else if (channel_open(talk->exchange->process, &talk->channel, &why) == 0) {
        if (is_taken(talk) || jail_later(talk))
            channel_close(&talk->channel);
        else if (limits_leave_room(pid_of(talk), true, &why) == 0)
            talk_send(talk);
        else
            finish_refused(talk, &why);
    } else if (may_listen_soon(talk, &why) && connect_later(talk)) {
        channel_close(&talk->channel);
        refusal_clear(&why);
    } else {
        finish_without_listener(talk, &why);
    }
}

void talk_begin(struct talk *talk)
{
    const struct process *process = talk->exchange->process;

    id_make(talk->id, sizeof(talk->id));
    talk->answers = (struct jail_answers){.process = process,
                                          .id = talk->id,
                                          .patches = talk->order->patches,
                                          .patch_count = talk->order->patch_count};
    talk->host = pidfd_open(process->pid, 0);
    /* The PID may have become another process's since it was looked up. */
    if (talk->host < 0 || !process_alive(process)) {
        finish_died(talk);
        return;
    }
    watch(talk, talk->host, FROM_HOST, EPOLLIN);
    talk_connect(talk);
}

/* ---------------------------------------------------------------- replies --- */

/* One line from the reply FIFO; others than the reply to this talk's request are ignored. */
static void line_take(struct talk *talk, const char *line)
{
    struct json_object *answer = json_parse(line);
    const char *id = json_text(answer, "id");
    struct json_object *status, *record;

    talk->answers.thread = talk->channel.ends.thread;
    if (talk->channel.jail && jail_answer(&talk->answers, answer)) {
        json_object_put(answer);
        return;
    }
    if (strcmp(id, talk->id) == 0) {
        finish(talk, answer);
        return;
    }
    if (talk->stage == TALK_ASK && strcmp(id, talk->ask_id) == 0 &&
        json_object_object_get_ex(answer, "status", &status)) {
        record = history_find(status, talk->id);
        if (record)
            finish(talk, answer_from_record(pid_of(talk), record));
        else
            finish_silent(talk);
    }
    json_object_put(answer);
}

static void lines_take(struct talk *talk)
{
    char *line = talk->buffer, *end;

    while (talk->stage != TALK_DONE &&
           (end = memchr(line, '\n', talk->filled - (size_t)(line - talk->buffer)))) {
        *end = 0;
        line_take(talk, line);
        if (talk->stage != TALK_DONE) /* the buffer is gone with the talk */
            line = end + 1;
    }
    if (talk->stage == TALK_DONE)
        return;
    talk->filled -= (size_t)(line - talk->buffer);
    memmove(talk->buffer, line, talk->filled);
}

/* The listener's end is closed: the process executes another program, or ends, which its pidfd tells a
 * moment later. */
static void reply_ended(struct talk *talk)
{
    uint64_t until = now_ms() + ENDED_TIME;

    epoll_ctl(talk->epoll, EPOLL_CTL_DEL, talk->reply, NULL);
    if (talk->until > until)
        talk->until = until;
}

/* Not without end: a process may write faster than its lines are read, and others wait. */
static void reply_read(struct talk *talk)
{
    size_t taken = 0;
    ssize_t n;

    do {
        if (talk->filled + 65536 > talk->capacity) {
            talk->capacity = talk->capacity ? talk->capacity * 2 : 131072;
            talk->buffer = reallocate(talk->buffer, talk->capacity);
        }
        n = read(talk->reply, talk->buffer + talk->filled, 65536);
        if (n == 0 && talk->channel.jail)
            reply_ended(talk);
        if (n <= 0)
            return;
        talk->filled += (size_t)n;
        taken += (size_t)n;
        if (memchr(talk->buffer + talk->filled - n, '\n', (size_t)n))
            lines_take(talk);
    } while (talk->stage != TALK_DONE && talk->filled < REPLY_LENGTH_MAX && taken < TAKEN_MAX);
    if (talk->stage != TALK_DONE && talk->filled >= REPLY_LENGTH_MAX)
        finish_silent(talk);
}

/* ---------------------------------------------------------------- lateness --- */

static bool told_by_status_file(struct talk *talk)
{
    struct json_object *status = status_file_read(talk->channel.dir, talk->exchange->process);
    struct json_object *record = history_find(status, talk->id);
    struct json_object *answer = record ? answer_from_record(pid_of(talk), record) : NULL;

    json_object_put(status);
    if (answer)
        finish(talk, answer);
    return answer != NULL;
}

/* Asks for the status, whose history tells of the request, through a reply FIFO of its own. */
static void ask(struct talk *talk)
{
    static const struct order question = {.verb = "status", .keys = ""};
    struct refusal why = {0};
    struct wire wire = {.id = talk->ask_id,
                        .reply = talk->reply_name,
                        .nonce = talk->channel.nonce,
                        .deadline = now_ms() + ASK_TIME};

    reply_read(talk);
    if (talk->stage == TALK_DONE)
        return;
    reply_drop(talk);
    copies_drop(talk); /* past its deadline the host opens no patch */
    channel_close(&talk->channel);
    id_make(talk->ask_id, sizeof(talk->ask_id));
    if (channel_open(talk->exchange->process, &talk->channel, &why) == 0 &&
        reply_new(talk, talk->ask_id, &why) == 0) {
        watch(talk, talk->reply, FROM_REPLY, EPOLLIN);
        talk->length = order_compose(&question, &wire, talk->line, sizeof(talk->line), &why);
        if (write(talk->channel.fifo, talk->line, (size_t)talk->length) == talk->length) {
            talk->stage = TALK_ASK;
            talk->until = wire.deadline;
            return;
        }
    }
    refusal_clear(&why);
    finish_silent(talk);
}

void talk_stage_end(struct talk *talk)
{
    switch (talk->stage) {
    case TALK_RING:
        talk_connect(talk);
        break;
    case TALK_WAIT:
        if (told_by_status_file(talk))
            break;
        if (talk->order->changes)
            ask(talk);
        else
            finish_silent(talk);
        break;
    case TALK_ASK: /* a host that had no processor may have written it meanwhile */
        if (!told_by_status_file(talk))
            finish_silent(talk);
        break;
    case TALK_SEND:
        finish_silent(talk);
        break;
    case TALK_DONE:
        break;
    }
}

void talk_event(struct talk *talk, enum talk_source source)
{
    if (talk->stage == TALK_DONE)
        return;
    switch (source) {
    case FROM_REPLY:
        reply_read(talk);
        break;
    case FROM_HOST: /* what it said before it died counts */
        if (talk->reply >= 0)
            reply_read(talk);
        if (talk->stage != TALK_DONE && !(talk->sent && told_by_status_file(talk)))
            finish_died(talk);
        break;
    case FROM_FIFO:
        if (talk->stage == TALK_SEND)
            send_line(talk);
        break;
    case TALK_SOURCES:
        break;
    }
}
