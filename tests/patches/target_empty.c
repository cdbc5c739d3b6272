/* a target without a name */
#include <hotpatch.h>

HOTPATCH_MODULE("target-empty", "1");

HOTPATCH_REPLACE_AS(int, replacement, (void), "host:")
{
    return 2;
}
