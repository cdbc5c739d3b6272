/* main has been entered long ago */
#include <hotpatch.h>

HOTPATCH_MODULE("entry-main", "1");

HOTPATCH_REPLACE(int, main, (void))
{
    return 9;
}
