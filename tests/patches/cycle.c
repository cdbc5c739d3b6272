/* counts what becomes of it: constructors, hooks, calls; its hook refuses once it was called five times */
#include <hotpatch.h>

HOTPATCH_MODULE("cycle", "1");

static int made, applied, reverted, calls;

__attribute__((constructor)) static void make(void)
{
    made++;
}

HOTPATCH_HOOK(before_apply)
{
    (void)context;
    if (calls == 5)
        return calls++;
    applied++;
    return 0;
}

HOTPATCH_HOOK(after_revert)
{
    (void)context;
    reverted++;
    return 0;
}

HOTPATCH_REPLACE(int, answer, (void))
{
    calls++;
    return made * 1000 + applied * 100 + reverted * 10 + calls;
}

HOTPATCH_REPLACE(int, second, (void))
{
    return HOTPATCH_ORIGINAL(second)() + 1;
}
