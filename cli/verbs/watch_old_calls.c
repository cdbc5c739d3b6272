/* watch_old_calls.c - see watch_old_calls.h. */
#include "cli/verbs/watch_old_calls.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/request.h"
#include "cli/output/clock.h"
#include "cli/output/output.h"
#include "cli/session/client.h"
#include "cli/session/reply.h"

#define LATER_MS 300

void watch_old_calls_later(struct watch_old_calls *calls)
{
    calls->next = now_ms() + LATER_MS;
}

uint64_t watch_old_calls_next(const struct watch_old_calls *calls)
{
    return calls->next ? calls->next : UINT64_MAX;
}

static void said_free(char **said, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(said[i]);
    free(said);
}

void watch_old_calls_free(struct watch_old_calls *calls)
{
    said_free(calls->said, calls->count);
    *calls = (struct watch_old_calls){0};
}

static bool was_said(const struct watch_old_calls *calls, const char *text)
{
    for (size_t i = 0; i < calls->count; i++)
        if (strcmp(calls->said[i], text) == 0)
            return true;
    return false;
}

/* Return whether a patch of the watch made the code old. */
static bool is_watched(struct json_object *call, const struct watch_process *process)
{
    for (size_t i = 0; i < process->part_count; i++)
        if (strcmp(json_text(call, "module"), process->parts[i].binary->module) == 0)
            return true;
    return false;
}

/* Return the end of the sentence that a thread still runs the old code: of an entry its own call has not returned. */
static const char *began(struct json_object *call)
{
    return json_true(call, "entry") ? "its call has not returned since"
                                    : "a call that led to it has not returned since";
}

/* What was said at the last look, and what is said now. */
struct saying {
    const struct watch_old_calls *before;
    struct watch_old_calls now;
    const struct watch_processes *processes;
};

/* Add a sentence, malloc'd, and print it if it is new. */
static void say_once(struct saying *saying, char *text)
{
    struct watch_old_calls *now = &saying->now;

    if (!was_said(saying->before, text))
        report_event(saying->processes->report, "old_call", "%s", text);
    now->said = reallocate(now->said, (now->count + 1) * sizeof(*now->said));
    now->said[now->count++] = text;
}

static void say_calls(struct saying *saying, const struct watch_process *process,
                      struct json_object *status)
{
    struct json_object *list = json_list(status, "old_calls");

    for (size_t i = 0; i < json_length(list); i++) {
        struct json_object *call = json_item(list, i);

        if (is_watched(call, process))
            say_once(
                saying,
                format_text("%s: thread %lld (%s) of process %d still runs the old code; %s %s",
                            json_text(call, "slot"), (long long)json_integer(call, "tid", 0),
                            json_text(call, "thread"), process->process.pid, began(call),
                            json_text(call, "since")));
    }
}

static void say_running(struct saying *saying, const struct watch_process *process,
                        struct json_object *status)
{
    struct json_object *list = json_list(status, "running");

    for (size_t i = 0; i < json_length(list); i++) {
        struct json_object *thread = json_item(list, i);

        say_once(
            saying,
            format_text("thread %lld (%s) of process %d ran whenever it was looked at: whether it "
                        "still runs old code is not known",
                        (long long)json_integer(thread, "tid", 0), json_text(thread, "thread"),
                        process->process.pid));
    }
}

static void take_reply(struct saying *saying, const struct watch_process *process,
                       struct json_object *reply)
{
    struct json_object *status = NULL;

    json_object_object_get_ex(reply, "status", &status);
    say_calls(saying, process, status);
    say_running(saying, process, status);
}

void watch_old_calls_look(struct watch_old_calls *calls, const struct watch_processes *processes)
{
    const struct client_request client_request = {
        .verb = "status", .keys = "", .timeout = REQUEST_TIMEOUT_DEFAULT};
    struct session_request *requests;
    struct saying saying = {.before = calls, .processes = processes};

    if (!calls->next || now_ms() < calls->next)
        return;
    requests = allocate(processes->count * sizeof(*requests));
    for (size_t i = 0; i < processes->count; i++)
        requests[i].process = &processes->list[i].process;
    if (processes->count)
        requests_run(requests, processes->count, &client_request);
    for (size_t i = 0; i < processes->count; i++) {
        take_reply(&saying, &processes->list[i], requests[i].reply);
        json_object_put(requests[i].reply);
    }
    free(requests);
    watch_old_calls_free(calls);
    *calls = saying.now;
}
