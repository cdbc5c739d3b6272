/*
 * reply_json.h - the JSON of what the engine reports (base/reported.h): replies, history records, the slots and modules
 * of the status document. The members are described in libhotpatch_preload(7).
 *
 * Runs on the thread that called the engine, holding the engine lock; no state but the structs.
 */
#ifndef HOTPATCH_REPLY_JSON_H
#define HOTPATCH_REPLY_JSON_H

#include "base/json.h"
#include "base/reported.h"

/*
 * One reply and its record in the history, both open objects until reply_json_end(). The warnings come before members
 * of which they may be written later, so the reply has three parts.
 */
struct reply_json {
    const char *id, *verb;
    struct json head;     /* the members up to the warnings; after reply_json_end() all */
    struct json warnings; /* the elements of that array */
    struct json rest;     /* the members after the warnings */
    struct json record;
    bool complete; /* a list, which is too long to be copied: `head` has all members */
};

/* Begin the reply to a request. `id` and `verb` must outlive the struct. The record begins elsewhere: status.h. */
void reply_json_begin(struct reply_json *reply, const char *id, const char *verb);
/* Add the members of an end that the shim itself has found: refused, or done where `why` is empty or NULL. */
void reply_json_own_result(struct reply_json *reply, const struct refusal *why);
/* Add the members of what came of a request to the engine. A list is made here: a list that is not whole is refused,
 * and `refused` has the reason. */
void reply_json_result(struct reply_json *reply, const struct reported_result *result,
                       struct refusal *refused);
/* Add what is still missing and close the reply, which `head` then is. `warning`: NULL, or a warning that comes before
 * those of the engine. `microseconds`: what the request took, unless the engine has said it. */
void reply_json_end(struct reply_json *reply, const char *warning, uint64_t microseconds);
void reply_json_discard(struct reply_json *reply);

/* Add the members "damaged", "slots" and "modules" to an open object. */
void reply_json_status(struct json *json, const struct reported_status *status);

#endif
