/* outcome.c - see outcome.h. */
#include "preload/outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sys.h"
#include "base/utf8.h"
#include "preload/engine.h"
#include "preload/status.h"

void outcome_begin(struct outcome *outcome, const char *id, const char *verb)
{
    *outcome = (struct outcome){.began = clock_us()};
    json_object_begin(&outcome->reply, NULL);
    json_number(&outcome->reply, "hotpatch", 1);
    json_number(&outcome->reply, "pid", sys_getpid());
    json_string(&outcome->reply, "id", id);
    json_string(&outcome->reply, "verb", verb);
    status_record_begin(&outcome->record, id, verb);
}

static void empty_array(struct json *json, const char *name)
{
    json_array_begin(json, name);
    json_array_end(json);
}

/* The first complaint's, whole; NULL: there is none. */
static const char *text_of(const struct refusal *why)
{
    if (!why || why->count == 0)
        return NULL;
    return why->items[0].text ? why->items[0].text : error_info(why->items[0].code)->meaning;
}

static void write_result(struct outcome *outcome, const struct refusal *why)
{
    const char *result = error_result(outcome->exit_code);

    json_string(&outcome->reply, "result", result);
    json_number(&outcome->reply, "exit", outcome->exit_code);
    json_array_begin(&outcome->reply, "errors");
    for (size_t i = 0; why && i < why->count; i++) {
        const struct error_info *info = error_info(why->items[i].code);

        json_object_begin(&outcome->reply, NULL);
        json_string(&outcome->reply, "code", info->code);
        json_string(&outcome->reply, "text",
                    why->items[i].text ? why->items[i].text : info->meaning);
        json_string(&outcome->reply, "remedy", info->remedy);
        json_object_end(&outcome->reply);
    }
    json_array_end(&outcome->reply);
    json_string(&outcome->record, "result", result);
    json_number(&outcome->record, "exit", outcome->exit_code);
    json_string(&outcome->record, "code", outcome->code[0] ? outcome->code : NULL);
    json_string(&outcome->record, "text", text_of(why));
    empty_array(&outcome->record, "modules");
    json_number(&outcome->record, "slots", 0);
}

void outcome_done(struct outcome *outcome)
{
    write_result(outcome, NULL);
}

void outcome_refuse(struct outcome *outcome, const struct refusal *why)
{
    const struct error_info *info = error_info(why->items[0].code);

    outcome->exit_code = refusal_exit_code(why);
    snprintf(outcome->code, sizeof(outcome->code), "%s", info->code);
    if (snprintf(outcome->text, sizeof(outcome->text), "%s", text_of(why)) >=
        (int)sizeof(outcome->text))
        utf8_mark_cut(outcome->text, sizeof(outcome->text) - 1);
    write_result(outcome, why);
}

/* ---- what the engine wrote ---- */

/* A JSON string without its quotes; escapes stay, but for \" and \\. */
static void copy_member(const struct json *json, const char *name, char *to, size_t size)
{
    const char *value = json->text ? json_member(json->text, name) : NULL;
    size_t used = 0;

    if (value && *value == '"') {
        for (const char *p = value + 1; *p && *p != '"' && used + 1 < size; p++) {
            if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
                p++;
            to[used++] = *p;
        }
    }
    to[used] = '\0';
}

void outcome_ask_engine(struct outcome *outcome, const struct request *requests, size_t count)
{
    struct engine_reply reply = {.json = &outcome->reply, .record = &outcome->record};

    engine()->handle(requests, count, &reply);
    outcome->exit_code = reply.exit_code;
    outcome->stale = reply.status_stale;
    copy_member(&outcome->record, "code", outcome->code, sizeof(outcome->code));
    copy_member(&outcome->record, "text", outcome->text, sizeof(outcome->text));
}

/* ---- the end ---- */

void outcome_warn(struct outcome *outcome, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(outcome->warning, sizeof(outcome->warning), format, arguments);
    va_end(arguments);
}

/* The engine has written its warnings already: ours goes before them. */
static void insert_warning(struct outcome *outcome)
{
    struct json *reply = &outcome->reply, item = {0};
    const char *list = json_member(reply->text, "warnings");
    size_t before;

    if (!list) {
        json_array_begin(reply, "warnings");
        json_string(reply, NULL, outcome->warning);
        json_array_end(reply);
        return;
    }
    before = (size_t)(list + 1 - reply->text);
    json_string(&item, NULL, outcome->warning);
    if (!item.failed && reply->length + item.length + 2 > reply->capacity) {
        char *text = realloc(reply->text, reply->length + item.length + 2);

        if (text)
            reply->text = text;
        reply->capacity = text ? reply->length + item.length + 2 : reply->capacity;
        item.failed = !text;
    }
    if (!item.failed) {
        bool comma = reply->text[before] != ']';

        memmove(reply->text + before + item.length + comma, reply->text + before,
                reply->length - before + 1);
        memcpy(reply->text + before, item.text, item.length);
        if (comma)
            reply->text[before + item.length] = ',';
        reply->length += item.length + comma;
    }
    json_discard(&item);
}

void outcome_record(struct outcome *outcome)
{
    if (outcome->recorded)
        status_record_end(&outcome->record, clock_us() - outcome->began);
}

char *outcome_end(struct outcome *outcome)
{
    struct json *reply = &outcome->reply;

    if (outcome->warning[0] && !reply->failed)
        insert_warning(outcome);
    if (!json_has(reply, "warnings"))
        empty_array(reply, "warnings");
    if (!json_has(reply, "dry_run"))
        json_boolean(reply, "dry_run", false);
    if (!json_has(reply, "modules"))
        empty_array(reply, "modules");
    if (!json_has(reply, "changes"))
        empty_array(reply, "changes");
    if (!json_has(reply, "microseconds"))
        json_unsigned(reply, "microseconds", clock_us() - outcome->began);
    json_object_end(reply);
    reply->comma = false;
    json_raw(reply, NULL, "\n");
    return json_take(reply);
}

void outcome_discard(struct outcome *outcome)
{
    json_discard(&outcome->reply);
    json_discard(&outcome->record);
}
