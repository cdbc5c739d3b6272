/* framing.c - see framing.h. */
#include "preload/framing.h"

#include <stdlib.h>
#include <string.h>

void framing_init(struct framing *framing, frame_handler handler, void *context,
                  uint64_t (*clock)(void))
{
    /* The three buffers are not cleared: an idle process must not have their pages. */
    framing->handler = handler;
    framing->context = context;
    framing->clock = clock;
    framing->length = framing->held = framing->lines = 0;
    framing->skipping = framing->in_transaction = false;
    framing->refused_until = 0;
    framing->queue = NULL;
    framing->queued = framing->queue_room = framing->looked_at = 0;
    framing->why = (struct refusal){0};
}

static bool is_partial(const struct framing *framing)
{
    return framing->length > 0 && !framing->skipping;
}

static void deliver(struct framing *framing, struct frame *frame, const struct request *named)
{
    frame->id = named->id;
    frame->reply = named->reply;
    if (frame->why->count)
        frame->count = 0;
    framing->handler(framing->context, frame);
    refusal_clear(frame->why);
}

/* ---- transactions ---- */

/* Merge id, reply, nonce and the earliest deadline of a line into the whole transaction. */
static void gather_request(struct request *whole, const struct request *line, struct refusal *why)
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

/* End the transaction. `transaction` has begin, the lines, and commit if it came. */
static void end_transaction(struct framing *framing, bool torn)
{
    struct request *requests = calloc(framing->lines ? framing->lines : 1, sizeof(*requests));
    struct request whole = {.id = "", .reply = "", .nonce = ""}, border = {0};
    struct frame frame = {
        .verb = "transaction", .requests = requests, .why = &framing->why, .torn = torn};
    char *line = framing->transaction;

    if (!requests)
        refuse(&framing->why, HP_MEMORY, "no memory for a transaction of %zu lines",
               framing->lines);
    for (size_t i = 0; i < framing->lines; i++) {
        char *next = line + strlen(line) + 1;
        struct request *request = requests && i > 0 ? &requests[frame.count] : &border;

        parse_member(line, request, &framing->why);
        gather_request(&whole, request, &framing->why);
        if (request != &border && request->verb != REQUEST_COMMIT)
            frame.count++;
        line = next;
    }
    if (framing->why.count == 0 && frame.count == 0)
        refuse(&framing->why, HP_TRANSACTION, "nothing lies between begin and commit");
    for (size_t i = 0; requests && i < frame.count; i++)
        requests[i].deadline = whole.deadline, requests[i].nonce = whole.nonce;
    framing->in_transaction = false;
    deliver(framing, &frame, &whole);
    free(requests);
}

/* Refuse the open transaction. Only the first reason is kept: there may be very many. */
static void refuse_held(struct framing *framing, enum error_code code, const char *text)
{
    if (framing->why.count == 0)
        refuse(&framing->why, code, "%s", text);
}

/* Keep a line of a transaction, also of a refused one: its last lines may have the id and the reply. The line is
 * parsed at the end of the transaction. */
static void hold_line(struct framing *framing, const char *line, size_t length)
{
    framing->transaction_at = framing->clock();
    party_learn(&framing->open, line);
    if (memchr(line, '\0', length)) {
        refuse_held(framing, HP_NUL, "a line of the transaction contains a NUL byte");
    } else if (framing->held + length + 1 > sizeof(framing->transaction)) {
        refuse_held(framing, HP_LINE_TOO_LONG, "the transaction is longer than 4,096 bytes");
    } else if (framing->lines > REQUEST_TRANSACTION_MAX + 1) {
        refuse_held(framing, HP_TRANSACTION, "the transaction has more than 256 lines");
    } else {
        memcpy(framing->transaction + framing->held, line, length + 1);
        framing->held += length + 1;
        framing->lines++;
    }
}

/* ---- lines that wait ---- */

static const char *queued_line(const struct framing *framing, size_t at, uint16_t *length)
{
    memcpy(length, framing->queue + at, sizeof(*length));
    return framing->queue + at + sizeof(*length);
}

static size_t queued_size(uint16_t length)
{
    return sizeof(length) + length + 1;
}

/* Return whether a transaction with the id of `line` waits. */
static bool begin_waits(const struct framing *framing, const char *line)
{
    uint16_t length;

    for (size_t at = 0; at < framing->queued; at += queued_size(length)) {
        const char *queued = queued_line(framing, at, &length);

        if (line_verb_is(queued, "begin") && line_same_key(queued, line, "id"))
            return true;
    }
    return false;
}

static bool is_part(const struct framing *framing, const struct framing_party *party,
                    const char *line)
{
    if (line_verb_is(line, "commit") && !party->id[0])
        return !begin_waits(framing, line);
    return party_has(party, line);
}

static bool waits(const struct framing *framing, const char *line)
{
    return framing->in_transaction && !is_part(framing, &framing->open, line);
}

/* Queue a line. Return false if the queue is full. */
static bool queue_line(struct framing *framing, const char *line, size_t length)
{
    uint16_t size = (uint16_t)length;
    size_t need = framing->queued + queued_size(size);

    if (need > FRAMES_QUEUE_MAX)
        return false;
    if (need > framing->queue_room) {
        char *longer = realloc(framing->queue, 2 * need);

        if (!longer)
            return false;
        framing->queue = longer;
        framing->queue_room = 2 * need;
    }
    memcpy(framing->queue + framing->queued, &size, sizeof(size));
    memcpy(framing->queue + framing->queued + sizeof(size), line, length + 1);
    framing->queued = need;
    return true;
}

static void drop_queued(struct framing *framing, size_t at)
{
    uint16_t length;
    size_t size;

    queued_line(framing, at, &length);
    size = queued_size(length);
    framing->queued -= size;
    memmove(framing->queue + at, framing->queue + at + size, framing->queued - at);
    if (framing->queued == 0) {
        free(framing->queue);
        framing->queue = NULL;
        framing->queue_room = 0;
    }
}

/* Move the line at `at` to `taken`. Return its length. */
static size_t take_queued(struct framing *framing, size_t at)
{
    uint16_t length;
    const char *line = queued_line(framing, at, &length);

    memcpy(framing->taken, line, (size_t)length + 1);
    drop_queued(framing, at);
    return length;
}

/* Move queued lines into a transaction of which only `commit` has an id: lines with that id belong to it. */
static void take_named(struct framing *framing, const char *commit)
{
    uint16_t length;

    for (size_t at = 0; at < framing->queued;) {
        const char *line = queued_line(framing, at, &length);

        if (line_same_key(line, commit, "id") && line_may_be_part(line)) {
            hold_line(framing, line, length);
            drop_queued(framing, at);
        } else {
            at += queued_size(length);
        }
    }
}

/* ---- whole lines ---- */

/* Record that the rest of a refused transaction may still come: its lines must not run as single requests. */
static void expect_rest(struct framing *framing, const struct framing_party *party,
                        unsigned commits)
{
    framing->refused = *party;
    framing->refused_commits = commits;
    framing->refused_until = framing->clock() + FRAMES_REST_MS;
}

static bool is_rest(struct framing *framing, const char *line)
{
    if (!framing->refused_until || line_verb_is(line, "reload") ||
        !is_part(framing, &framing->refused, line) || !party_same_reply(&framing->refused, line))
        return false;
    if (framing->clock() < framing->refused_until)
        return true;
    framing->refused_until = 0;
    return false;
}

static void refuse_rest(struct framing *framing, char *line, size_t length)
{
    struct refusal why = {0}, ignored = {0};
    struct request request;
    struct frame frame = {.why = &why};

    framing->refused_until = framing->clock() + FRAMES_REST_MS;
    if (line_verb_is(line, "commit") && --framing->refused_commits == 0)
        framing->refused_until = 0;
    request_parse(line, length, &request, &ignored);
    refusal_clear(&ignored);
    refuse(&why, HP_TRANSACTION, "the transaction of which it is a part was refused");
    frame.verb = request_verb_name(request.verb);
    deliver(framing, &frame, &request);
}

static void take_single(struct framing *framing, char *line, size_t length)
{
    struct framing_party party = {"", ""};
    struct refusal why = {0};
    struct request request;
    struct frame frame = {.requests = &request, .count = 1, .why = &why};
    bool begins = line_looks_like_begin(line);

    party_learn(&party, line);
    if (request_parse(line, length, &request, &why) == 0 && request.verb == REQUEST_COMMIT)
        refuse(&why, HP_TRANSACTION, "commit without begin");
    if (begins)
        expect_rest(framing, &party, 1);
    frame.verb = request_verb_name(request.verb);
    deliver(framing, &frame, &request);
}

static void begin_transaction(struct framing *framing, const char *line, size_t length)
{
    framing->open = (struct framing_party){"", ""};
    party_learn(&framing->open, line);
    framing->in_transaction = true;
    framing->held = framing->lines = framing->looked_at = 0;
    framing->nested = 0;
    if (framing->refused_until && strcmp(framing->refused.id, framing->open.id) == 0)
        framing->refused_until = 0;
    hold_line(framing, line, length);
}

/* Commit the transaction. Two transactions that cannot be distinguished are both refused, up to the commit of each. */
static void commit_transaction(struct framing *framing)
{
    if (framing->nested > 0)
        expect_rest(framing, &framing->open, framing->nested);
    end_transaction(framing, false);
}

/* Handle a line that need not wait. */
static void act_on(struct framing *framing, char *line, size_t length)
{
    if (framing->in_transaction) {
        if (line_verb_is(line, "begin")) {
            refuse_held(framing, HP_TRANSACTION, "begin inside a transaction");
            framing->nested++;
            return;
        }
        if (line_verb_is(line, "commit") && !framing->open.id[0])
            take_named(framing, line);
        hold_line(framing, line, length);
        if (line_verb_is(line, "commit"))
            commit_transaction(framing);
    } else if (line_verb_is(line, "begin")) {
        begin_transaction(framing, line, length);
    } else if (is_rest(framing, line)) {
        refuse_rest(framing, line, length);
    } else {
        take_single(framing, line, length);
    }
}

/* Handle every queued line that need not wait any longer, in their order. */
static void run_queue(struct framing *framing)
{
    while (framing->looked_at < framing->queued || (!framing->in_transaction && framing->queued)) {
        uint16_t length;

        if (!framing->in_transaction)
            framing->looked_at = 0;
        if (waits(framing, queued_line(framing, framing->looked_at, &length)))
            framing->looked_at += queued_size(length);
        else
            act_on(framing, framing->taken, take_queued(framing, framing->looked_at));
    }
}

static void refuse_single(struct framing *framing, char *line, size_t length, enum error_code code,
                          const char *text)
{
    struct framing_party party = {"", ""};
    struct refusal why = {0}, ignored = {0};
    struct request request;
    struct frame frame = {.why = &why};

    refuse(&why, code, "%s", text);
    party_learn(&party, line);
    if (line_looks_like_begin(line))
        expect_rest(framing, &party, 1);
    request_parse(line, length, &request, &ignored);
    refusal_clear(&ignored);
    frame.verb = request_verb_name(request.verb);
    deliver(framing, &frame, &request);
}

static void take_line(struct framing *framing, char *line, size_t length)
{
    if (length == 0)
        return;
    line[length] = '\0';
    if (framing->queued == 0 && !waits(framing, line)) {
        act_on(framing, line, length);
        return;
    }
    if (!queue_line(framing, line, length))
        refuse_single(framing, line, length, HP_BUSY,
                      "too many requests wait for the end of a transaction");
    run_queue(framing);
}

/* Refuse an incomplete or over-long line. Only its id and reply are used. */
static void refuse_line(struct framing *framing, enum error_code code, const char *text)
{
    framing->line[framing->length] = '\0';
    if (framing->in_transaction && !waits(framing, framing->line))
        refuse_held(framing, code, text);
    else
        refuse_single(framing, framing->line, framing->length, code, text);
}

void framing_feed(struct framing *framing, const char *bytes, size_t count)
{
    while (count > 0) {
        const char *newline = memchr(bytes, '\n', count);
        size_t take = newline ? (size_t)(newline - bytes) : count;
        size_t room = REQUEST_MAX - framing->length;

        if (framing->skipping) {
            framing->skipping = newline == NULL;
        } else if (take > room) {
            memcpy(framing->line + framing->length, bytes, room);
            framing->length = REQUEST_MAX;
            refuse_line(framing, HP_LINE_TOO_LONG, "the line is longer than 4,096 bytes");
            framing->length = 0;
            framing->skipping = newline == NULL;
        } else {
            memcpy(framing->line + framing->length, bytes, take);
            framing->length += take;
            framing->line_at = framing->clock();
            if (newline) {
                take_line(framing, framing->line, framing->length);
                framing->length = 0;
            }
        }
        take += newline != NULL;
        bytes += take;
        count -= take;
    }
}

/* ---- time ---- */

uint64_t framing_due(const struct framing *framing)
{
    uint64_t line = is_partial(framing) ? framing->line_at + FRAMES_WAIT_MS : 0;
    uint64_t transaction = framing->in_transaction ? framing->transaction_at + FRAMES_WAIT_MS : 0;

    return !line || (transaction && transaction < line) ? transaction : line;
}

bool framing_expire(struct framing *framing)
{
    uint64_t now = framing->clock();
    bool line = is_partial(framing) && now >= framing->line_at + FRAMES_WAIT_MS;
    bool transaction = framing->in_transaction && now >= framing->transaction_at + FRAMES_WAIT_MS;

    if (line) {
        refuse_line(framing, HP_LINE_INCOMPLETE, "no newline came within a second");
        framing->length = 0;
    }
    if (transaction) {
        refuse_held(framing, HP_TRANSACTION, "no commit came within a second of its last line");
        expect_rest(framing, &framing->open, 1 + framing->nested);
        end_transaction(framing, true);
        run_queue(framing);
    }
    return line || transaction;
}
