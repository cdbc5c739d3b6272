/* wire.c - see wire.h. */
#include "cli/session/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/request.h"

struct wire_text {
    char *bytes;
    size_t length; /* also of what had no room */
    size_t size;
};

static void text_put(struct wire_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void text_put(struct wire_text *text, const char *format, ...)
{
    size_t room = text->length < text->size ? text->size - text->length : 0;
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(room ? text->bytes + text->length : NULL, room, format, arguments);
    va_end(arguments);
    if (n > 0)
        text->length += (size_t)n;
}

static void put_keys(struct wire_text *text, const char *keys)
{
    if (keys && *keys)
        text_put(text, " %s", keys);
}

static void put_wire(struct wire_text *text, const struct wire *wire)
{
    text_put(text, " id=%s deadline=%llu reply=%s", wire->id, (unsigned long long)wire->deadline,
             wire->reply);
    if (wire->nonce[0])
        text_put(text, " nonce=%s", wire->nonce);
}

static void put_places(struct wire_text *text, const struct wire *wire, size_t line)
{
    if (wire->places)
        put_keys(text, wire->places[line]);
}

static void put_patch(struct wire_text *text, const struct client_request *client_request,
                      const struct wire *wire, size_t i)
{
    put_keys(text, client_request->keys);
    put_keys(text, client_request->patch_keys);
    put_places(text, wire, i);
    text_put(text, " %s\n", wire->patches[i]);
}

static void put_injection(struct wire_text *text, const struct client_request *client_request,
                          const struct wire *wire, size_t i)
{
    put_keys(text, client_request->keys);
    put_places(text, wire, client_request->patch_count + i);
    text_put(text, " %s\n", client_request->injections[i]);
}

static void put_all(struct wire_text *text, const struct client_request *client_request,
                    const struct wire *wire)
{
    text_put(text, "begin");
    put_wire(text, wire);
    text_put(text, "\n");
    for (size_t i = 0; i < client_request->patch_count; i++) {
        text_put(text, "%s", client_request->verb);
        put_patch(text, client_request, wire, i);
    }
    for (size_t i = 0; i < client_request->injection_count; i++) {
        text_put(text, "%s", client_request->verb);
        put_injection(text, client_request, wire, i);
    }
    text_put(text, "commit\n");
}

static void put_single(struct wire_text *text, const struct client_request *client_request,
                       const struct wire *wire)
{
    text_put(text, "%s", client_request->verb);
    put_wire(text, wire);
    if (client_request->patch_count == 1) {
        put_patch(text, client_request, wire, 0);
    } else if (client_request->injection_count == 1) {
        put_injection(text, client_request, wire, 0);
    } else {
        put_keys(text, client_request->keys);
        put_keys(text, client_request->operand);
        text_put(text, "\n");
    }
}

static size_t places_length(const struct client_request *client_request, const struct wire *wire)
{
    size_t length = 0;

    for (size_t i = 0;
         wire->places && i < client_request->patch_count + client_request->injection_count; i++)
        length += wire->places[i] ? strlen(wire->places[i]) + 1 : 0;
    return length;
}

static int refuse_length(size_t length, size_t of_places, struct refusal *why)
{
    if (of_places == 0)
        return refuse(why, HP_LINE_TOO_LONG, "the request is %zu bytes long, %d are possible",
                      length, REQUEST_MAX);
    return refuse(why, HP_LINE_TOO_LONG,
                  "the request is %zu bytes long, %d are possible; places of functions that only "
                  "debug information names take %zu of them",
                  length, REQUEST_MAX, of_places);
}

/* The newline in front ends an unfinished line that another writer left in the FIFO; otherwise the request would be
 * read as part of that line. The shim skips empty lines. */
int wire_compose(const struct client_request *client_request, const struct wire *wire, char *line,
                 size_t size, struct refusal *why)
{
    struct wire_text text = {line, 0, size};

    for (size_t i = 0; i < client_request->patch_count; i++)
        if (strchr(wire->patches[i], '\n'))
            return refuse(why, HP_PATH, "the name of a patch holds a newline");
    text_put(&text, "\n");
    if (client_request->patch_count + client_request->injection_count > 1)
        put_all(&text, client_request, wire);
    else
        put_single(&text, client_request, wire);
    if (text.length > REQUEST_MAX || text.length >= size)
        return refuse_length(text.length, places_length(client_request, wire), why);
    return (int)text.length;
}
