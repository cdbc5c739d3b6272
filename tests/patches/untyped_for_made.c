/* the ABI of hotpatch-rs, for a slot that was registered as int (void) */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-for-made", "1");

HOTPATCH_REPLACE_FN("made")
{
    return 3;
}
