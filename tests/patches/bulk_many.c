/* Replaces all 256 functions of test_bulk. */
#include <hotpatch.h>

#include "../support/bulk.h"

HOTPATCH_MODULE("bulk-many", "1");

#define ONE(h)                               \
    HOTPATCH_REPLACE(int, bulk_##h, (int x)) \
    {                                        \
        return x + 2000 + 0x##h;             \
    }
BULK(ONE)
