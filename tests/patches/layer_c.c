/* one of three layers on one slot: what lies below, * 2 */
#include <hotpatch.h>

HOTPATCH_MODULE("layer-c", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return HOTPATCH_ORIGINAL(answer)() * 2;
}
