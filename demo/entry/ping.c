/* ping.c - PING answers otherwise. redis exports both functions; nothing here is from its sources. */
#include <hotpatch.h>

struct client;
void addReplyBulkCString(struct client *c, const char *text);

HOTPATCH_MODULE("ping", "1");

HOTPATCH_REPLACE(void, pingCommand, (struct client * c))
{
    addReplyBulkCString(c, "patched while you were connected");
}
