/* spells the slot's types differently */
#include <hotpatch.h>

struct counter;

HOTPATCH_MODULE("same-signature", "1");

HOTPATCH_REPLACE(signed int, counter_add, (struct counter * what, int const by))
{
    return HOTPATCH_ORIGINAL(counter_add)(what, 10 * by);
}
