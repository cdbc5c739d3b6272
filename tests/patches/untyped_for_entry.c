/* the ABI of hotpatch-rs, for a function that nobody declared */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-for-entry", "1");

HOTPATCH_REPLACE_FN("exe:main")
{
    return 3;
}
