/* overwrites all that it may, in functions of whose callers some rely on more than the ABI */
#include "clobber.h"

HOTPATCH_MODULE("relies", "1");

CLOBBERING(general)
CLOBBERING(deep)
CLOBBERING(vectors)
CLOBBERING(unaligned)
CLOBBERING(ordinary)

HOTPATCH_REPLACE(long, stacked, (long a, long b, long c, long d, long e, long f, long g, long h))
{
    long got = HOTPATCH_ORIGINAL(stacked)(a, b, c, d, e, f, g, h);

    clobber();
    return got == a + g + h ? got + 1 : -1;
}
