/* hotpatch-rs: for a slot that the program registers at run time */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-made", "1");

HOTPATCH_REPLACE_FN("made.untyped")
{
    *(int32_t *)output = *(int32_t *)state * *(const int32_t *)input;
    return 7;
}
