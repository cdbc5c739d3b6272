/* price.c - a patch that calls into whatever module knows the tax. */
#include <hotpatch.h>

HOTPATCH_MODULE("price", "1");

HOTPATCH_REQUIRE(int, tax, (int cents));

HOTPATCH_REPLACE(int, price, (int cents))
{
    return cents + tax(cents);
}
