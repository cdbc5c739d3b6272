/*
 * fuzz_request.c - whatever bytes come through the FIFO: no crash, no byte read beyond them, and
 * every frame is either a request or a refusal.
 *
 * The first byte says in which portions the rest arrives.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "preload/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *context, const struct frame *frame)
{
    (void)context;
    if ((frame->count == 0) != (frame->why->count > 0))
        abort();
    if (frame->reply[0] && !request_reply_name_valid(frame->reply))
        abort();
    if (strlen(frame->id) > REQUEST_ID_MAX)
        abort();
    for (size_t i = 0; i < frame->count; i++) {
        const struct request *request = &frame->requests[i];

        if (request->verb == REQUEST_LOAD && !request->injection.what &&
            (!request->path || request->path[0] != '/'))
            abort();
        if (request->replace_count > REQUEST_REPLACE_MAX ||
            request->place_count > REQUEST_PLACE_MAX)
            abort();
        for (size_t j = 0; j < request->place_count; j++)
            if (!*request->places[j].object || !*request->places[j].target ||
                strlen(request->places[j].build_id) % 2 != 0)
                abort();
    }
    for (size_t i = 0; i < frame->why->count; i++)
        if (frame->why->items[i].text && strchr(frame->why->items[i].text, '\n'))
            abort();
}

static uint64_t time_passed;

static uint64_t now(void)
{
    return time_passed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct framing framing;
    size_t portion = size && data[0] ? data[0] * (size_t)16 : 16384;

    framing_init(&framing, check, NULL, now);
    for (size_t at = 1; at < size; at += portion) {
        size_t count = size - at < portion ? size - at : portion;
        char *bytes = malloc(count); /* exactly as many, so that a sanitizer sees a read beyond */

        memcpy(bytes, data + at, count);
        framing_feed(&framing, bytes, count);
        free(bytes);
        time_passed += count % 7 * 300; /* some portions come too late */
        if (framing_due(&framing) && framing_due(&framing) <= time_passed)
            framing_expire(&framing);
    }
    while (framing_due(&framing)) {
        time_passed = framing_due(&framing);
        if (!framing_expire(&framing))
            abort();
    }
    if (framing.queued)
        abort();
    return 0;
}
