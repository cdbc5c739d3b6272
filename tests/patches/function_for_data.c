/* a function where the slot holds data */
#include <hotpatch.h>

HOTPATCH_MODULE("function-for-data", "1");

HOTPATCH_REPLACE(const char *, greeting, (void))
{
    return "hallo";
}
