/* frames.c - see frames.h. */
#include "preload/frames.h"

#include <stdlib.h>
#include <string.h>

#include "preload/frames_line.h"

void frames_init(struct frames *frames, frame_handler handler, void *context,
                 uint64_t (*clock)(void))
{
    /* Not the three buffers: an idle process shall not have their pages. */
    frames->handler = handler;
    frames->context = context;
    frames->clock = clock;
    frames->length = frames->held = frames->lines = 0;
    frames->skipping = frames->in_transaction = false;
    frames->refused_until = 0;
    frames->queue = NULL;
    frames->queued = frames->queue_room = frames->looked_at = 0;
    frames->why = (struct refusal){0};
}

static bool is_partial(const struct frames *frames)
{
    return frames->length > 0 && !frames->skipping;
}

static void deliver(struct frames *frames, struct frame *frame, const struct request *named)
{
    frame->id = named->id;
    frame->reply = named->reply;
    if (frame->why->count)
        frame->count = 0;
    frames->handler(frames->context, frame);
    refusal_clear(frame->why);
}

/* ---- transactions ---- */

/* id, reply, nonce and the earliest deadline of all lines go to the transaction as a whole. */
static void gather(struct request *whole, const struct request *line, struct refusal *why)
{
    if (!whole->nonce[0])
        whole->nonce = line->nonce;
    else if (line->nonce[0] && strcmp(line->nonce, whole->nonce) != 0)
        refuse(why, HP_OTHER_PROCESS, "lines of one transaction name different processes");
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
static void end_transaction(struct frames *frames, bool torn)
{
    struct request *requests = calloc(frames->lines ? frames->lines : 1, sizeof(*requests));
    struct request whole = {.id = "", .reply = "", .nonce = ""}, border = {0};
    struct frame frame = {
        .verb = "transaction", .requests = requests, .why = &frames->why, .torn = torn};
    char *line = frames->transaction;

    if (!requests)
        refuse(&frames->why, HP_MEMORY, "no memory for a transaction of %zu lines", frames->lines);
    for (size_t i = 0; i < frames->lines; i++) {
        char *next = line + strlen(line) + 1;
        struct request *request = requests && i > 0 ? &requests[frame.count] : &border;

        parse_member(line, request, &frames->why);
        gather(&whole, request, &frames->why);
        if (request != &border && request->verb != REQUEST_COMMIT)
            frame.count++;
        line = next;
    }
    if (frames->why.count == 0 && frame.count == 0)
        refuse(&frames->why, HP_TRANSACTION, "nothing lies between begin and commit");
    for (size_t i = 0; requests && i < frame.count; i++)
        requests[i].deadline = whole.deadline, requests[i].nonce = whole.nonce;
    frames->in_transaction = false;
    deliver(frames, &frame, &whole);
    free(requests);
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
    frames->transaction_at = frames->clock();
    party_learn(&frames->open, line);
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

/* ---- lines that wait ---- */

static const char *queued_line(const struct frames *frames, size_t at, uint16_t *length)
{
    memcpy(length, frames->queue + at, sizeof(*length));
    return frames->queue + at + sizeof(*length);
}

static size_t queued_size(uint16_t length)
{
    return sizeof(length) + length + 1;
}

/* Does a transaction of that id wait? */
static bool begin_waits(const struct frames *frames, const char *line)
{
    uint16_t length;

    for (size_t at = 0; at < frames->queued; at += queued_size(length)) {
        const char *queued = queued_line(frames, at, &length);

        if (line_verb_is(queued, "begin") && line_same_key(queued, line, "id"))
            return true;
    }
    return false;
}

static bool is_part(const struct frames *frames, const struct frames_party *party, const char *line)
{
    if (line_verb_is(line, "commit") && !party->id[0])
        return !begin_waits(frames, line);
    return party_has(party, line);
}

static bool waits(const struct frames *frames, const char *line)
{
    return frames->in_transaction && !is_part(frames, &frames->open, line);
}

/* False: there is no room. */
static bool enqueue(struct frames *frames, const char *line, size_t length)
{
    uint16_t size = (uint16_t)length;
    size_t need = frames->queued + queued_size(size);

    if (need > FRAMES_QUEUE_MAX)
        return false;
    if (need > frames->queue_room) {
        char *longer = realloc(frames->queue, 2 * need);

        if (!longer)
            return false;
        frames->queue = longer;
        frames->queue_room = 2 * need;
    }
    memcpy(frames->queue + frames->queued, &size, sizeof(size));
    memcpy(frames->queue + frames->queued + sizeof(size), line, length + 1);
    frames->queued = need;
    return true;
}

static void drop(struct frames *frames, size_t at)
{
    uint16_t length;
    size_t size;

    queued_line(frames, at, &length);
    size = queued_size(length);
    frames->queued -= size;
    memmove(frames->queue + at, frames->queue + at + size, frames->queued - at);
    if (frames->queued == 0) {
        free(frames->queue);
        frames->queue = NULL;
        frames->queue_room = 0;
    }
}

/* Move the line at `at` to `taken`; its length. */
static size_t take_out(struct frames *frames, size_t at)
{
    uint16_t length;
    const char *line = queued_line(frames, at, &length);

    memcpy(frames->taken, line, (size_t)length + 1);
    drop(frames, at);
    return length;
}

/* A transaction whose `commit` alone has an id: lines of that id were meant to be part of it. */
static void take_named(struct frames *frames, const char *commit)
{
    uint16_t length;

    for (size_t at = 0; at < frames->queued;) {
        const char *line = queued_line(frames, at, &length);

        if (line_same_key(line, commit, "id") && line_may_be_part(line)) {
            hold(frames, line, length);
            drop(frames, at);
        } else {
            at += queued_size(length);
        }
    }
}

/* ---- whole lines ---- */

/* What still comes of a transaction that was refused is not to happen alone. */
static void expect_rest(struct frames *frames, const struct frames_party *party, unsigned commits)
{
    frames->refused = *party;
    frames->refused_commits = commits;
    frames->refused_until = frames->clock() + FRAMES_REST_MS;
}

static bool is_rest(struct frames *frames, const char *line)
{
    if (!frames->refused_until || line_verb_is(line, "reload") ||
        !is_part(frames, &frames->refused, line) || !party_same_reply(&frames->refused, line))
        return false;
    if (frames->clock() < frames->refused_until)
        return true;
    frames->refused_until = 0;
    return false;
}

static void refuse_rest(struct frames *frames, char *line, size_t length)
{
    struct refusal why = {0}, ignored = {0};
    struct request request;
    struct frame frame = {.why = &why};

    frames->refused_until = frames->clock() + FRAMES_REST_MS;
    if (line_verb_is(line, "commit") && --frames->refused_commits == 0)
        frames->refused_until = 0;
    request_parse(line, length, &request, &ignored);
    refusal_clear(&ignored);
    refuse(&why, HP_TRANSACTION, "the transaction of which it is a part was refused");
    frame.verb = request_verb_name(request.verb);
    deliver(frames, &frame, &request);
}

static void take_single(struct frames *frames, char *line, size_t length)
{
    struct frames_party party = {"", ""};
    struct refusal why = {0};
    struct request request;
    struct frame frame = {.requests = &request, .count = 1, .why = &why};
    bool begins = line_looks_like_begin(line);

    party_learn(&party, line);
    if (request_parse(line, length, &request, &why) == 0 && request.verb == REQUEST_COMMIT)
        refuse(&why, HP_TRANSACTION, "commit without begin");
    if (begins)
        expect_rest(frames, &party, 1);
    frame.verb = request_verb_name(request.verb);
    deliver(frames, &frame, &request);
}

static void begin_transaction(struct frames *frames, const char *line, size_t length)
{
    frames->open = (struct frames_party){"", ""};
    party_learn(&frames->open, line);
    frames->in_transaction = true;
    frames->held = frames->lines = frames->looked_at = 0;
    frames->nested = 0;
    if (frames->refused_until && strcmp(frames->refused.id, frames->open.id) == 0)
        frames->refused_until = 0;
    hold(frames, line, length);
}

/* Two transactions that cannot be told apart are both refused, up to the commit of each. */
static void commit_transaction(struct frames *frames)
{
    if (frames->nested > 0)
        expect_rest(frames, &frames->open, frames->nested);
    end_transaction(frames, false);
}

/* `line` does not have to wait. */
static void act_on(struct frames *frames, char *line, size_t length)
{
    if (frames->in_transaction) {
        if (line_verb_is(line, "begin")) {
            refuse_held(frames, HP_TRANSACTION, "begin inside a transaction");
            frames->nested++;
            return;
        }
        if (line_verb_is(line, "commit") && !frames->open.id[0])
            take_named(frames, line);
        hold(frames, line, length);
        if (line_verb_is(line, "commit"))
            commit_transaction(frames);
    } else if (line_verb_is(line, "begin")) {
        begin_transaction(frames, line, length);
    } else if (is_rest(frames, line)) {
        refuse_rest(frames, line, length);
    } else {
        take_single(frames, line, length);
    }
}

/* Act on every queued line that need not wait any longer, in their order. */
static void run_queue(struct frames *frames)
{
    while (frames->looked_at < frames->queued || (!frames->in_transaction && frames->queued)) {
        uint16_t length;

        if (!frames->in_transaction)
            frames->looked_at = 0;
        if (waits(frames, queued_line(frames, frames->looked_at, &length)))
            frames->looked_at += queued_size(length);
        else
            act_on(frames, frames->taken, take_out(frames, frames->looked_at));
    }
}

static void refuse_single(struct frames *frames, char *line, size_t length, enum error_code code,
                          const char *text)
{
    struct frames_party party = {"", ""};
    struct refusal why = {0}, ignored = {0};
    struct request request;
    struct frame frame = {.why = &why};

    refuse(&why, code, "%s", text);
    party_learn(&party, line);
    if (line_looks_like_begin(line))
        expect_rest(frames, &party, 1);
    request_parse(line, length, &request, &ignored);
    refusal_clear(&ignored);
    frame.verb = request_verb_name(request.verb);
    deliver(frames, &frame, &request);
}

static void take_line(struct frames *frames, char *line, size_t length)
{
    if (length == 0)
        return;
    line[length] = '\0';
    if (frames->queued == 0 && !waits(frames, line)) {
        act_on(frames, line, length);
        return;
    }
    if (!enqueue(frames, line, length))
        refuse_single(frames, line, length, HP_BUSY,
                      "too many requests wait for the end of a transaction");
    run_queue(frames);
}

/* A line that is no whole line: what it says of id and reply is used, nothing else. */
static void refuse_line(struct frames *frames, enum error_code code, const char *text)
{
    frames->line[frames->length] = '\0';
    if (frames->in_transaction && !waits(frames, frames->line))
        refuse_held(frames, code, text);
    else
        refuse_single(frames, frames->line, frames->length, code, text);
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
            frames->line_at = frames->clock();
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

/* ---- time ---- */

uint64_t frames_due(const struct frames *frames)
{
    uint64_t line = is_partial(frames) ? frames->line_at + FRAMES_WAIT_MS : 0;
    uint64_t transaction = frames->in_transaction ? frames->transaction_at + FRAMES_WAIT_MS : 0;

    return !line || (transaction && transaction < line) ? transaction : line;
}

bool frames_expire(struct frames *frames)
{
    uint64_t now = frames->clock();
    bool line = is_partial(frames) && now >= frames->line_at + FRAMES_WAIT_MS;
    bool transaction = frames->in_transaction && now >= frames->transaction_at + FRAMES_WAIT_MS;

    if (line) {
        refuse_line(frames, HP_LINE_INCOMPLETE, "no newline came within a second");
        frames->length = 0;
    }
    if (transaction) {
        refuse_held(frames, HP_TRANSACTION, "no commit came within a second of its last line");
        expect_rest(frames, &frames->open, 1 + frames->nested);
        end_transaction(frames, true);
        run_queue(frames);
    }
    return line || transaction;
}
