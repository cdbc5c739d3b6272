/* frames.c - see frames.h. */
#include "frames.h"

#include <stdlib.h>
#include <string.h>

void frames_init(struct frames *frames, frame_handler handler, void *context)
{
    /* Not the two buffers: an idle process shall not have their pages. */
    frames->handler = handler;
    frames->context = context;
    frames->length = frames->held = frames->lines = 0;
    frames->skipping = frames->in_transaction = false;
    frames->why = (struct refusal){0};
}

bool frames_partial(const struct frames *frames)
{
    return frames->length > 0 && !frames->skipping;
}

static void deliver(struct frames *frames, const char *verb, struct request *requests, size_t count,
                    const struct request *named, struct refusal *why)
{
    struct frame frame = {.verb = verb,
                          .id = named->id,
                          .reply = named->reply,
                          .requests = requests,
                          .count = why->count ? 0 : count,
                          .why = why};

    frames->handler(frames->context, &frame);
    refusal_clear(why);
}

/* id, reply and the earliest deadline of all lines go to the transaction as a whole. */
static void gather(struct request *whole, const struct request *line)
{
    if (!whole->id[0])
        whole->id = line->id;
    if (!whole->reply[0])
        whole->reply = line->reply;
    if (line->deadline && (!whole->deadline || line->deadline < whole->deadline))
        whole->deadline = line->deadline;
}

static void parse_member(char *line, struct request *request, struct refusal *why)
{
    if (request_parse(line, strlen(line), request, why) != 0)
        return;
    if (request->verb != REQUEST_LOAD && request->verb != REQUEST_REVERT &&
        request->verb != REQUEST_BEGIN && request->verb != REQUEST_COMMIT)
        refuse(why, HP_TRANSACTION, "a transaction cannot hold %s",
               request_verb_name(request->verb));
}

/* `transaction` holds begin, the lines, and commit if it came. */
static void end_transaction(struct frames *frames)
{
    struct request *requests = calloc(frames->lines ? frames->lines : 1, sizeof(*requests));
    struct request whole = {.id = "", .reply = ""}, border = {0};
    size_t count = 0;
    char *line = frames->transaction;

    if (!requests)
        refuse(&frames->why, HP_MEMORY, "no memory for a transaction of %zu lines", frames->lines);
    for (size_t i = 0; i < frames->lines; i++) {
        char *next = line + strlen(line) + 1;
        struct request *request = requests && i > 0 ? &requests[count] : &border;

        parse_member(line, request, &frames->why);
        gather(&whole, request);
        if (request != &border && request->verb != REQUEST_COMMIT)
            count++;
        line = next;
    }
    if (frames->why.count == 0 && count == 0)
        refuse(&frames->why, HP_TRANSACTION, "nothing lies between begin and commit");
    for (size_t i = 0; requests && i < count; i++)
        requests[i].deadline = whole.deadline;
    frames->in_transaction = false;
    deliver(frames, "transaction", requests, count, &whole, &frames->why);
    free(requests);
}

static bool first_word_is(const char *line, const char *word)
{
    size_t length = strlen(word);

    line += strspn(line, " \t");
    return strncmp(line, word, length) == 0 && strchr(" \t", line[length]) != NULL;
}

/* One reason is enough: the rest may be a flood. */
static void refuse_held(struct frames *frames, enum error_code code, const char *text)
{
    if (frames->why.count == 0)
        refuse(&frames->why, code, "%s", text);
}

/* Keeps a line of a transaction, also of one that is refused already: its last lines may have the
 * id and the reply. Its parsing waits for the end. */
static void hold(struct frames *frames, const char *line, size_t length)
{
    if (memchr(line, '\0', length)) {
        refuse_held(frames, HP_NUL, "a line of the transaction contains a NUL byte");
    } else if (frames->held + length + 1 > sizeof(frames->transaction)) {
        refuse_held(frames, HP_LINE_TOO_LONG, "the transaction is longer than 4,096 bytes");
    } else if (frames->lines > REQUEST_TRANSACTION_MAX + 1) {
        refuse_held(frames, HP_TRANSACTION, "the transaction has more than 256 lines");
    } else {
        memcpy(frames->transaction + frames->held, line, length + 1);
        frames->held += length + 1;
        frames->lines++;
    }
}

static void take_single(struct frames *frames, char *line, size_t length)
{
    struct refusal why = {0};
    struct request request;

    if (request_parse(line, length, &request, &why) == 0 && request.verb == REQUEST_COMMIT)
        refuse(&why, HP_TRANSACTION, "commit without begin");
    deliver(frames, request_verb_name(request.verb), &request, 1, &request, &why);
}

static void take_line(struct frames *frames, char *line, size_t length)
{
    if (length == 0)
        return;
    line[length] = '\0';
    if (first_word_is(line, "begin")) {
        if (frames->in_transaction) {
            refuse_held(frames, HP_TRANSACTION, "begin inside a transaction");
            return;
        }
        frames->in_transaction = true;
        frames->held = frames->lines = 0;
        hold(frames, line, length);
    } else if (frames->in_transaction) {
        hold(frames, line, length);
        if (first_word_is(line, "commit"))
            end_transaction(frames);
    } else {
        take_single(frames, line, length);
    }
}

/* A line that is no whole line: what it says of id and reply is used, nothing else. */
static void refuse_line(struct frames *frames, enum error_code code, const char *text)
{
    struct refusal why = {0}, ignored = {0};
    struct request request;

    refuse(&why, code, "%s", text);
    frames->line[frames->length] = '\0';
    request_parse(frames->line, frames->length, &request, &ignored);
    refusal_clear(&ignored);
    if (frames->in_transaction) {
        refuse_held(frames, code, text);
        refusal_clear(&why);
        return;
    }
    deliver(frames, request_verb_name(request.verb), NULL, 0, &request, &why);
}

void frames_feed(struct frames *frames, const char *bytes, size_t count)
{
    while (count > 0) {
        const char *newline = memchr(bytes, '\n', count);
        size_t take = newline ? (size_t)(newline - bytes) : count;
        size_t room = REQUEST_MAX - frames->length;

        if (frames->skipping) {
            frames->skipping = newline == NULL;
        } else if (take > room) {
            memcpy(frames->line + frames->length, bytes, room);
            frames->length = REQUEST_MAX;
            refuse_line(frames, HP_LINE_TOO_LONG, "the line is longer than 4,096 bytes");
            frames->length = 0;
            frames->skipping = newline == NULL;
        } else {
            memcpy(frames->line + frames->length, bytes, take);
            frames->length += take;
            if (newline) {
                take_line(frames, frames->line, frames->length);
                frames->length = 0;
            }
        }
        take += newline != NULL;
        bytes += take;
        count -= take;
    }
}

void frames_drained(struct frames *frames)
{
    if (!frames->in_transaction)
        return;
    refuse_held(frames, HP_TRANSACTION, "begin without commit in the same write");
    end_transaction(frames);
}

void frames_expired(struct frames *frames)
{
    if (!frames_partial(frames))
        return;
    refuse_line(frames, HP_LINE_INCOMPLETE, "no newline came within a second");
    frames->length = 0;
}
