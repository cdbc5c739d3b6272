/* declares a slot of its own, that other patches exchange */
#include <hotpatch.h>

HOTPATCH_MODULE("own-slots", "1");

HOTPATCH_FUNCTION(int, patch_value, (void))
{
    return 60;
}

HOTPATCH_REPLACE(int, answer, (void))
{
    return patch_value();
}
