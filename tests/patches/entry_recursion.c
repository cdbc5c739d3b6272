/* counts the calls of a function that calls itself */
#include <hotpatch.h>

HOTPATCH_MODULE("entry-recursion", "1");

HOTPATCH_REPLACE(int, sum_to, (int n))
{
    return 1000 + HOTPATCH_ORIGINAL(sum_to)(n);
}
