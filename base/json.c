/* json.c - see json.h. */
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

static bool grow_text(struct json *json, size_t length)
{
    size_t capacity = json->capacity ? json->capacity * 2 : 1024;
    char *text;

    if (json->failed || json->fixed) {
        json->failed = true;
        return false;
    }
    while (capacity < json->length + length + 1)
        capacity *= 2;
    text = realloc(json->text, capacity);
    if (!text) {
        json->failed = true;
        return false;
    }
    json->text = text;
    json->capacity = capacity;
    return true;
}

static void append_bytes(struct json *json, const char *bytes, size_t length)
{
    if (json->failed || (json->length + length + 1 > json->capacity && !grow_text(json, length)))
        return;
    memcpy(json->text + json->length, bytes, length);
    json->length += length;
    json->text[json->length] = '\0';
}

/* Return whether the character is ASCII that needs no escape, as most text is. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void append_quoted(struct json *json, const char *value)
{
    const char *s = value, *plain = value;
    char escape[8];

    append_bytes(json, "\"", 1);
    for (;;) {
        unsigned char c;
        size_t length;

        while (is_plain((unsigned char)*s))
            s++;
        if (!*s)
            break;
        c = (unsigned char)*s;
        length = c >= 0x80 ? utf8_length(s) : 0;
        if (length > 0) {
            s += length;
            continue;
        }
        append_bytes(json, plain, (size_t)(s - plain));
        if (c == '"' || c == '\\')
            append_bytes(json, (char[]){'\\', (char)c}, 2);
        else
            append_bytes(json, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", c));
        plain = ++s;
    }
    append_bytes(json, plain, (size_t)(s - plain));
    append_bytes(json, "\"", 1);
}

static void begin_value(struct json *json, const char *key)
{
    if (json->comma)
        append_bytes(json, ",", 1);
    if (key) {
        append_quoted(json, key);
        append_bytes(json, ":", 1);
    }
    json->comma = true;
}

static void open_bracket(struct json *json, const char *key, const char *bracket)
{
    begin_value(json, key);
    append_bytes(json, bracket, 1);
    json->comma = false;
}

static void close_bracket(struct json *json, const char *bracket)
{
    append_bytes(json, bracket, 1);
    json->comma = true;
}

void json_object_begin(struct json *json, const char *key)
{
    open_bracket(json, key, "{");
}

void json_object_end(struct json *json)
{
    close_bracket(json, "}");
}

void json_array_begin(struct json *json, const char *key)
{
    open_bracket(json, key, "[");
}

void json_array_end(struct json *json)
{
    close_bracket(json, "]");
}

void json_raw(struct json *json, const char *key, const char *text)
{
    json_bytes(json, key, text, strlen(text));
}

void json_bytes(struct json *json, const char *key, const char *text, size_t length)
{
    begin_value(json, key);
    append_bytes(json, text, length);
}

void json_string(struct json *json, const char *key, const char *value)
{
    if (!value) {
        json_raw(json, key, "null");
        return;
    }
    begin_value(json, key);
    append_quoted(json, value);
}

/* Write digits that end at `end`. Return their first character. */
static char *digits_before(char *end, uint64_t value, unsigned base)
{
    do
        *--end = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    return end;
}

void json_number(struct json *json, const char *key, int64_t value)
{
    char text[32], *end = text + sizeof(text), *at;

    at = digits_before(end, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
    if (value < 0)
        *--at = '-';
    json_bytes(json, key, at, (size_t)(end - at));
}

void json_unsigned(struct json *json, const char *key, uint64_t value)
{
    char text[32], *end = text + sizeof(text), *at = digits_before(end, value, 10);

    json_bytes(json, key, at, (size_t)(end - at));
}

void json_address(struct json *json, const char *key, uint64_t value)
{
    char text[32], *end = text + sizeof(text), *at;

    *--end = '"';
    at = digits_before(end, value, 16) - 3;
    memcpy(at, "\"0x", 3);
    json_bytes(json, key, at, (size_t)(end + 1 - at));
}

void json_boolean(struct json *json, const char *key, bool value)
{
    json_raw(json, key, value ? "true" : "false");
}

char *json_take(struct json *json)
{
    char *text = json->text;

    if (json->failed) {
        if (!json->fixed)
            free(text);
        text = NULL;
    }
    *json = (struct json){0};
    return text;
}

void json_discard(struct json *json)
{
    if (!json->fixed)
        free(json->text);
    *json = (struct json){0};
}
