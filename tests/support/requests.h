/*
 * requests.h - requests by FIFO, and their replies.
 */
#ifndef REQUESTS_H
#define REQUESTS_H

#include <stddef.h>

struct host;

/* The type of json-c. A test that reads members includes <json-c/json.h>, which cannot be included together with
 * base/json.h. */
typedef struct json_object json_object;

struct reply {
    json_object *json;
    char code[64];  /* "apply" or the first error's code */
    char text[512]; /* the first error's text */
    int exit_code;
};

/* Write the bytes to the FIFO unchanged. */
void send_raw(struct host *host, const void *bytes, size_t size);
/* Send one request line without newline; reply= is added after its verb. In a transaction (lines with \n) it is added
 * after `commit`. */
struct reply *request(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void reply_free(struct reply *reply);
/* Return only the outcome: "apply" or a code; valid until the program ends. */
const char *outcome(struct host *host, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Return the code of the newest refusal in the history, after a line that cannot be answered. */
const char *last_refusal(struct host *host);
void must_apply(struct host *host, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Require that the host still gives its first answers, and answers a ping. */
void assert_unchanged(struct host *host);
/* Return the member at a path "a.b", as json_object_object_get does; fail if there is none. */
json_object *member(json_object *object, const char *path);
const char *member_text(json_object *object, const char *path);
/* Return the slot of that name in a reply to `slots` or in a status; fail if there is none. */
json_object *slot_named(json_object *array, const char *name);

#endif
