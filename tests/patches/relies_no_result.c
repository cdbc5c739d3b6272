/* says that the function returns nothing: rax is its callers' */
#include "clobber.h"

HOTPATCH_MODULE("relies-no-result", "1");

HOTPATCH_REPLACE(void, sometimes, (int x))
{
    (void)x;
    clobber();
}
