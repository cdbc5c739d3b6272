/* answers 3 */
#include <hotpatch.h>

HOTPATCH_MODULE("answer", "3");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 3;
}
