/* tax.c - a patch that provides tax() to the program and to other patches. */
#include <hotpatch.h>

HOTPATCH_MODULE("tax", "1");

HOTPATCH_FUNCTION(int, tax, (int cents))
{
    return cents * 19 / 100;
}
