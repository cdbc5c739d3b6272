/* wire.c - writes the lines of a request; preload/request.h reads them. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "request.h"

struct text {
    char *bytes;
    size_t length; /* what it would be, had there been room */
    size_t size;
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct text *text, const char *format, ...)
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

static void put_keys(struct text *text, const struct order *order)
{
    if (order->keys && *order->keys)
        put(text, " %s", order->keys);
}

static void put_wire(struct text *text, const struct wire *wire)
{
    put(text, " id=%s deadline=%llu reply=%s", wire->id, (unsigned long long)wire->deadline,
        wire->reply);
}

/*
 * The newline in front ends whatever unfinished line another writer left in the FIFO, which
 * would swallow the request otherwise; the shim skips empty lines.
 */
int order_compose(const struct order *order, const struct wire *wire, char *line, size_t size,
                  struct refusal *why)
{
    struct text text = {line, 0, size};

    for (size_t i = 0; i < order->patch_count; i++)
        if (strchr(wire->patches[i], '\n'))
            return refuse(why, HP_PATH, "the name of a patch holds a newline");
    put(&text, "\n");
    if (order->patch_count > 1) {
        put(&text, "begin");
        put_wire(&text, wire);
        put(&text, "\n");
        for (size_t i = 0; i < order->patch_count; i++) {
            put(&text, "%s", order->verb);
            put_keys(&text, order);
            put(&text, " %s\n", wire->patches[i]);
        }
        put(&text, "commit\n");
    } else {
        put(&text, "%s", order->verb);
        put_wire(&text, wire);
        put_keys(&text, order);
        if (order->operand)
            put(&text, " %s", order->operand);
        if (order->patch_count == 1)
            put(&text, " %s", wire->patches[0]);
        put(&text, "\n");
    }
    if (text.length > REQUEST_MAX || text.length >= size)
        return refuse(why, HP_LINE_TOO_LONG, "the request is %zu bytes long, %d are possible",
                      text.length, REQUEST_MAX);
    return (int)text.length;
}
