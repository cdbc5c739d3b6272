/* finds an untyped slot at run time */
#include <hotpatch.h>

static int32_t added(void *state, const void *input, void *output)
{
    *(int32_t *)output = *(int32_t *)state / *(const int32_t *)input;
    return 4;
}

HOTPATCH_MODULE("untyped-hook", "1");

HOTPATCH_HOOK(before_apply)
{
    return hotpatch_context_replace(context, "made.untyped", HOTPATCH_UNTYPED_SIGNATURE,
                                    (hotpatch_function)added);
}
