/* names a function of the main program that has no slot */
#include <hotpatch.h>

HOTPATCH_MODULE("not-patchable", "1");

HOTPATCH_REPLACE(int, main, (void))
{
    return 2;
}
