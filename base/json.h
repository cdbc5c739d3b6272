/*
 * json.h - writes one JSON document (RFC 8259) into a growing buffer.
 *
 * For code inside the host, where json-c has no place: libc only, any thread, no state but the
 * struct. When memory runs out the document becomes empty and json_take() returns NULL.
 * The document is UTF-8: a byte of a string that is none is written as an escape, \u0080 to \u00ff
 * (base/utf8.h).
 */
#ifndef HOTPATCH_JSON_H
#define HOTPATCH_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    char *text;
    size_t length;
    size_t capacity;
    bool failed;
    bool fixed;       /* `text` is the caller's: it does not grow and is not freed */
    bool comma;       /* the next value needs one before it */
    unsigned depth;   /* of open brackets */
    uint64_t members; /* a bit for each name of the outermost object's */
};

/* `key` is NULL for the document itself and inside arrays. */
void json_object_begin(struct json *json, const char *key);
void json_object_end(struct json *json);
void json_array_begin(struct json *json, const char *key);
void json_array_end(struct json *json);
void json_string(struct json *json, const char *key, const char *value); /* NULL: null */
void json_number(struct json *json, const char *key, int64_t value);
void json_unsigned(struct json *json, const char *key, uint64_t value);
void json_address(struct json *json, const char *key, uint64_t value); /* "0x..." */
void json_boolean(struct json *json, const char *key, bool value);
void json_raw(struct json *json, const char *key, const char *text); /* `text` is JSON */
void json_bytes(struct json *json, const char *key, const char *text, size_t length);

/* What is written after a mark can be taken back, while the same brackets are open. */
struct json_mark {
    size_t length;
    bool comma;
    unsigned depth;
    uint64_t members;
};
struct json_mark json_mark(const struct json *json);
void json_rewind(struct json *json, const struct json_mark *mark);

/* The document, malloc'd; the struct is empty again. NULL: no memory. */
char *json_take(struct json *json);
void json_discard(struct json *json);

/* Where the value of the member `name` of the object that `text` begins is; NULL: not there. The
 * object may be open still. `text` is what this writer wrote: no blanks. */
const char *json_member(const char *text, const char *name);

/* Has the object that is being written a member of that name? One that is not there is mostly told
 * without a look at the text, which may be long. */
bool json_has(const struct json *json, const char *name);

#endif
