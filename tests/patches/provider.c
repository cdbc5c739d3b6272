/* fills the host's required slot, and other patches' */
#include <hotpatch.h>

HOTPATCH_MODULE("provider", "1");

HOTPATCH_FUNCTION(int, extra, (int n))
{
    return 7 * n;
}
