/* an object is matched whole, never by suffix */
#include <hotpatch.h>

HOTPATCH_MODULE("object-suffix", "1");

HOTPATCH_REPLACE_AS(int, replacement, (void), "st:answer")
{
    return 2;
}
