/* dispatch.c - see dispatch.h. */
#include "preload/dispatch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/state.h"
#include "base/sys.h"
#include "preload/endpoint.h"
#include "preload/engine_load.h"
#include "preload/engine_lock.h"
#include "preload/jail.h"
#include "preload/log.h"
#include "preload/outcome.h"
#include "preload/replies.h"
#include "preload/rights.h"
#include "preload/self.h"
#include "preload/settings.h"
#include "preload/status.h"
#include "preload/thread_role.h"

#define STARTUP_PATCHES_MAX 64

static bool status_due STATE;
static bool count_due STATE; /* only the count of requests has changed */

/* HOTPATCH_PATCH. Patches that are refused at the start are tried again when the doorbell rings. */
static struct {
    bool tried;
    const char *path[STARTUP_PATCHES_MAX];
    bool applied[STARTUP_PATCHES_MAX];
    size_t count;
    bool refused;
} startup;

void dispatch_status_changed(void)
{
    status_due = true;
}

static void write_status(struct outcome *outcome)
{
    int result = status_write();

    status_due = count_due = false;
    if (result != 0 && outcome)
        outcome_warn(outcome, "the status file could not be written: %s", sys_error(result));
}

void dispatch_idle(void)
{
    if (!status_due && !(count_due && !status_is_long()))
        return;
    engine_lock();
    write_status(NULL);
    engine_unlock();
}

void dispatch_start_status(void)
{
    engine_lock();
    status_write_first();
    engine_unlock();
}

/* ---- one request ---- */

static void look_at_identity(void)
{
    if (endpoint_check(false))
        status_due = true;
}

static bool changes_something(enum request_verb verb)
{
    return verb == REQUEST_LOAD || verb == REQUEST_REVERT || verb == REQUEST_RELOAD;
}

static int check_in_time(const struct request *request, struct refusal *why)
{
    if (request->deadline == 0 || clock_ms() < request->deadline)
        return 0;
    return refuse(why, HP_DEADLINE, "the deadline passed before the request was read");
}

/* Check that the request is for this process: several pid namespaces may have a process with this number. */
static int check_meant(const struct frame *frame, struct refusal *why)
{
    for (size_t i = 0; i < frame->count; i++)
        if (!self_is(frame->requests[i].nonce))
            return refuse(why, HP_OTHER_PROCESS, "another process is meant than this one, %d",
                          (int)sys_getpid());
    return 0;
}

static int follow_rights(struct refusal *why)
{
    int result;

    if (thread_role_has_stand_in())
        return 0; /* the thread is the program's own */
    result = rights_follow(why);

    look_at_identity(); /* rights_follow() may have changed the user */
    if (result != 0 && why->items[0].code == HP_SANDBOX)
        status_set_sandbox(why->items[0].text);
    else
        status_set_sandbox(NULL);
    return result;
}

static bool has_load(const struct frame *frame)
{
    for (size_t i = 0; i < frame->count; i++)
        if (frame->requests[i].verb != REQUEST_REVERT)
            return true;
    return false;
}

static int prepare_engine(const struct frame *frame, struct refusal *why)
{
    if (follow_rights(why) != 0)
        return -1;
    if (!engine_loaded() && !has_load(frame)) {
        const struct request *request = &frame->requests[0];

        if (request->which == REVERT_NAME)
            return refuse(why, HP_NO_LAYER, "no module %s is applied", request->name);
        return refuse(why, HP_NO_LAYER, "nothing is applied");
    }
    return engine_load(why);
}

static void run_request(const struct frame *frame, struct outcome *outcome, struct refusal *why)
{
    const struct request *request = &frame->requests[0];

    if (check_meant(frame, why) != 0 || check_in_time(request, why) != 0)
        return;
    if (request->verb == REQUEST_PING || request->verb == REQUEST_STATUS) {
        outcome_done(outcome);
        if (request->verb == REQUEST_STATUS)
            status_document(&outcome->json.head, "status");
        return;
    }
    if (request->verb == REQUEST_RELOAD && !engine_loaded()) {
        outcome_done(outcome);
        return;
    }
    if (prepare_engine(frame, why) == 0)
        outcome_ask_engine(outcome, frame->requests, frame->count);
}

static void log_outcome(const struct frame *frame, const struct outcome *outcome,
                        const struct refusal *why)
{
    if (why->count)
        log_write(LOG_INFO, "%s: %s: %s", frame->verb, error_info(why->items[0].code)->code,
                  refusal_text(why, 0));
    else
        log_write(LOG_INFO, "%s: exit %d", frame->verb, outcome->exit_code);
}

/* Run `frame`. Return the reply as text, which the caller frees; NULL: memory is short. */
static char *run_frame(const struct frame *frame, struct outcome *outcome)
{
    struct refusal own = {0}, *why = frame->count ? &own : frame->why;

    outcome_begin(outcome, frame->id, frame->verb);
    if (frame->count)
        run_request(frame, outcome, why);
    if (why->count)
        outcome_refuse(outcome, why);
    outcome->recorded =
        outcome->exit_code != 0 || (frame->count && changes_something(frame->requests[0].verb));
    if (frame->torn && why->count)
        log_write(LOG_ERROR, "%s: %s: %s; nothing of it was applied", frame->verb,
                  error_info(why->items[0].code)->code, refusal_text(why, 0));
    else if (log_enabled(LOG_INFO))
        log_outcome(frame, outcome, why);
    refusal_clear(&own);
    outcome_record(outcome);
    if ((outcome->recorded || outcome->stale) && frame->reply[0])
        write_status(outcome); /* before the reply: its reader may read the file */
    else if (outcome->recorded || outcome->stale)
        status_due = true;
    else
        count_due = true;
    return outcome_end(outcome);
}

static void handle_frame(const struct frame *frame, int reply)
{
    struct outcome outcome;
    char *text;

    engine_lock();
    look_at_identity();
    status_count_request();
    replies_answer(reply);
    text = run_frame(frame, &outcome);
    replies_answer(-1);
    engine_unlock();
    replies_send(reply, text);
    outcome_discard(&outcome);
}

void dispatch_frame(void *context, const struct frame *frame)
{
    (void)context;
    handle_frame(frame, replies_open(frame->reply));
}

void dispatch_jail_frame(void *context, const struct frame *frame)
{
    int reply = -1;

    (void)context;
    jail_request_begin();
    status_start(); /* a listener that began in the jail could not read this */
    if (frame->reply[0])
        reply = jail_reply();
    if (reply == -EMFILE && replies_give_spare())
        reply = jail_reply();
    handle_frame(frame, reply);
    jail_request_end();
}

/* ---- requests of the shim itself: the doorbell and HOTPATCH_PATCH ---- */

static struct request plain_request(enum request_verb verb)
{
    return (struct request){
        .verb = verb, .timeout = REQUEST_TIMEOUT_DEFAULT, .id = "", .reply = ""};
}

/* Run a request of the shim itself. Return true if it was done. */
static bool run_own(struct request *request, struct outcome *outcome)
{
    struct refusal why = {0};
    struct frame frame = {.verb = request_verb_name(request->verb),
                          .id = "",
                          .reply = "",
                          .requests = request,
                          .count = 1,
                          .why = &why};

    engine_lock();
    free(run_frame(&frame, outcome));
    engine_unlock();
    return outcome->exit_code == 0;
}

static bool startup_path_possible(const char *path)
{
    if (path[0] == '/')
        return true;
    log_write(
        LOG_ERROR,
        "HOTPATCH_PATCH: %s is refused: %s: it is relative, and the working directory has no path "
        "(it was removed)",
        path, error_info(HP_PATH)->code);
    return false;
}

static void try_startup_patches(void)
{
    for (size_t i = 0; i < startup.count; i++) {
        struct request request = plain_request(REQUEST_LOAD);
        struct outcome outcome;

        if (startup.applied[i])
            continue;
        if (!startup_path_possible(startup.path[i])) {
            startup.refused = true;
            continue;
        }
        request.path = startup.path[i];
        startup.applied[i] = run_own(&request, &outcome);
        if (!startup.applied[i]) {
            startup.refused = true;
            log_write(LOG_ERROR, "HOTPATCH_PATCH: %s is refused: %s: %s", startup.path[i],
                      outcome.code, outcome.text);
        }
        outcome_discard(&outcome);
    }
}

/* Return the absolute path; `path` itself where the working directory has no path because it was removed. */
static const char *absolute(char *path)
{
    char directory[PATH_MAX], *joined = NULL;
    size_t size;

    if (path[0] == '/' || !getcwd(directory, sizeof(directory)))
        return path;
    size = strlen(directory) + strlen(path) + 2;
    joined = malloc(size);
    if (!joined)
        return path;
    memcpy(joined, directory, strlen(directory) + 1);
    strcat(joined, "/");
    strcat(joined, path);
    return joined;
}

void dispatch_startup_patches(void)
{
    char *rest = settings.patches;

    if (!rest || startup.tried)
        return;
    startup.tried = true;
    while (rest && *rest && startup.count < STARTUP_PATCHES_MAX) {
        char *path = rest, *colon = strchr(rest, ':');

        if (colon)
            *colon = '\0';
        rest = colon ? colon + 1 : NULL;
        if (*path)
            startup.path[startup.count++] = absolute(path);
    }
    try_startup_patches();
}

bool dispatch_startup_refused(void)
{
    return startup.refused;
}

uint64_t dispatch_deferred_at(void)
{
    return engine_loaded() ? engine()->deferred_at() : 0;
}

void dispatch_deferred(void)
{
    struct request request;
    struct outcome outcome;
    bool wanted;

    engine_lock();
    wanted = engine()->deferred(&request);
    engine_unlock();
    if (!wanted)
        return;
    run_own(&request, &outcome);
    outcome_discard(&outcome);
    status_due = true;
}

void dispatch_doorbell(void)
{
    struct request request = plain_request(REQUEST_RELOAD);
    struct outcome outcome;
    struct refusal why = {0};

    /* If the program has given up rights, these may prevent the FIFO from existing. */
    rights_follow(&why);
    refusal_clear(&why);
    endpoint_check(true);
    status_due = true;
    if (startup.refused) {
        startup.refused = false;
        try_startup_patches();
    }
    if (engine_loaded()) {
        run_own(&request, &outcome);
        outcome_discard(&outcome);
    }
}

void dispatch_reset(void)
{
    status_due = count_due = false;
}
