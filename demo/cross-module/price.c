/* price.c - a patch that calls tax(), which another module provides. */
#include <hotpatch.h>

HOTPATCH_MODULE("price", "1");

HOTPATCH_REQUIRE(int, tax, (int cents));

HOTPATCH_REPLACE(int, price, (int cents))
{
    return cents + tax(cents);
}
