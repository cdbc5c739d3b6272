/* the next version of untyped_declares */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-declares", "2");

static int32_t below(void *state, const void *input, void *output)
{
    *(int32_t *)output = *(int32_t *)state - *(const int32_t *)input;
    return 3;
}

HOTPATCH_SLOT_FN("patch.untyped", below);

HOTPATCH_REPLACE_FN_AS(over, "patch.untyped")
{
    return HOTPATCH_ORIGINAL(over)(state, input, output) + 2;
}
