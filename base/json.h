/*
 * json.h - writes one JSON document (RFC 8259) into a growing buffer.
 *
 * For code inside the host, which must not need json-c: libc only, any thread, no state but the struct. If memory is
 * short, the document becomes empty and json_take() returns NULL. The document is UTF-8: a byte of a string that is
 * not valid UTF-8 is written as an escape, \u0080 to \u00ff (base/utf8.h).
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
    bool fixed; /* `text` is owned by the caller: it does not grow and is not freed */
    bool comma; /* the next value needs a comma before it */
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

/* Return the document, which the caller frees; the struct is empty again. NULL: memory is short. */
char *json_take(struct json *json);
void json_discard(struct json *json);

#endif
