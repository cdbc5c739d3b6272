/* calls_allowed.c - see calls_allowed.h. */
#include "calls_allowed.h"

#include "settings.h"

/* Where the threads are made at the start, a filter of the host (seccomp(2)) was never expected to know more
 * calls of the handler than the one that passes a ring on. */
bool calls_allowed(void)
{
    return settings.listen == LISTEN_FIRST_RING;
}
