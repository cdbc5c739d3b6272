/* takes a variable number of arguments, which no keeping stub can copy */
#include "clobber.h"

HOTPATCH_MODULE("relies-variadic", "1");

HOTPATCH_REPLACE(long, general, (long x, ...))
{
    clobber();
    return 3 * x + 1;
}
