/* outcome.c - see outcome.h. */
#include "preload/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "preload/engine_lock.h"
#include "preload/status.h"

void outcome_begin(struct outcome *outcome, const char *id, const char *verb)
{
    *outcome = (struct outcome){.began = clock_us()};
    reply_json_begin(&outcome->json, id, verb);
    status_record_begin(&outcome->json.record, id, verb);
}

/* Record the exit code, and the first complaint for the log. */
static void note_refusal(struct outcome *outcome, const struct refusal *why)
{
    outcome->exit_code = refusal_exit_code(why);
    if (why->count == 0)
        return;
    snprintf(outcome->code, sizeof(outcome->code), "%s", error_info(why->items[0].code)->code);
    if (snprintf(outcome->text, sizeof(outcome->text), "%s", refusal_text(why, 0)) >=
        (int)sizeof(outcome->text))
        utf8_mark_cut(outcome->text, sizeof(outcome->text) - 1);
}

void outcome_done(struct outcome *outcome)
{
    reply_json_own_result(&outcome->json, NULL);
}

void outcome_refuse(struct outcome *outcome, const struct refusal *why)
{
    note_refusal(outcome, why);
    reply_json_own_result(&outcome->json, why);
}

static void take_result(void *context, const struct reported_result *result)
{
    struct outcome *outcome = context;
    struct refusal refused = {0};

    reply_json_result(&outcome->json, result, &refused);
    note_refusal(outcome, refused.count ? &refused : result->why);
    outcome->stale = result->status_stale;
    refusal_clear(&refused);
}

void outcome_ask_engine(struct outcome *outcome, const struct request *requests, size_t count)
{
    engine()->handle(requests, count, take_result, outcome);
}

/* ---- the end ---- */

void outcome_warn(struct outcome *outcome, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(outcome->warning, sizeof(outcome->warning), format, arguments);
    va_end(arguments);
}

void outcome_record(struct outcome *outcome)
{
    if (outcome->recorded)
        status_record_end(&outcome->json.record, clock_us() - outcome->began);
}

char *outcome_end(struct outcome *outcome)
{
    struct json *reply = &outcome->json.head;

    reply_json_end(&outcome->json, outcome->warning[0] ? outcome->warning : NULL,
                   clock_us() - outcome->began);
    reply->comma = false;
    json_raw(reply, NULL, "\n");
    return json_take(reply);
}

void outcome_discard(struct outcome *outcome)
{
    reply_json_discard(&outcome->json);
}
