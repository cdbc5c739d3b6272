/* its own hook refuses to be applied */
#include <hotpatch.h>

HOTPATCH_MODULE("hook-refuses", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}

HOTPATCH_HOOK(before_apply)
{
    (void)context;
    return 1;
}
