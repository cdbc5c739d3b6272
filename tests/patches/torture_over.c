/* a second layer under torture: what lies below, + 10 */
#include <hotpatch.h>

HOTPATCH_MODULE("torture-over", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return HOTPATCH_ORIGINAL(answer)() + 10;
}
