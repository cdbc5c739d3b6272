/* plain_two.c - provides what plain_one.c requires, and uses what it declares. */
#include "plain.h"

HOTPATCH_FUNCTION(int, provided, (int n))
{
    return add(n, HOTPATCH_GET(limits)[0]) + (HOTPATCH_BOUND(absent) ? 100 : 0);
}
