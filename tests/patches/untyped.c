/* the ABI of hotpatch-rs */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped", "1");

HOTPATCH_REPLACE_FN("counter.untyped")
{
    *(int32_t *)output = *(int32_t *)state * *(const int32_t *)input;
    return 7;
}
