/* Replaces 16 of the functions of test_bulk. */
#include <hotpatch.h>

#include "../support/bulk.h"

HOTPATCH_MODULE("bulk-few", "1");

#define ONE(h)                               \
    HOTPATCH_REPLACE(int, bulk_##h, (int x)) \
    {                                        \
        return x + 1000 + 0x##h;             \
    }
BULK_ROW(ONE, 0)
