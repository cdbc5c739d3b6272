/*
 * reply_json.h - the JSON of the engine's reports (base/reported.h): replies, history records, the slots and modules
 * of the status document. libhotpatch_preload(7) describes the members.
 *
 * Runs on the thread that called the engine, with the engine lock held. No state but the structs.
 */
#ifndef HOTPATCH_REPLY_JSON_H
#define HOTPATCH_REPLY_JSON_H

#include "base/json.h"
#include "base/reported.h"

/*
 * One reply and its record in the history: open objects until reply_json_end(). Warnings come before members that may
 * be written earlier, so the reply has three parts.
 */
struct reply_json {
    const char *id, *verb;
    struct json head;     /* the members up to the warnings; after reply_json_end() all */
    struct json warnings; /* the elements of that array */
    struct json rest;     /* the members after the warnings */
    struct json record;
    bool complete; /* a list, too long to be copied: `head` has all members */
};

/* Begin the reply to a request. `id` and `verb` must outlive the struct. The record is begun by status.h. */
void reply_json_begin(struct reply_json *reply, const char *id, const char *verb);
/* Add the members of a result of the shim itself: refused, or done if `why` is empty or NULL. */
void reply_json_own_result(struct reply_json *reply, const struct refusal *why);
/* Add the members of the engine's result. A list is made here. An incomplete list is refused, and `refused` gets the
 * reason. */
void reply_json_result(struct reply_json *reply, const struct reported_result *result,
                       struct refusal *refused);
/* Add the missing members and close the reply, which is then in `head`. `warning`: NULL, or a warning that comes
 * before those of the engine. `microseconds`: duration of the request, unless the engine has reported it. */
void reply_json_end(struct reply_json *reply, const char *warning, uint64_t microseconds);
void reply_json_discard(struct reply_json *reply);

/* Add the members "damaged", "slots" and "modules" to an open object; `threads`: and "old_calls" and "running". */
void reply_json_status(struct json *json, const struct reported_status *status, bool threads);

#endif
