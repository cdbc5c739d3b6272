/* answers 2 */
#include <hotpatch.h>

HOTPATCH_MODULE("answer", "2");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 2;
}
