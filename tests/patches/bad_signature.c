/* is of another type than the slot */
#include <hotpatch.h>

HOTPATCH_MODULE("bad-signature", "1");

HOTPATCH_REPLACE(long, answer, (int n))
{
    return n;
}
