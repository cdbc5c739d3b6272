/* a replacement that calls what lies below it */
#include <hotpatch.h>

HOTPATCH_MODULE("below", "1");

HOTPATCH_REPLACE_AS(int, wrapped, (const char *from, const char *to), "rename")
{
    return 1000 + HOTPATCH_ORIGINAL(wrapped)(from, to);
}
