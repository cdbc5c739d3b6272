/* exchanges the slot that own_slots declares */
#include <hotpatch.h>

HOTPATCH_MODULE("own-slots-fix", "1");

HOTPATCH_REPLACE(int, patch_value, (void))
{
    return HOTPATCH_ORIGINAL(patch_value)() + 1;
}
