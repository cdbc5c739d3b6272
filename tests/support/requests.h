/*
 * requests.h - requests by FIFO, and their replies.
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <stddef.h>

struct host;

/* json-c's; a test that looks inside one includes <json-c/json.h>, which base/json.h does not bear. */
typedef struct json_object json_object;

struct reply {
    json_object *json;
    char code[64];  /* "apply" or the first error's code */
    char text[512]; /* the first error's text */
    int exit_code;
};

/* What is written to the FIFO as it is. */
void send_raw(struct host *host, const void *bytes, size_t size);
/* One request line without newline; reply= is added behind its verb. Of a transaction
 * (lines with \n) behind `commit`. */
struct reply *request(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void reply_free(struct reply *reply);
/* The outcome alone: "apply" or a code; good for the life of the program. */
const char *outcome(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* After a line that cannot be answered: the code of the newest refusal in the history. */
const char *last_refusal(struct host *host);
void must_apply(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The host still gives the answers it gave at its start, and answers a ping. */
void assert_unchanged(struct host *host);
/* json_object_object_get by a path of members "a.b"; fails where there is none. */
json_object *member(json_object *object, const char *path);
const char *member_text(json_object *object, const char *path);
/* The slot of that name in a reply to `slots` or in a status; fails where there is none. */
json_object *slot_named(json_object *array, const char *name);

#endif
