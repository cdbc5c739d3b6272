/* the next version of untyped_made */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-made", "2");

HOTPATCH_REPLACE_FN("made.untyped")
{
    *(int32_t *)output = *(int32_t *)state - *(const int32_t *)input;
    return 8;
}
