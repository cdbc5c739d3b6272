/* its own hook refuses to be reverted */
#include <hotpatch.h>

HOTPATCH_MODULE("hook-keeps", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}

HOTPATCH_HOOK(before_revert)
{
    (void)context;
    return 1;
}
