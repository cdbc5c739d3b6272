/* says exe where the object stands */
#include <hotpatch.h>

HOTPATCH_MODULE("by-exe", "1");

HOTPATCH_REPLACE_AS(int, replacement, (void), "exe:answer")
{
    return 2;
}
