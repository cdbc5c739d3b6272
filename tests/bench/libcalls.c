/* libcalls.c - the patch of `calls`: the same function again, behind its slot and its import. */
#include <hotpatch.h>

HOTPATCH_MODULE("bench-calls", "1");

HOTPATCH_REPLACE(long, absolute, (long x))
{
    return x < 0 ? -x : x;
}

HOTPATCH_REPLACE_AS(long, imported_absolute, (long x), "labs")
{
    return x < 0 ? -x : x;
}
