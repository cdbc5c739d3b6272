/* the ABI of hotpatch-rs, for a typed slot */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-for-typed", "1");

HOTPATCH_REPLACE_FN("answer")
{
    return 3;
}
