/* names an object that is not loaded */
#include <hotpatch.h>

HOTPATCH_MODULE("object-unknown", "1");

HOTPATCH_REPLACE_AS(int, replacement, (void), "libnothere.so:answer")
{
    return 2;
}
