/* counts in tens, on the host's own counter */
#include <hotpatch.h>

struct counter;

HOTPATCH_MODULE("counter-fix", "2");

HOTPATCH_REPLACE(int, counter_add, (struct counter * c, int n))
{
    return HOTPATCH_ORIGINAL(counter_add)(c, 10 * n);
}
