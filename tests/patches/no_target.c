/* replaces what the host does not have */
#include <hotpatch.h>

HOTPATCH_MODULE("no-target", "1");

HOTPATCH_REPLACE(int, nothing_of_that_name, (void))
{
    return 2;
}
