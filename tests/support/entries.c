/* entries.c - see entries.h. */
#include "tests/support/entries.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct host *host;

int stop(void **state)
{
    (void)state;
    if (host)
        host_kill(host); /* the host of a failed test */
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
