/* of a function that only the program's symbols name */
#include <hotpatch.h>

HOTPATCH_MODULE("jail-answer", "1");
HOTPATCH_REPLACE(int, answer, (int x))
{
    return x + 1;
}
