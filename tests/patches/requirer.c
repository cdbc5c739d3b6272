/* calls into whatever module provides extra */
#include <hotpatch.h>

HOTPATCH_MODULE("requirer", "1");

HOTPATCH_REQUIRE(int, extra, (int));

HOTPATCH_REPLACE(int, answer, (void))
{
    return 500 + extra(1);
}
