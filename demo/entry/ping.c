/* ping.c - PING gives another answer. redis exports both functions; this file uses nothing of redis's sources. */
#include <hotpatch.h>

struct client;
void addReplyBulkCString(struct client *c, const char *text);

HOTPATCH_MODULE("ping", "1");

HOTPATCH_REPLACE(void, pingCommand, (struct client * c))
{
    addReplyBulkCString(c, "patched while you were connected");
}
