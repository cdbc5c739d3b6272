/* one of three layers on one slot: what lies below, + 10 */
#include <hotpatch.h>

HOTPATCH_MODULE("layer-a", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return HOTPATCH_ORIGINAL(answer)() + 10;
}
