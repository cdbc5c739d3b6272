/* the ABI of hotpatch-rs, for a data slot */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-for-data", "1");

HOTPATCH_REPLACE_FN("greeting")
{
    return 3;
}
