/* replaces second, whoever declares it */
#include <hotpatch.h>

HOTPATCH_MODULE("second", "1");

HOTPATCH_REPLACE(int, second, (void))
{
    return 20;
}
