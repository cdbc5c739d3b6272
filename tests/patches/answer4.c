/* answers 4 */
#include <hotpatch.h>

HOTPATCH_MODULE("answer", "4");

HOTPATCH_REPLACE(int, answer, (void))
{
    return 4;
}
