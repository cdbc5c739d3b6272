/* says that the function returns a value: rax is the replacement's */
#include "clobber.h"

HOTPATCH_MODULE("relies-result", "1");

HOTPATCH_REPLACE(long, sometimes, (int x))
{
    clobber();
    return x + 6;
}
