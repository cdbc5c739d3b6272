/*
 * entries_redis.c - pingCommand and lookupKey of redis 7.0: replaced or, with -DWRAP, wrapped.
 *
 * Replaced, PING is answered with TEXT, and the key "probe" holds it; wrapped, PING is answered as
 * ever, and the key holds TEXT after one. All other keys are found as ever.
 */
#include <hotpatch.h>

#include <limits.h>
#include <stdbool.h>
#include <string.h>

HOTPATCH_MODULE("entries", TEXT);

/* What is used of server.h and dict.h of redis 7.0. */
struct object {
    unsigned type : 4, encoding : 4, lru : 24;
    int refcount;
    char *text;
};
struct dict_entry {
    void *key;
    void *value;
};
struct database {
    void *keys;
};
struct dict_entry *dictFind(void *dict, const void *key);
void addReplyStatus(void *client, const char *status);

/* A string as sds.h has it: behind its length. */
static struct {
    uint8_t length, room, flags;
    char text[sizeof(TEXT)];
} __attribute__((packed)) text = {sizeof(TEXT) - 1, sizeof(TEXT) - 1, 1, TEXT};
/* INT_MAX: shared by all, and not counted. */
static struct object answer = {.refcount = INT_MAX, .text = text.text};

#ifndef WRAP

HOTPATCH_REPLACE(void, pingCommand, (void *client))
{
    addReplyStatus(client, TEXT);
}

HOTPATCH_REPLACE(struct object *, lookupKey,
                 (struct database * database, struct object *key, int flags))
{
    struct dict_entry *found = dictFind(database->keys, key->text);

    (void)flags;
    if (found && strcmp(key->text, "probe") == 0)
        return &answer;
    return found ? found->value : NULL;
}

#else

static bool pinged;

HOTPATCH_REPLACE(void, pingCommand, (void *client))
{
    pinged = true;
    HOTPATCH_ORIGINAL(pingCommand)(client);
}

HOTPATCH_REPLACE(struct object *, lookupKey,
                 (struct database * database, struct object *key, int flags))
{
    struct object *found = HOTPATCH_ORIGINAL(lookupKey)(database, key, flags);

    return found && pinged && strcmp(key->text, "probe") == 0 ? &answer : found;
}

#endif
