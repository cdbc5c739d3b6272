/* uses a symbol that the process does not have */
#include <hotpatch.h>

int defined_nowhere(void);

HOTPATCH_MODULE("undefined", "1");

HOTPATCH_REPLACE(int, answer, (void))
{
    return defined_nowhere();
}
