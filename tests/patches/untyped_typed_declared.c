/* a typed function of the untyped ABI's signature, for a declared untyped slot */
#include <hotpatch.h>

HOTPATCH_MODULE("untyped-typed-declared", "1");

HOTPATCH_REPLACE_AS(int32_t, declared, (void *s, const void *in, void *out), "counter.untyped")
{
    return HOTPATCH_ORIGINAL(declared)(s, in, out) + 20;
}
