/* a typed function of another signature, for an untyped slot */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-wrong-type", "1");

HOTPATCH_REPLACE_AS(int, wrong, (int n), "counter.untyped")
{
    return n;
}
