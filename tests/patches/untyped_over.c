/* a second layer of hotpatch-rs on a slot that was registered: what lies below, + 10 */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-over", "1");

HOTPATCH_REPLACE_FN_AS(over, "runtime:made.untyped")
{
    int32_t result = HOTPATCH_ORIGINAL(over)(state, input, output);

    *(int32_t *)output += 1000;
    return result + 10;
}
