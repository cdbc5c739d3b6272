/* finds what it replaces at run time */
#include <hotpatch.h>

static int added(void)
{
    return 30;
}

HOTPATCH_MODULE("hook-adds", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 3;
}

HOTPATCH_HOOK(before_apply)
{
    return hotpatch_context_replace(context, "second", "int (void)", (hotpatch_function)added);
}
