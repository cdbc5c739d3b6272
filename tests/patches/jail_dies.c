/* ends the process from its constructor: the request is under way, its files are in the jail */
#include <hotpatch.h>

#include <signal.h>

HOTPATCH_MODULE("jail-dies", "1");
HOTPATCH_REPLACE(int, answer, (int x))
{
    return x + 1;
}

__attribute__((constructor)) static void begin(void)
{
    raise(SIGKILL);
}
