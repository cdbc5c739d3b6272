/* entries.c - see entries.h. */
#include "entries.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_image.h"
#include "symbols.h"

struct host *host;

int stop(void **state)
{
    (void)state;
    if (host)
        host_kill(host); /* a failed test's */
    host = NULL;
    return 0;
}

void start(const char *program)
{
    host = host_start(program, NULL);
}

void finish(void)
{
    struct host *good = host;

    host = NULL;
    host_stop(good);
}

void open_library(void)
{
    assert_string_equal(host_ask(host, "dlopen %s", built("hosts/libentries.so")), "opened");
}

const char *replace(const char *target, const char *symbol)
{
    return outcome(host, "load replace=%s=%s %s", target, symbol, patch_file("entry_plain"));
}

void must_replace(const char *target, const char *symbol)
{
    must_apply(host, "load replace=%s=%s %s", target, symbol, patch_file("entry_plain"));
}

void there_and_back(const char *target, const char *question, const char *before, const char *after)
{
    host_expect(host, question, before);
    must_replace(target, "two");
    host_expect(host, question, after);
    must_apply(host, "revert last");
    host_expect(host, question, before);
}

const char *said_of(const char *name, const char *key)
{
    static char text[300];
    struct reply *reply = request(host, "slots kind=entry match=%s", name);
    const char *value = member_text(slot_named(member(reply->json, "slots"), name), key);

    snprintf(text, sizeof(text), "%s", value ? value : "null");
    reply_free(reply);
    return text;
}

const char *status_of(const char *name, const char *key)
{
    static char text[300];
    struct reply *reply = request(host, "status");
    const char *value = member_text(slot_named(member(reply->json, "status.slots"), name), key);

    snprintf(text, sizeof(text), "%s", value ? value : "null");
    reply_free(reply);
    return text;
}

void by_offset(const char *object, const char *name, char *target, size_t size)
{
    snprintf(target, size, "%s+0x%llx", object, strtoull(said_of(name, "offset"), NULL, 10));
}

static void open_image(struct file_image *file, const char *path)
{
    struct refusal why = {0};

    if (file_image_open(file, path, 0, &why) != 0)
        fail_msg("%s: %s", path, why.items[0].text);
}

const char *build_id_of(const char *path)
{
    static char text[100];
    struct file_image file;

    open_image(&file, path);
    snprintf(text, sizeof(text), "%s", image_build_id(file.image));
    file_image_close(&file);
    return text;
}

unsigned long symbol_of(const char *program, const char *name)
{
    struct image_symbol symbol;
    struct file_image file;
    unsigned long value;

    open_image(&file, built("hosts/%s", program));
    if (!image_symbol(file.image, name, &symbol))
        fail_msg("%s has no %s", program, name);
    value = symbol.value;
    file_image_close(&file);
    return value;
}
