/* wraps a function that jumps back among its first bytes */
#include <hotpatch.h>

HOTPATCH_MODULE("entry-jumps-back", "1");

HOTPATCH_REPLACE(int, jumps_back, (int rounds))
{
    return 4 + HOTPATCH_ORIGINAL(jumps_back)(rounds + 1000);
}
