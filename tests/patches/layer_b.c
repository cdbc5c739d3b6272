/* one of three layers on one slot: what lies below, + 100 */
#include <hotpatch.h>

HOTPATCH_MODULE("layer-b", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return HOTPATCH_ORIGINAL(answer)() + 100;
}
