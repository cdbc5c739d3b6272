/* kills its process at the step that KILL_AT names */
#include <hotpatch.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int at(const char *step)
{
    const char *wanted = getenv("KILL_AT");

    if (wanted && strcmp(wanted, step) == 0)
        kill(getpid(), SIGKILL);
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    at("constructor");
}

HOTPATCH_MODULE("kill-at", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}

HOTPATCH_HOOK(before_apply)
{
    (void)context;
    return at("before_apply");
}

HOTPATCH_HOOK(after_apply)
{
    (void)context;
    return at("after_apply");
}

HOTPATCH_HOOK(before_revert)
{
    (void)context;
    return at("before_revert");
}

HOTPATCH_HOOK(after_revert)
{
    (void)context;
    return at("after_revert");
}
