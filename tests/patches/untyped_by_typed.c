/* typed functions of the untyped ABI's signature, for untyped slots */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-by-typed", "1");

HOTPATCH_REPLACE_AS(int32_t, declared, (void *s, const void *in, void *out), "counter.untyped")
{
    return HOTPATCH_ORIGINAL(declared)(s, in, out) + 20;
}

HOTPATCH_REPLACE_AS(int32_t, made, (void *s, const void *in, void *out), "made.untyped")
{
    return HOTPATCH_ORIGINAL(made)(s, in, out) + 30;
}
